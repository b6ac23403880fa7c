"""Let one job at a time use the printer.

Why it is right
---------------
`acquire` looks and occupies as one step, which is all that the flag lacked. A thread
that has to wait sleeps until the lock is given back; it does not look a hundred times a
second.

Algorithms that do it with plain variables (Peterson's, Dekker's) rely on every thread
seeing every write in the order in which it was made. No language promises that for
plain variables. A lock does.
"""

from threading import Lock, Thread


class Turn:
    """Lets one thread at a time use the printer."""

    def __init__(self) -> None:
        self.lock = Lock()

    def take(self) -> None:
        """Wait until the printer is free, and occupy it."""
        self.lock.acquire()

    def give_back(self) -> None:
        """Let the next one in."""
        self.lock.release()


def print_pages(owner: str, pages: int, turn: Turn, paper: list[str]) -> None:
    """Print pages one by one; each begins and ends with its owner's name."""
    for _ in range(pages):
        turn.take()
        paper.append(owner)
        paper.append(owner)
        turn.give_back()


def main() -> None:
    turn = Turn()
    paper: list[str] = []
    jobs = [
        Thread(target=print_pages, args=("Ann", 2, turn, paper)),
        Thread(target=print_pages, args=("Bob", 1, turn, paper)),
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert len(paper) == 6, paper
    assert paper[::2] == paper[1::2], f"pages are mixed up: {paper}"


if __name__ == "__main__":
    main()

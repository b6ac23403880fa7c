"""Uses Peterson's algorithm, which is right on paper.

On paper every thread sees every write at once and in order. The threads of a program
are promised that for what a lock, a queue or an event has handed over, and not for
plain variables. And whoever waits here keeps a processor busy.

Rejected: data-race
"""

from threading import Thread, current_thread


class Turn:
    """Lets one thread at a time use the printer."""

    def __init__(self) -> None:
        self.is_first_wanting = False
        self.is_second_wanting = False
        self.is_seconds_turn = False

    def take(self) -> None:
        """Wait until the printer is free, and occupy it."""
        if self._is_first():
            self.is_first_wanting = True
            self.is_seconds_turn = True
            while self.is_second_wanting and self.is_seconds_turn:
                pass
        else:
            self.is_second_wanting = True
            self.is_seconds_turn = False
            while self.is_first_wanting and not self.is_seconds_turn:
                pass

    def give_back(self) -> None:
        """Let the next one in."""
        if self._is_first():
            self.is_first_wanting = False
        else:
            self.is_second_wanting = False

    def _is_first(self) -> bool:
        return current_thread().name.startswith("Thread-1 ")


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

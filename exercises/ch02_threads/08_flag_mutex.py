"""Let one job at a time use the printer.

The office has one printer, and its driver a flag that says whether it is busy. In
hundreds of test prints no two jobs ever got mixed up. In the annual report they did.

What must hold
--------------
Never are two jobs at the printer at the same time, all get printed, and no thread reads
what another may be writing just then.

What you may change
-------------------
`Turn`

Fails: assertion
Races: error
"""

import time
from threading import Thread


class Turn:
    """Lets one thread at a time use the printer."""

    def __init__(self) -> None:
        self.is_busy = False

    def take(self) -> None:
        """Wait until the printer is free, and occupy it."""
        # TODO: two jobs get in.
        while self.is_busy:
            time.sleep(0.01)
        self.is_busy = True

    def give_back(self) -> None:
        """Let the next one in."""
        self.is_busy = False


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

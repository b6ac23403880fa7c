"""Lets the two jobs go in strict alternation.

Nobody is ever in the other's way, and when Bob has printed his only page Ann waits for
his next one for ever.

Rejected: livelock
Line: while self.last == current_thread().name:
"""

import time
from threading import Thread, current_thread


class Turn:
    """Lets one thread at a time use the printer."""

    def __init__(self) -> None:
        self.last = ""

    def take(self) -> None:
        """Wait until the printer is free, and occupy it."""
        while self.last == current_thread().name:
            time.sleep(0.01)

    def give_back(self) -> None:
        """Let the next one in."""
        self.last = current_thread().name


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

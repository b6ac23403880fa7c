"""Lets each job raise its own flag first, then wait for the other's to go down.

If both raise their flags before either looks, each waits for the other, politely and
for ever.

Rejected: livelock
Line: self.wanting[me] = True
"""

import time
from threading import Thread, current_thread


class Turn:
    """Lets one thread at a time use the printer."""

    def __init__(self) -> None:
        self.wanting: dict[str, bool] = {}

    def take(self) -> None:
        """Wait until the printer is free, and occupy it."""
        me = current_thread().name
        self.wanting[me] = True
        while any(wants for name, wants in list(self.wanting.items()) if name != me):
            time.sleep(0.01)

    def give_back(self) -> None:
        """Let the next one in."""
        self.wanting[current_thread().name] = False


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

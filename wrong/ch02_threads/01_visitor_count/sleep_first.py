"""Sleeps for a random while, so that two visitors hardly ever meet.

Hardly ever is what the program did before. A sleep puts nothing in order.

Rejected: assertion
Line: self.visits += 1
"""

import random
import time
from collections.abc import Callable
from threading import Thread


class VisitorCount:
    """How many visitors the page has had."""

    def __init__(self) -> None:
        self.visits = 0

    def visit(self) -> None:
        """Count one more visitor."""
        time.sleep(random.random() / 100)
        self.visits += 1


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(visitors: int = 2) -> None:
    count = VisitorCount()
    run_together(*[count.visit for _ in range(visitors)])
    assert count.visits == visitors, f"{visitors} visitors, {count.visits} counted"


if __name__ == "__main__":
    main()

"""Holds the lock for the write, and not for the read.

Both threads read the same number before either writes. Then they write the same number,
one after the other, well guarded.

Rejected: assertion
Line: seen = self.visits
"""

from collections.abc import Callable
from threading import Lock, Thread


class VisitorCount:
    """How many visitors the page has had."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.visits = 0

    def visit(self) -> None:
        """Count one more visitor."""
        seen = self.visits
        with self.lock:
            self.visits = seen + 1


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

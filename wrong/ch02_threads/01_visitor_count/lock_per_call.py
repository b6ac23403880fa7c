"""Makes a new lock for each call.

Nobody else has ever seen that lock, so nobody waits for it.

Rejected: assertion
Line: self.visits += 1
"""

from collections.abc import Callable
from threading import Lock, Thread


class VisitorCount:
    """How many visitors the page has had."""

    def __init__(self) -> None:
        self.visits = 0

    def visit(self) -> None:
        """Count one more visitor."""
        with Lock():
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

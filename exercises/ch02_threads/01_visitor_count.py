"""Count every visitor of a page.

The start page counts its visitors. In the evening, two web servers' worth of threads
have served more pages than the counter says. It loses a visitor now and then, never on
your machine, and never while somebody looks.

What must hold
--------------
The counter counts every visit, in whatever order the threads run.

What you may change
-------------------
`VisitorCount`

Fails: assertion
Also: main(visitors=3); main(visitors=1)
"""

from collections.abc import Callable
from threading import Thread


class VisitorCount:
    """How many visitors the page has had."""

    def __init__(self) -> None:
        self.visits = 0

    def visit(self) -> None:
        """Count one more visitor."""
        # TODO: two visitors at the same moment are counted as one.
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

"""Count every visitor of a page.

Why it is right
---------------
`lock` guards `visits`: from the read to the write nobody else gets in. The lock belongs
to the counter. It is made once, with it, and every thread takes the same one; a lock of
one's own would keep nobody out.

`main` reads the number without the lock, and may: by then it has joined all threads.
"""

from collections.abc import Callable
from threading import Lock, Thread


class VisitorCount:
    """How many visitors the page has had. `lock` guards `visits`."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.visits = 0

    def visit(self) -> None:
        """Count one more visitor."""
        with self.lock:
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

"""Makes the lock in the function, anew for each call.

Two calls have two locks, and neither waits for the other.

Rejected: assertion
Line: if _connection is None:
"""

from collections.abc import Callable
from threading import Lock, Thread

opened: list["Connection"] = []
"""All connections that were ever opened."""


class Connection:
    """A line to the database, which keeps count of them."""

    def __init__(self) -> None:
        opened.append(self)


_connection: Connection | None = None


def connection() -> Connection:
    """Return the one connection; open it at the first call."""
    global _connection
    with Lock():
        if _connection is None:
            _connection = Connection()
        return _connection


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(requests: int = 2) -> None:
    got: list[Connection] = []
    run_together(*[lambda: got.append(connection()) for _ in range(requests)])
    assert len(opened) == 1, f"{len(opened)} connections were opened"
    assert got == opened * requests, got


if __name__ == "__main__":
    main()

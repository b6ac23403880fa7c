"""Leaves it to `functools.cache` to call the function once.

The cache calls it again for everybody who asks before the first call has returned.

Rejected: assertion
Line: opened.append(self)
"""

import functools
from collections.abc import Callable
from threading import Thread

opened: list["Connection"] = []
"""All connections that were ever opened."""


class Connection:
    """A line to the database, which keeps count of them."""

    def __init__(self) -> None:
        opened.append(self)


_connection: Connection | None = None


@functools.cache
def connection() -> Connection:
    """Return the one connection; open it at the first call."""
    return Connection()


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

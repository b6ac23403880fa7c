"""Open the database connection once.

The database allows this service one connection. It is opened at the first request, and
kept. After each restart under load the database complains about a second one.

What must hold
--------------
However many requests come first at the same moment: one connection is opened, and all
get that one.

What you may change
-------------------
`connection`

Fails: assertion
Also: main(requests=3)
Calls: Connection.__init__ 1
"""

from collections.abc import Callable
from threading import Thread

opened: list["Connection"] = []
"""All connections that were ever opened."""


class Connection:
    """A line to the database, which keeps count of them."""

    def __init__(self) -> None:
        opened.append(self)


_connection: Connection | None = None


def connection() -> Connection:
    """Return the one connection; open it at the first call."""
    # TODO: two first calls at the same moment open two.
    global _connection
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

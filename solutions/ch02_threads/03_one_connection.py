"""Open the database connection once.

Why it is right
---------------
`_lock` guards `_connection`, and is held from "is it there?" until it is stored. A
request that comes meanwhile waits, then finds the connection and returns it.

`functools.cache` would not do: it keeps results safe, but holds no lock while the
function runs, so two first calls both run it.
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
_lock = Lock()  # guards _connection


def connection() -> Connection:
    """Return the one connection; open it at the first call."""
    global _connection
    with _lock:
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

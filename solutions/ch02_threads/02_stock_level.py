"""Sell two pieces, and have two less in stock.

Why it is right
---------------
A lock guards what happens while it is *held without a gap*. The property's getter and
setter each took it, and between the two the other clerk read the same level. Two
guarded steps are not one guarded step.

So the class offers what callers need as one step, `take`, and holds the lock from the
read to the write. The property has no setter any more: with one, the next caller would
write `-=` again.
"""

from collections.abc import Callable
from functools import partial
from threading import Lock, Thread


class Stock:
    """How many pieces lie on the shelf. `lock` guards `_level`."""

    def __init__(self, level: int) -> None:
        self.lock = Lock()
        self._level = level

    @property
    def level(self) -> int:
        """The number of pieces."""
        with self.lock:
            return self._level

    def take(self, pieces: int) -> None:
        """Take pieces from the shelf, as one step."""
        with self.lock:
            self._level -= pieces


def sell(stock: Stock, pieces: int) -> None:
    """Take pieces out of the stock."""
    stock.take(pieces)


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(clerks: int = 2) -> None:
    stock = Stock(10)
    run_together(*[partial(sell, stock, 1) for _ in range(clerks)])
    assert stock.level == 10 - clerks, f"{clerks} sold, {stock.level} of 10 left"


if __name__ == "__main__":
    main()

"""Sell two pieces, and have two less in stock.

After the counter had lost visitors, everything got a lock. So did the stock of the web
shop: whoever reads the level holds the lock, and so does whoever writes it. Inventory
day came, and the level said more than the shelf.

What must hold
--------------
After each sale the level is lower by the pieces sold, whoever sells at the same time.

What you may change
-------------------
`Stock` and `sell`

Fails: assertion
Also: main(clerks=3); main(clerks=1)
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

    @level.setter
    def level(self, level: int) -> None:
        with self.lock:
            self._level = level


def sell(stock: Stock, pieces: int) -> None:
    """Take pieces out of the stock."""
    # TODO: every access is guarded, and still a sale gets lost.
    stock.level -= pieces


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

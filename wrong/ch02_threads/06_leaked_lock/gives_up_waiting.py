"""Waits for the lock for a second at most, and refuses the order then.

The lock is still leaked; now every later order is refused, as if the shelf were empty.

Rejected: assertion
Line: if not self.lock.acquire(timeout=1):
"""

from collections.abc import Callable
from threading import Lock, Thread


class OutOfStockError(Exception):
    """There is less than was asked for."""


class Warehouse:
    """Parts on a shelf. `lock` guards `parts`."""

    def __init__(self, parts: int) -> None:
        self.lock = Lock()
        self.parts = parts

    def take(self, wanted: int) -> None:
        """Take parts from the shelf; OutOfStockError if there are too few."""
        if not self.lock.acquire(timeout=1):
            raise OutOfStockError("the warehouse is closed")
        if self.parts < wanted:
            raise OutOfStockError(f"{wanted} wanted, {self.parts} there")
        self.parts -= wanted
        self.lock.release()


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(parts: int = 3, wanted: int = 2) -> None:
    warehouse = Warehouse(parts)
    refused: list[int] = []

    def order(number: int) -> None:
        try:
            warehouse.take(number)
        except OutOfStockError:
            refused.append(number)

    run_together(lambda: order(wanted), lambda: order(wanted))
    filled = min(2, parts // wanted)
    order(parts - filled * wanted)
    assert refused == [wanted] * (2 - filled), refused
    assert warehouse.parts == 0, warehouse.parts


if __name__ == "__main__":
    main()

"""Sleeps at the end and hopes that all have ordered by then.

A sleep waits for nothing. On a busy machine a tenth of a second is not enough.

Rejected: assertion
Line: time.sleep(0.1)
"""

import time
from collections.abc import Sequence
from threading import Event, Thread


class Sale:
    """A shop with its door still closed."""

    def __init__(self) -> None:
        self.door = Event()
        self.orders: list[str] = []

    def customer(self, name: str) -> None:
        """Wait at the door until it opens, then order."""
        self.door.wait()
        self.orders.append(name)


def rehearse(sale: Sale, names: Sequence[str]) -> None:
    """Let a thread for each customer queue up, open the door, wait until all have ordered."""
    for name in names:
        customer = Thread(target=sale.customer, args=(name,))
        customer.start()
    sale.door.set()
    time.sleep(0.1)


def main(names: Sequence[str] = ("Ada", "Grace")) -> None:
    sale = Sale()
    rehearse(sale, names)
    assert sorted(sale.orders) == sorted(names), sale.orders


if __name__ == "__main__":
    main()

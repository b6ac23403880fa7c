"""Opens the door before anybody has come.

Now nobody waits, and nobody meets anybody: each customer comes, orders and goes before
the next one starts. The answers are right, and the rehearsal shows nothing.

Rejected: not-concurrent
"""

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
    sale.door.set()
    for name in names:
        customer = Thread(target=sale.customer, args=(name,))
        customer.start()
        customer.join()


def main(names: Sequence[str] = ("Ada", "Grace")) -> None:
    sale = Sale()
    rehearse(sale, names)
    assert sorted(sale.orders) == sorted(names), sale.orders


if __name__ == "__main__":
    main()

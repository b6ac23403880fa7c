"""Let all customers queue up before the sale opens.

Why it is right
---------------
Starting and waiting are two loops. In the first, nothing waits, so all customers get to
the door. Then the door opens, which is what every one of them waits for, so each of the
joins in the second loop comes back.

`start` and `join` in one loop is a serial program with threads in it: one customer at a
time.
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
    customers = [Thread(target=sale.customer, args=(name,)) for name in names]
    for customer in customers:
        customer.start()
    sale.door.set()
    for customer in customers:
        customer.join()


def main(names: Sequence[str] = ("Ada", "Grace")) -> None:
    sale = Sale()
    rehearse(sale, names)
    assert sorted(sale.orders) == sorted(names), sale.orders


if __name__ == "__main__":
    main()

"""Let all customers queue up before the sale opens.

Before the big sale the shop rehearses it: a thread for each customer, all of whom stand
at the door; then the door opens, and they order. The first customer came. Then the
rehearsal stood still.

What must hold
--------------
All customers are under way at the same time, and when `rehearse` returns, every one of
them has ordered.

What you may change
-------------------
`rehearse`

Fails: deadlock
Also: main(("Ada", "Grace", "Joan"))
Together: Sale.customer
Calls: Sale.customer 2
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
    # TODO: nobody opens the door.
    for name in names:
        customer = Thread(target=sale.customer, args=(name,))
        customer.start()
        customer.join()
    sale.door.set()


def main(names: Sequence[str] = ("Ada", "Grace")) -> None:
    sale = Sale()
    rehearse(sale, names)
    assert sorted(sale.orders) == sorted(names), sale.orders


if __name__ == "__main__":
    main()

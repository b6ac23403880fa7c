"""Add a voucher to a cart that locks itself.

A shopping cart is used from two browser windows, so each of its methods takes the
cart's lock. Since vouchers exist, the shop stands still as soon as somebody uses one.

What must hold
--------------
A cart has one voucher at most, and its total is the sum of its items, whatever is added
at the same time.

What you may change
-------------------
`Cart`

Fails: deadlock
Also: main(windows=1, price=12)
"""

from collections.abc import Callable
from functools import partial
from threading import Lock, Thread


class Cart:
    """What a customer wants to buy. `lock` guards `items` and `total`."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.items: list[str] = []
        self.total = 0

    def add(self, item: str, price: int) -> None:
        """Put an item into the cart."""
        with self.lock:
            self.items.append(item)
            self.total += price

    def add_voucher(self, worth: int) -> None:
        """Put a voucher into the cart, unless there is one."""
        with self.lock:
            if "voucher" not in self.items:
                # TODO: from here on nobody can use the cart any more.
                self.add("voucher", -worth)


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(windows: int = 2, price: int = 30) -> None:
    cart = Cart()
    run_together(
        partial(cart.add, "book", price),
        *[partial(cart.add_voucher, 5) for _ in range(windows)],
    )
    assert cart.items.count("voucher") == 1, cart.items
    assert cart.total == price - 5, cart.total


if __name__ == "__main__":
    main()

"""Takes the lock out of `add`.

`add` is called from outside as well, without a lock then: a book and a voucher at the
same moment, and one price is lost.

Rejected: assertion
Line: self.total += price
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
        self.items.append(item)
        self.total += price

    def add_voucher(self, worth: int) -> None:
        """Put a voucher into the cart, unless there is one."""
        with self.lock:
            if "voucher" not in self.items:
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

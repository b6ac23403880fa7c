"""Makes the waiters daemons, so that they need not be waited for.

The program ends, and with it the waiters: in the middle of what they are doing, some
dishes unserved.

Rejected: assertion
"""

from collections.abc import Sequence
from queue import Queue
from threading import Thread

Counter = Queue[str | None]
"""Dishes, and `None` for "closing time"."""


def serve(dish: str, served: list[str]) -> None:
    """Bring one dish to its table."""
    served.append(dish)


def waiter(counter: Counter, served: list[str]) -> None:
    """Serve what is on the counter until closing time."""
    while (dish := counter.get()) is not None:
        serve(dish, served)


def evening(dishes: Sequence[str], waiters: int) -> list[str]:
    """Cook all dishes, have them served by so many waiters, and close; return what was served."""
    counter: Counter = Queue()
    served: list[str] = []
    staff = [Thread(target=waiter, args=(counter, served), daemon=True) for _ in range(waiters)]
    for thread in staff:
        thread.start()
    for dish in dishes:
        counter.put(dish)
    counter.put(None)
    return served


def main(dishes: Sequence[str] = ("soup", "fish"), waiters: int = 2) -> None:
    served = evening(dishes, waiters)
    assert sorted(served) == sorted(dishes), served


if __name__ == "__main__":
    main()

"""Lets the cook serve everything himself.

No waiter is left to wait, and none to work: each dish is cooked and served before the
next.

Rejected: not-concurrent
"""

from collections.abc import Sequence
from queue import Queue

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
    for dish in dishes:
        counter.put(dish)
    counter.put(None)
    waiter(counter, served)
    return served


def main(dishes: Sequence[str] = ("soup", "fish"), waiters: int = 2) -> None:
    served = evening(dishes, waiters)
    assert sorted(served) == sorted(dishes), served


if __name__ == "__main__":
    main()

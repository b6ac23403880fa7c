"""Hangs out a sign at closing time, which the waiters read before they wait.

A waiter who has read the sign just before it was turned waits for a dish that does not
come; a waiter who waits already does not read it at all.

Rejected: deadlock
Line: dish = counter.get()
"""

from collections.abc import Sequence
from queue import Queue
from threading import Event, Thread

Counter = Queue[str | None]
"""Dishes, and `None` for "closing time"."""


def serve(dish: str, served: list[str]) -> None:
    """Bring one dish to its table."""
    served.append(dish)


def waiter(counter: Counter, served: list[str], closing: Event) -> None:
    """Serve what is on the counter until closing time."""
    while not closing.is_set() or not counter.empty():
        dish = counter.get()
        if dish is not None:
            serve(dish, served)


def evening(dishes: Sequence[str], waiters: int) -> list[str]:
    """Cook all dishes, have them served by so many waiters, and close; return what was served."""
    counter: Counter = Queue()
    served: list[str] = []
    closing = Event()
    staff = [Thread(target=waiter, args=(counter, served, closing)) for _ in range(waiters)]
    for thread in staff:
        thread.start()
    for dish in dishes:
        counter.put(dish)
    closing.set()
    for thread in staff:
        thread.join()
    return served


def main(dishes: Sequence[str] = ("soup", "fish"), waiters: int = 2) -> None:
    served = evening(dishes, waiters)
    assert sorted(served) == sorted(dishes), served


if __name__ == "__main__":
    main()

"""Send all the waiters home at closing time.

The kitchen puts dishes on the counter, the waiters serve them. After the last dish the
cook calls "closing time!", by putting a `None` on the counter. One waiter goes home.
The other one has been waiting since.

What must hold
--------------
All dishes are served, by waiters who work at the same time, and then every waiter goes
home.

What you may change
-------------------
`evening` and `waiter`

Fails: deadlock
Also: main(("rice", "cake", "tea")); main(("rice",))
Together: serve
Calls: serve 2
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
    staff = [Thread(target=waiter, args=(counter, served)) for _ in range(waiters)]
    for thread in staff:
        thread.start()
    for dish in dishes:
        counter.put(dish)
    # TODO: not everybody hears it.
    counter.put(None)
    for thread in staff:
        thread.join()
    return served


def main(dishes: Sequence[str] = ("soup", "fish"), waiters: int = 2) -> None:
    served = evening(dishes, waiters)
    assert sorted(served) == sorted(dishes), served


if __name__ == "__main__":
    main()

"""Let a locked method call another locked method, with an RLock.

Problem
-------
A stock of parts is shared by threads. `add` takes the lock, changes one number and
releases it. Now `add_all` must book a whole delivery as one step, and the natural way
to write it is to take the lock and call `add` for each part.

Solution
--------
Make the lock an `RLock`: the thread that holds it may acquire it again at once. Or
keep the plain `Lock` and split: public methods take the lock, private ones expect it
to be held, and locked code calls only private ones. `Stock` shows the first way and
`SplitStock` the second.

How it works
------------
An `RLock` remembers its owner and a count. The owner's `acquire` adds one, its
`release` takes one away, and the lock is free for others at zero. So the `with` in
`add` is a mere count when `add_all` calls it, and the lock is held from the first part
of the delivery to the last. Nobody sees half a delivery. Only the owner may release;
in another thread `release` raises RuntimeError.

In both classes `_lock` guards `_parts`. It ends because each thread takes the one
lock and waits for nothing while it holds it.

Pitfalls
--------
`pitfall_plain_lock` uses a `Lock`, which knows no owner. `add` waits until the lock is
free, and the thread that should release it is the one that waits. One thread is enough.

`pitfall_broken_in_the_middle` expects of the `RLock` what it does not promise. It keeps
out *other* threads only. In the middle of `move`, when one bolt has left the shelf
and not reached the van, a listener is called, in the same thread. It asks for the
total, gets the lock at once, and finds a bolt missing. With a plain `Lock` the program
would hang here, which is at least seen. Call strangers after the lock is released,
or when all is consistent again.

Cost
----
An `RLock` costs about what a `Lock` costs, since CPython has it in C. Its real price
is in reading: with `SplitStock` one can see for each method whether the lock is held.
All the work here is done under one lock, so a serial loop is faster than both.

See also
--------
`threads/lock` for the plain lock, `threads/lock_ordering` for two locks at once,
`synchronisation/rlock` for the same between processes.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock, RLock, Thread


class Stock:
    """Counts parts. `_lock` guards `_parts`; every method takes it for itself."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._parts: Counter[str] = Counter()

    def add(self, part: str, number: int) -> None:
        """Book `number` pieces of one part."""
        with self._lock:
            self._parts[part] += number

    def add_all(self, delivery: Mapping[str, int]) -> None:
        """Book a whole delivery: other threads see all of it or nothing."""
        with self._lock:
            for part, number in delivery.items():
                self.add(part, number)

    def snapshot(self) -> dict[str, int]:
        """Return a copy of what is in stock at one moment."""
        with self._lock:
            return dict(self._parts)


class SplitStock:
    """The same with a plain lock: `_add` is only called while `_lock` is held."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._parts: Counter[str] = Counter()

    def _add(self, part: str, number: int) -> None:
        self._parts[part] += number

    def add(self, part: str, number: int) -> None:
        """Book `number` pieces of one part."""
        with self._lock:
            self._add(part, number)

    def add_all(self, delivery: Mapping[str, int]) -> None:
        """Book a whole delivery: other threads see all of it or nothing."""
        with self._lock:
            for part, number in delivery.items():
                self._add(part, number)

    def snapshot(self) -> dict[str, int]:
        """Return a copy of what is in stock at one moment."""
        with self._lock:
            return dict(self._parts)


def main(deliveries: int = 2) -> None:
    for stock in (Stock(), SplitStock()):
        threads = [
            Thread(target=stock.add_all, args=({"bolt": 2, "nut": 2},)) for _ in range(deliveries)
        ]
        for thread in threads:
            thread.start()
        seen = stock.snapshot()  # at any moment: whole deliveries
        for thread in threads:
            thread.join()
        assert seen.get("bolt", 0) == seen.get("nut", 0), seen
        assert stock.snapshot() == {"bolt": 2 * deliveries, "nut": 2 * deliveries}
        print(f"{type(stock).__name__}: seen on the way {seen}, at the end {stock.snapshot()}")


def pitfall_plain_lock() -> None:
    """The method that is called waits for the lock which its caller holds.

    Fails: deadlock
    """
    lock = Lock()
    parts: Counter[str] = Counter()

    def add(part: str) -> None:
        with lock:
            parts[part] += 1

    def add_all(delivery: list[str]) -> None:
        with lock:
            for part in delivery:
                add(part)

    add_all(["bolt", "nut"])


def pitfall_broken_in_the_middle() -> None:
    """The lock lets its owner in again, also where the numbers do not add up.

    Fails: assertion
    """
    lock = RLock()
    bolts = {"shelf": 1, "van": 0}

    def move(on_change: Callable[[], None]) -> None:
        with lock:
            bolts["shelf"] -= 1
            on_change()
            bolts["van"] += 1

    def check_total() -> None:
        with lock:
            assert sum(bolts.values()) == 1, bolts

    move(check_total)


if __name__ == "__main__":
    main()

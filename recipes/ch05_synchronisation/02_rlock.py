"""Let a function that holds the lock call another that takes it: use an RLock.

Problem
-------
Two processes move goods between shelves, in shared memory. `Shelves.move` must
take from one shelf and add to the other as one step. `Shelves.add` locks too,
because it is also called alone. So `move` holds the lock when it calls `add`.

Solution
--------
Guard the shelves with a `multiprocessing.RLock`. The one who holds it may take it
again; it is free when it has been released as often as it was taken.

How it works
------------
`Shelves.lock` guards `Shelves.counts`. An RLock remembers its owner, a thread of
a process, and how often the owner took it. That count lives in the owner's
memory: only the first `acquire` and the last `release` touch the semaphore that
the processes share. So no other process can get in between two calls of the
owner.

The owner is the only one who may release. Anyone else gets AssertionError, in
every process, also under `python -O`: it is raised in C. A plain Lock is
different: any process may release it, and it can be used as a signal.

The lock of a `Value` or an `Array` is an RLock unless you give another. That is
why `with total.get_lock(): total.value += 1` works, although `total.value` locks
too.

It ends because there is one lock, and each process releases it before it ends.

Pitfalls
--------
`pitfall_plain_lock` is the same shelves with a plain Lock. `move` takes it, calls
`add`, and `add` waits for the holder to release: for itself. It hangs for ever,
with one process and no bad luck needed.

Cost
----
A second `acquire` by the owner only counts, so it is cheaper than the first. But
an RLock hides how long the lock is held. Often the better design is a private
function that expects the lock to be held, and public ones that take a plain Lock
once. For work this small, a loop in one process is faster.

See also
--------
`threads/rlock` for the same among threads, `synchronisation/lock` for the plain
one, `processes/value_array` for `get_lock`.
"""

from multiprocessing import Array, Lock, Process, RLock
from multiprocessing.synchronize import Lock as LockType
from multiprocessing.synchronize import RLock as RLockType


class Shelves:
    """Goods on shelves, shared by processes. `lock` guards `counts`."""

    def __init__(self, counts: list[int], lock: RLockType | LockType) -> None:
        self.lock = lock
        self.counts = Array("i", counts, lock=False)

    def add(self, shelf: int, amount: int) -> None:
        """Put `amount` on one shelf; a negative one takes away."""
        with self.lock:
            self.counts[shelf] += amount

    def move(self, source: int, target: int, amount: int) -> bool:
        """Move `amount` if it is there, as one step; say whether it was."""
        with self.lock:
            if self.counts[source] < amount:
                return False
            self.add(source, -amount)  # takes the lock that we hold: an RLock lets us
            self.add(target, amount)
            return True

    def total(self) -> int:
        """Count what is on all shelves."""
        with self.lock:
            return sum(self.counts)


def mover(shelves: Shelves, source: int, target: int) -> None:
    """Move two away, and look: nothing may be missing at any moment."""
    before = shelves.total()
    shelves.move(source, target, 2)
    assert shelves.total() == before, "somebody saw half a move"


def intruder(shelves: Shelves) -> None:
    """Try to release a lock that another process holds."""
    try:
        shelves.lock.release()
    except AssertionError:
        return
    raise RuntimeError("released a lock that another process holds")


def main(stock: int = 2) -> None:
    shelves = Shelves([stock, stock], RLock())
    movers = [Process(target=mover, args=(shelves, i, 1 - i)) for i in range(2)]
    for process in movers:
        process.start()
    for process in movers:
        process.join()
        assert process.exitcode == 0, process
    assert shelves.total() == 2 * stock, list(shelves.counts)

    with shelves.lock:  # held here, so nobody else can give it back
        process = Process(target=intruder, args=(shelves,))
        process.start()
        process.join()
        assert process.exitcode == 0, process
    print(f"two processes moved goods both ways: {shelves.total()} are still there")
    print("a process that did not hold the lock could not release it")


def pitfall_plain_lock() -> None:
    """`move` holds a plain Lock and waits in `add` for itself.

    Fails: deadlock
    """
    shelves = Shelves([1, 0], Lock())
    shelves.move(0, 1, 1)


if __name__ == "__main__":
    main()

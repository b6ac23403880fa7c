"""Share numbers between processes with Value and Array, and lose no update.

Problem
-------
Several processes pack parcels into the same vans. Each parcel gets the next serial
number, and its weight is added to the load of its van. Messages to the parent would
do, but a few numbers in shared memory are all that is needed.

Solution
--------
Make a `Value` and an `Array` in the parent and pass them as arguments. Hold
`with value.get_lock():` from the read to the write, and take a copy of what you
need before you leave the block. Add up locally, and touch the shared memory seldom.

How it works
------------
`Value("i")` is one C int in memory that all the processes see; the letter is a type
code of the module `array`. Each `Value` and `Array` carries a lock of its own, an
`RLock`, so that code which holds it may still read and write `.value`, which takes it
again. `next_number.get_lock()` guards the counter, `loads.get_lock()` guards the loads.
In `labels` each process writes a place of its own. No process holds two of these locks
at once, and none waits for another while it holds one, so all of them end. After `join`
nobody else is left, and the parent may read.

The start value is given once: `Value("i", 1)`. An `Array("i", 2)` starts with zeros.
`loads[:]` copies the whole array into a list under one hold of the lock.

Pitfalls
--------
`pitfall_plus_equals` writes `packed.value += 1` with no lock around it. The
lock inside makes the read safe and the write safe, but they are two steps. Both
processes read 0, both write 1, and one parcel is lost.

`pitfall_read_after_release` counts under the lock and reads the number after it.
First A counts to 1, then B counts to 2, and then both read 2: two parcels bear
the same number.

Cost
----
A locked update takes a few microseconds, more than ten times what `+= 1` on a local
variable takes, and the processes queue up for it. If all the work is counting, a
serial loop is much faster. Count locally and add once at the end.

See also
--------
`threads/racy_increment` for the same race among threads, `processes/shared_block`
for large data, `processes/manager` for dicts and lists, `synchronisation/lock` for a
lock on its own.
"""

from __future__ import annotations

from multiprocessing import Array, Process, Value
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.sharedctypes import Synchronized, SynchronizedArray


def pack(
    packer: int,
    weights: list[int],
    next_number: Synchronized[int],
    loads: SynchronizedArray[int],
    labels: SynchronizedArray[int],
) -> None:
    """Number the parcels of this packer, and put one into each van."""
    with next_number.get_lock():
        first = next_number.value
        next_number.value += len(weights)
    with loads.get_lock():
        for van, weight in enumerate(weights):
            loads[van] += weight
    labels[packer] = first


def run_together(work: Callable[..., None], *arguments: tuple[object, ...]) -> None:
    """Run `work` once for each tuple of arguments, all at once, and wait for all."""
    processes = [Process(target=work, args=args) for args in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert all(process.exitcode == 0 for process in processes), processes


def main(vans: int = 2) -> None:
    next_number: Synchronized[int] = Value("i", 1)
    loads: SynchronizedArray[int] = Array("i", vans)
    labels: SynchronizedArray[int] = Array("i", 2)
    light, heavy = [1] * vans, [5] * vans

    shared = (next_number, loads, labels)
    run_together(pack, (0, light, *shared), (1, heavy, *shared))

    assert next_number.value == 1 + 2 * vans, next_number.value
    assert loads[:] == [1 + 5] * vans, loads[:]
    assert sorted(labels[:]) == [1, 1 + vans], labels[:]
    print(f"{2 * vans} parcels packed by 2 processes; the vans carry {loads[:]} kg")
    print(f"the first label of each process: {labels[:]}")


def count_unguarded(packed: Synchronized[int]) -> None:
    packed.value += 1


def pitfall_plus_equals() -> None:
    """A Value's `+=` is a read and a write, and another process comes between.

    Fails: assertion
    """
    packed: Synchronized[int] = Value("i", 0)
    run_together(count_unguarded, (packed,), (packed,))
    assert packed.value == 2, f"{packed.value} of 2 parcels were counted"


def number_one(me: int, last: Synchronized[int], labels: SynchronizedArray[int]) -> None:
    with last.get_lock():
        last.value += 1
    labels[me] = last.value


def pitfall_read_after_release() -> None:
    """The number is read after the lock is given back, and may be another's.

    Fails: assertion
    """
    last: Synchronized[int] = Value("i", 0)
    labels: SynchronizedArray[int] = Array("i", 2)
    run_together(number_one, (0, last, labels), (1, last, labels))
    assert sorted(labels[:]) == [1, 2], f"the labels are {labels[:]}"


if __name__ == "__main__":
    main()

"""Let processes step together: a Barrier that all must reach before any goes on.

Problem
-------
A rod is cut into cells, and each process owns one. In each step a cell becomes
the mean of its two neighbours: of their *old* values. So nobody may write before
all have read, and nobody may read the next step before all have written.

Solution
--------
One `multiprocessing.Barrier`, for as many parties as there are processes, made in
the parent and handed to each. Each calls `wait` after the read and again after
the write. The same barrier serves every step.

How it works
------------
`wait` counts the arrivals. The last to arrive lets all go, and the count starts
again at 0. A fast process cannot lap a slow one: it cannot pass the second `wait`
before the slow one has arrived there. Between two barriers each cell has either
readers or one writer, so `rod` needs no lock.

A process that fails must not leave the others waiting: `abort` breaks the
barrier, and all who wait, or come later, get BrokenBarrierError. A time-out
breaks it as well, for all and not only for the one who lost patience.

It ends because each process makes the same number of calls, and the barrier has
just as many parties as there are processes.

Pitfalls
--------
`pitfall_one_party_too_many` counts the main process as a party, but it only
joins. The two workers wait for a third, and it waits for them.

`pitfall_barrier_of_its_own` takes the barrier from its module and not from an
argument. Under fork a child inherits its parent's, and all is well. Under spawn
and forkserver each child imports the module anew and makes its own barrier for
two, where it waits alone. (The cached function stands for a `Barrier(2)` at the
top of the module.)

A process that dies on its way to the barrier leaves the others there: give
`Barrier` a `timeout` where that can happen. One that is killed while it waits at
the barrier leaves them for good, time-out or not: who wakes the waiters waits
until each has answered, and the dead one never does.

Cost
----
Every step runs as slowly as its slowest process, and a meeting costs several
switches between processes. One cell each, as here, is far slower than a serial
loop: give each process thousands of cells, and let it wait once for all of them.

See also
--------
`threads/barrier` for threads, `synchronisation/event` to wait for one instead of
all, `processes/start_methods` for what a child imports anew, `processes/pool_map`
where a step's work can be a list of independent tasks.
"""

from ctypes import Array as CArray
from ctypes import c_double
from functools import cache
from multiprocessing import Array, Barrier, Process, get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier as BarrierType
from threading import BrokenBarrierError


def cell(barrier: BarrierType, rod: CArray[c_double], index: int, steps: int) -> None:
    """Own one cell of the rod for `steps` steps."""
    try:
        for _ in range(steps):
            mean = (rod[index - 1] + rod[index + 1]) / 2
            barrier.wait()  # all have read
            rod[index] = mean
            barrier.wait()  # all have written
    except Exception:
        barrier.abort()  # the others must not wait for this process
        raise


def serial(rod: list[float], steps: int) -> list[float]:
    """Do the same in a loop."""
    for _ in range(steps):
        inner = [(rod[i - 1] + rod[i + 1]) / 2 for i in range(1, len(rod) - 1)]
        rod = [rod[0], *inner, rod[-1]]
    return rod


def guest(meeting: BarrierType) -> None:
    """Wait for a meeting that breaks up; fail if it took place."""
    try:
        meeting.wait()
    except BrokenBarrierError:
        return
    raise RuntimeError("the meeting took place")


def run_together(processes: list[BaseProcess]) -> None:
    """Start the processes, wait until all have ended, and see that none failed."""
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert all(process.exitcode == 0 for process in processes), processes


def main(cells: int = 2, steps: int = 2) -> None:
    start = [0.0] * (cells + 1) + [100.0]
    rod = Array("d", start, lock=False)
    barrier = Barrier(cells)
    run_together([Process(target=cell, args=(barrier, rod, i + 1, steps)) for i in range(cells)])
    assert list(rod) == serial(start, steps), list(rod)
    print(f"{cells} processes took {steps} steps together; the rod is now {list(rod)}")

    meeting = Barrier(3)  # for the guest, the host, and one who never comes
    process = Process(target=guest, args=(meeting,))
    process.start()
    try:
        meeting.wait(timeout=0.01)
    except BrokenBarrierError:
        print("one did not come: the host lost patience, and the guest was told")
    process.join()
    assert meeting.broken
    assert process.exitcode == 0, process


def meet(barrier: BarrierType) -> None:
    barrier.wait()


def pitfall_one_party_too_many() -> None:
    """Three parties, but only two processes ever call `wait`.

    Fails: deadlock
    """
    barrier = Barrier(3)
    run_together([Process(target=meet, args=(barrier,)) for _ in range(2)])


@cache
def global_barrier() -> BarrierType:
    return get_context("spawn").Barrier(2)


def meet_at_global_barrier() -> None:
    global_barrier().wait()


def pitfall_barrier_of_its_own() -> None:
    """Each spawned process makes the barrier anew, and waits there alone.

    Fails: deadlock
    """
    run_together([get_context("spawn").Process(target=meet_at_global_barrier) for _ in range(2)])


if __name__ == "__main__":
    main()

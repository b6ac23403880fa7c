"""Run threads in step, round by round, with a Barrier that breaks if one fails.

Problem
-------
Heat spreads along a ring of cells. In each round every cell becomes the average of
itself and its left neighbour, and each cell has a thread. No thread may begin a round
before all have finished the last one, or it reads numbers that are not there yet. And
if one thread fails, the others must not wait for it for ever.

Solution
--------
Make one `Barrier(number of threads)`. Each thread calls `wait()` at the end of its
round; nobody passes before all have come. A thread that fails calls `abort()`.

How it works
------------
The barrier counts who has come. One thread, in CPython the last to come, runs the
`action` while the others still wait; then all go on. It can be used again at once: a
fast thread that returns for the next round is kept out until all have left the last
one.

No lock guards `rows`: in a round each thread writes its own cell of the new row, and
reads only the old row, which nobody writes any more.

It ends because each thread comes to the barrier equally often, or breaks it.
`abort()`, a time-out of `wait(timeout)`, or an action that raises breaks it: whoever
waits there (even if just let go, but not yet awake) and whoever comes later gets
BrokenBarrierError, until `reset()`.

Pitfalls
--------
`pitfall_worker_leaves_early` gives one thread nothing to do, so it returns before the
barrier. The other waits for a party that never comes. Count only those who will
come, or let the idle one wait too, or call `abort()` on the way out.

`pitfall_gate_stays_open` is made by hand from a counter and an Event. It holds in the
first round. Then the Event stays set: in the second round a fast thread walks through
while the other is still computing. A `clear()` cures nothing, for it may come before the
slow thread has looked (see `threads/event`). Use Barrier.

Cost
----
Each `wait` puts all threads but one to sleep and wakes them again: a tenth of a
millisecond or so for two. A round must be much longer than that, and spend its time
where the GIL is free. The rounds here are neither long nor free of it: a serial loop
wins by far.

See also
--------
`threads/condition` for what a barrier is made of, `threads/event` for a gate that
opens once, `synchronisation/barrier` for processes.
"""

from collections.abc import Callable
from itertools import pairwise
from threading import Barrier, BrokenBarrierError, Event, Lock, Thread

Row = list[float]


def average(left: float, here: float) -> float:
    """Return the mean of two temperatures in kelvin, which cannot be negative."""
    if here < 0:
        raise ValueError(f"a cell has {here} kelvin")
    return (left + here) / 2


def rounds_of_cell(rows: list[Row], cell: int, wait: Callable[[], object]) -> float:
    """Compute `cell` in each row, in step with the others; return the whole ring's last sum."""
    for old, new in pairwise(rows):
        new[cell] = average(old[cell - 1], old[cell])
        wait()
    return sum(rows[-1])


def spread(rows: list[Row], barrier: Barrier) -> list[float | Exception]:
    """Fill all rows from the first, a thread for each cell; return how each thread ended."""
    endings: list[float | Exception] = []

    def worker(cell: int) -> None:
        try:
            endings.append(rounds_of_cell(rows, cell, barrier.wait))
        except Exception as error:
            barrier.abort()  # those who wait for this thread must not wait for ever
            endings.append(error)

    run_all([Thread(target=worker, args=(cell,)) for cell in range(len(rows[0]))])
    return endings


def run_all(threads: list[Thread]) -> None:
    """Start all threads, and wait until all have ended."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(rounds: int = 2) -> None:
    finished: list[str] = []  # the action runs once a round, whoever comes last
    rows = [[200.0, 400.0]] + [[0.0, 0.0] for _ in range(rounds)]
    endings = spread(rows, Barrier(2, action=lambda: finished.append("round")))

    assert rows[1:] == [[300.0, 300.0]] * rounds, rows
    assert endings == [600.0, 600.0], endings
    assert len(finished) == rounds, finished
    print(f"{len(finished)} rounds: {rows[0]} became {rows[-1]}")

    endings = spread([[200.0, -1.0], [0.0, 0.0]], Barrier(2))
    kinds = {type(ending) for ending in endings}
    assert kinds == {ValueError, BrokenBarrierError}, endings
    print("one thread failed with ValueError, the other was let go with BrokenBarrierError")


def pitfall_worker_leaves_early() -> None:
    """A thread with nothing to do returns, and the other waits for it for ever.

    Fails: deadlock
    """
    barrier = Barrier(2)

    def worker(cells: Row) -> None:
        if not cells:
            return
        barrier.wait()

    run_all([Thread(target=worker, args=(cells,)) for cells in ([200.0, 400.0], [])])


def pitfall_gate_stays_open() -> None:
    """A barrier made of a counter and an Event holds once, then lets everybody through.

    Fails: assertion
    """
    lock, gate, arrived = Lock(), Event(), 0
    rows = [[200.0, 400.0], [0.0, 0.0], [0.0, 0.0]]
    sums: list[float] = []

    def wait() -> None:
        nonlocal arrived
        with lock:
            arrived += 1
            if arrived == 2:
                gate.set()
        gate.wait()

    def worker(cell: int) -> None:
        sums.append(rounds_of_cell(rows, cell, wait))

    run_all([Thread(target=worker, args=(cell,)) for cell in range(2)])
    assert sums == [600.0, 600.0], sums


if __name__ == "__main__":
    main()

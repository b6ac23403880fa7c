"""Watch two computing threads take turns, and a napping thread wake late.

Problem
-------
A thread computes, and everything else in the program becomes sluggish. How long
does the interpreter let one thread run before another has its turn?

Solution
--------
Let two threads compute and note the time after each small piece of work: merged by
time, the notes show who ran when. And let a thread take naps of one millisecond
beside a computing one: the time by which it wakes late is how long it waited for its
turn.

How it works
------------
The thread that computes holds the GIL. A thread that wants it waits for
`sys.getswitchinterval()` seconds, by default 0.005, then asks for it. The holder
gives way at the next place where the interpreter looks, such as a function call or
the end of a loop's round. So turns last about that long, and a thread that wakes
from a nap is late by about that long. A call into C that keeps the GIL cannot be
interrupted; then the turn lasts as long as the call.

Each thread keeps its notes in a local list and stores it once, under its own key;
the parent reads after `join()`. Both threads do a fixed amount of work: they end.
Another switch interval is set for the whole process, so `finally` puts the old one
back.

On a free-threaded build no turns are needed: with two cores free the notes of the
two threads alternate all the time, whatever the interval, and the naps are hardly
late.

Pitfalls
--------
`pitfall_interval_as_a_lock` sets an interval of a minute, "so that my threads are
not interrupted". But a thread that waits, for a file, a socket, a nap, lets go of
the GIL at once. Both threads read the old value, both wait, both write: one count
is lost.

Cost
----
A short interval makes a program responsive and costs switches; a long one does the
reverse. Work that computes for long belongs in a process: there it holds nobody up.
For computing alone a serial loop is as fast as the two threads, and needs no switch.

See also
--------
`introduction/cpu_bound` for what the turns cost,
`introduction/concurrency_or_parallelism` for the cores in use,
`threads/racy_increment` for what may happen at a switch.
"""

import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from statistics import median
from threading import Thread
from time import perf_counter, sleep


def run_together(*works: Callable[[], list[float]]) -> list[list[float]]:
    """Run each work in a thread; return the notes of each."""
    notes: dict[int, list[float]] = {}

    def keep_notes(number: int, work: Callable[[], list[float]]) -> None:
        notes[number] = work()

    threads = [Thread(target=keep_notes, args=numbered) for numbered in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [notes[number] for number in range(len(works))]


def compute(pieces: int) -> list[float]:
    """Work on some small pieces; return the time after each."""
    times = []
    for _ in range(pieces):
        sum(range(5_000))
        times.append(perf_counter())
    return times


def nap(naps: int) -> list[float]:
    """Take naps of a millisecond; return by how much each was too long."""
    late = []
    for _ in range(naps):
        started = perf_counter()
        sleep(0.001)
        late.append(perf_counter() - started - 0.001)
    return late


def main(pieces: int = 1, naps: int = 1) -> None:
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print("this interpreter has a GIL" if has_gil else "this interpreter runs without a GIL")
    print(f"a nap alone is {median(nap(naps)) * 1000:.1f} ms late")
    usual_s = sys.getswitchinterval()
    for interval_s in (usual_s, usual_s / 10):
        sys.setswitchinterval(interval_s)
        try:
            first, second = run_together(partial(compute, pieces), partial(compute, pieces))
            _, late = run_together(partial(compute, pieces), partial(nap, naps))
        finally:
            sys.setswitchinterval(usual_s)
        merged = sorted([(at, "first") for at in first] + [(at, "second") for at in second])
        turns = 1 + sum(a[1] != b[1] for a, b in pairwise(merged))
        turn_s = (merged[-1][0] - merged[0][0]) / turns

        assert len(first) == len(second), "a thread lost some of its notes"
        assert turns >= 2, "a thread had no turn"
        print(
            f"interval {interval_s * 1000:.1f} ms: {turns} turns of {turn_s * 1000:.1f} ms on "
            f"average; beside a computing thread a nap is {median(late) * 1000:.1f} ms late"
        )
    assert abs(sys.getswitchinterval() - usual_s) < 2e-6  # kept in whole microseconds


def pitfall_interval_as_a_lock() -> None:
    """A thread that waits gives way at once, however long the interval is.

    Fails: assertion
    """
    usual_s, count = sys.getswitchinterval(), 0

    def add_one() -> None:
        nonlocal count
        seen = count
        sleep(0.01)  # stands for a line written to a slow log
        count = seen + 1

    threads = [Thread(target=add_one) for _ in range(2)]
    sys.setswitchinterval(60)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(usual_s)
    assert count == 2, f"two were counted, the count is {count}"


if __name__ == "__main__":
    # Few naps, so that the thread beside them computes all the while.
    main(pieces=400, naps=3)

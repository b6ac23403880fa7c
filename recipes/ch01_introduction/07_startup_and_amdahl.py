"""Compute from measured figures when two workers pay, and how much many can gain.

Problem
-------
You have work of a known size and a machine with eight cores. Is it worth starting
processes at all? And how much faster can it become, at the very best?

Solution
--------
Measure three things: what starting and joining the workers costs, how long the part
takes that must be done in order, and how long one item of the part that can be
divided takes. The rest is arithmetic.

How it works
------------
*Amdahl's law*: where the share `serial` of the time cannot be divided, k workers
speed the whole up by 1 / (serial + (1 - serial) / k). With a tenth serial no number
of workers gains more than 10 times.

*Break-even*: k workers save (k - 1) / k of the time of every item, and cost their
start-up once. They pay from the first number of items whose saving is greater than
the start-up. `break_even` computes in whole nanoseconds, so its answer is exact,
and both sides of the border are asserted.

The job here reads sources of the standard library (in order), then collects the
words of each (an item). The figures hold if every worker has a core that is free,
and processes compute at full speed at once; a real run gains less. With the GIL,
threads that run Python code never break even: their figure holds for items that
wait.

The workers do nothing and wait for nobody, so `join()` returns and the measurement
ends. The least of two measurements counts: the first may start a helper process as
well (forkserver) or fill caches.

Pitfalls
--------
`pitfall_straight_line` measures 1.8 times with 2 workers, and promises "0.9 for
each worker, so 14.4 with 16". By Amdahl's law a ninth of that job is serial, and 16
workers gain 6 times.

Cost
----
Below the break-even the serial loop wins. That is often: a forked process costs
about as much as a hundred thousand rounds of a small loop, a spawned one more than
ten times that.

See also
--------
`introduction/cpu_bound` for a job above the break-even, `processes/pool_map` to pay
the start-up once, `processes/start_methods` for why it differs between systems.
"""

import os
import re
from collections.abc import Callable
from functools import partial
from multiprocessing import Process
from pathlib import Path
from threading import Thread
from time import perf_counter_ns


def nothing() -> None:
    """Be a worker without work, so that only starting and joining is measured."""


def start_and_join(kind: type[Thread | Process], workers: int) -> None:
    crew = [kind(target=nothing) for _ in range(workers)]
    for worker in crew:
        worker.start()
    for worker in crew:
        worker.join()


def duration_ns(work: Callable[[], object]) -> int:
    """Return how long `work` took, the least of two times, and never 0."""
    times = []
    for _ in range(2):
        started = perf_counter_ns()
        work()
        times.append(perf_counter_ns() - started)
    return max(1, min(times))


def speed_up(serial: float, workers: int) -> float:
    """Return by how much `workers` speed up a job of which the share `serial` is serial."""
    return 1 / (serial + (1 - serial) / workers)


def break_even(startup_ns: int, item_ns: int, workers: int) -> int:
    """Return the least number of items for which starting `workers`, two or more, pays."""
    return startup_ns * workers // (item_ns * (workers - 1)) + 1


def main(workers: int = 2, files: int = 8) -> None:
    paths = sorted(Path(os.__file__).parent.glob("*.py"))[:files]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    reading_ns = duration_ns(lambda: [path.read_text(encoding="utf-8") for path in paths])
    indexing_ns = duration_ns(lambda: [set(re.findall(r"\w+", text)) for text in texts])
    serial, item_ns = reading_ns / (reading_ns + indexing_ns), max(1, indexing_ns // files)
    print(
        f"{files} files: reading them in order took {reading_ns / 1e6:.2f} ms, "
        f"collecting their words, which can be divided, {indexing_ns / 1e6:.2f} ms"
    )

    crews = sorted({1, workers, 8, 1000})
    at_most = [speed_up(serial, crew) for crew in crews]
    assert at_most == sorted(at_most), "a worker more made the job slower"
    assert at_most[-1] <= 1 / serial, "the serial part alone takes longer"
    gains = ", ".join(f"{gain:.2f} with {k}" for k, gain in zip(crews, at_most, strict=True))
    print(f"serial share {serial:.1%}: the speed-up is at most {gains} workers")

    for kind in (Process, Thread):
        startup_ns = duration_ns(partial(start_and_join, kind, workers))
        items = break_even(startup_ns, item_ns, workers)
        saved_ns = item_ns * (workers - 1)  # by `workers` items, in `workers` times the time
        assert items * saved_ns > startup_ns * workers >= (items - 1) * saved_ns
        print(
            f"{workers} x {kind.__name__}: start and join {startup_ns / 1e6:.2f} ms; "
            f"if they compute at the same time, they pay from {items} such files on"
        )


def pitfall_straight_line() -> None:
    """The speed-up with many workers is extrapolated from that with two.

    Fails: assertion
    """
    serial = 1 / 9
    with_two = speed_up(serial, 2)  # 1.8, as measured
    promised = with_two / 2 * 16
    assert promised <= speed_up(serial, 16), f"{promised:.1f} promised"


if __name__ == "__main__":
    main()

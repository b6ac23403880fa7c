"""Tell concurrency from parallelism by the cores that were busy.

Problem
-------
You gave the work to two threads and it became twice as fast; then you did the same
with other work and nothing changed. Were the two ever running at the same instant?

Solution
--------
Measure two times, not one: the wall time and the CPU time that all tasks used
together. CPU time divided by wall time is the number of cores that were busy on
average. More than one: the tasks did compute at the same instant.

How it works
------------
Tasks are *concurrent* when one begins before the other has ended. They are
*parallel* when they compute at the same instant. Two sleeping tasks are concurrent
and use no core. Two loops on threads are concurrent and, with the GIL, use one core
in turns. Two loops on processes may use two.

Each task notes when it arrives, waits at a barrier for the others, works, and notes
when it ended. The barrier opens when the last has arrived, so every arrival comes
before every end: that is the proof of concurrency, asserted on every run. The wall
time counts from the last arrival to the last end, so start-up is not in it.

`thread_time()` counts the CPU time of the calling thread alone, `perf_counter()` is
one clock for the whole machine. The Barrier and the queue of `multiprocessing`
serve threads as well, so one `task` runs on both. Every task waits at one barrier,
then puts one report; the parent takes as many as there are tasks: all end.

Pitfalls
--------
`pitfall_one_core_is_no_lock` reasons: "with the GIL my threads never run in
parallel, so they need no lock". Concurrency is enough to break it. Both threads
read 0; each in turn writes 1. Two were counted, and the total is 1.

Cost
----
Two computing loops on threads gain nothing where there is a GIL: run serially they
take as long. On processes they win if they save more than the processes' start,
which the figures here leave out. On a machine that is busy with other programs all
figures are lower: two processes may get less than one core between them.

See also
--------
`introduction/io_bound` and `introduction/cpu_bound` for what each kind of work
gains, `introduction/gil_switching` for the turns that threads take.
"""

from collections.abc import Callable
from multiprocessing import Barrier, Process, SimpleQueue
from multiprocessing.synchronize import Barrier as BarrierType
from threading import Thread
from time import perf_counter, sleep, thread_time

Report = tuple[float, float, float]  # when a task arrived, when it ended, its CPU seconds


def wait_for_a_service() -> None:
    sleep(0.05)


def compute() -> None:
    for _ in range(150):
        sum(range(8_000))


def task(work: Callable[[], None], start_line: BarrierType, reports: "SimpleQueue[Report]") -> None:
    arrived = perf_counter()
    start_line.wait()
    cpu_before = thread_time()
    work()
    cpu_s = thread_time() - cpu_before
    reports.put((arrived, perf_counter(), cpu_s))


def run_together(
    kind: type[Thread | Process], work: Callable[[], None], tasks: int
) -> list[Report]:
    start_line = Barrier(tasks)
    reports: SimpleQueue[Report] = SimpleQueue()
    workers = [kind(target=task, args=(work, start_line, reports)) for _ in range(tasks)]
    for worker in workers:
        worker.start()
    collected = [reports.get() for _ in workers]
    for worker in workers:
        worker.join()
    reports.close()
    return collected


def main(tasks: int = 2) -> None:
    runs: list[tuple[type[Thread | Process], Callable[[], None]]] = [
        (Process, compute),
        (Thread, compute),
        (Thread, wait_for_a_service),
    ]
    for kind, work in runs:
        reports = run_together(kind, work, tasks)
        last_arrival = max(arrived for arrived, _, _ in reports)
        ends = [ended for _, ended, _ in reports]
        assert last_arrival <= min(ends), "one task ended before another had begun"
        cpu_s = sum(cpu for _, _, cpu in reports)
        wall_s = max(ends) - last_arrival
        busy = cpu_s / wall_s if wall_s else 0.0
        print(
            f"{tasks} x {work.__name__} on {kind.__name__}: wall {wall_s * 1000:.0f} ms, "
            f"CPU {cpu_s * 1000:.0f} ms, {busy:.2f} cores busy"
        )


def pitfall_one_core_is_no_lock() -> None:
    """Two threads that only take turns still lose a count.

    Fails: assertion
    """
    total = 0

    def count_one() -> None:
        nonlocal total
        seen = total
        total = seen + 1  # the other thread's turn may have come since

    threads = [Thread(target=count_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total == 2, f"two were counted, the total is {total}"


if __name__ == "__main__":
    main()

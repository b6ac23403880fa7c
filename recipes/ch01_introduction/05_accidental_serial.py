"""Prove that threads overlap, and find the program that is serial by accident.

Problem
-------
A program starts a thread for each download and is no faster than a loop. It prints
the right answers, so nobody sees that only one download ran at a time.

Solution
--------
In a test, hand the code that starts the threads a piece of work that only concurrent
tasks can finish: each waits at a `Barrier` for all the others. It needs no clock.

How it works
------------
`run_together` first starts every thread, then joins every thread.
`Thread(target=work, args=(item,))` hands over the function and its argument; the
new thread makes the call.

In the proof each task notes "started", waits at the barrier, and notes "ended". The
barrier opens when as many tasks as there are items wait at it, which happens only
if all were started before the first was joined. So every "started" stands in the
list before any "ended". `list.append` is one step, so no note is lost.

All end, because the last to arrive wakes all the others. A serial program would not
end: the first task would wait at the barrier for a second, which has not started.
In a test suite write `Barrier(tasks, timeout=10)`: then it fails, with
BrokenBarrierError, and does not hang.

Pitfalls
--------
`pitfall_eager_call` writes `target=work()`. The *main* thread makes the call,
before the Thread object is built, and the thread is given what came back: None. It
starts, does nothing and ends. With the barrier, the main thread waits for another
task, which nobody but itself could start.

`pitfall_join_in_the_start_loop` starts one thread and waits for its end before it
starts the next.

`pitfall_run_for_start` calls `run()`, which does the work in the calling thread.
Only `start()` begins a thread.

Each gives right answers, serially, wherever the tasks do not need each other. Here
each hangs, so try them where you can stop them.

Cost
----
The barrier belongs in the test. In the program it would make the fast tasks wait for
the slow ones. If the test passes and the threads still bring no gain, their work
computes, and a serial loop is as fast: see `introduction/cpu_bound`.

See also
--------
`threads/start` for creating threads, `threads/barrier` for what a barrier is for,
`introduction/concurrency_or_parallelism` for the same proof with processes.
"""

from collections.abc import Callable, Iterable
from threading import Barrier, Thread


def run_together(work: Callable[[int], None], items: Iterable[int]) -> None:
    """Run `work(item)` for each item in a thread of its own; wait until all have ended."""
    threads = [Thread(target=work, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:  # a loop of its own: by now all have started
        thread.join()


def main(tasks: int = 2) -> None:
    all_are_here = Barrier(tasks)
    notes: list[str] = []

    def work(item: int) -> None:
        notes.append(f"task {item} started")
        all_are_here.wait()
        notes.append(f"task {item} ended")

    run_together(work, range(tasks))

    assert len(notes) == 2 * tasks, notes
    assert all(note.endswith("started") for note in notes[:tasks]), notes
    print(*notes, sep="\n")
    print(f"all {tasks} tasks were under way before one of them ended")


def pitfall_eager_call() -> None:
    """The main thread calls the target itself, and waits for a thread that it has yet to start.

    Fails: deadlock
    """
    all_are_here = Barrier(2)

    def work() -> None:
        all_are_here.wait()

    threads = [
        Thread(target=work())  # type: ignore[func-returns-value]  # mypy sees the bug
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def pitfall_join_in_the_start_loop() -> None:
    """The first thread waits for a second, which starts only when the first has ended.

    Fails: deadlock
    """
    all_are_here = Barrier(2)
    for _ in range(2):
        thread = Thread(target=all_are_here.wait)
        thread.start()
        thread.join()


def pitfall_run_for_start() -> None:
    """The method `run` does the work in the calling thread.

    Fails: deadlock
    """
    all_are_here = Barrier(2)
    threads = [Thread(target=all_are_here.wait) for _ in range(2)]
    for thread in threads:
        thread.run()


if __name__ == "__main__":
    main()

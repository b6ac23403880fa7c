"""Feed worker threads through a Queue that cannot overflow, and stop every one.

Problem
-------
A program must count the lines of many files. One thread finds the files, others read
them. The finder must not run far ahead, one unreadable file must not stop the rest,
and in the end every thread must stop.

Solution
--------
Put the files into a `Queue(maxsize)`. A worker takes one at a time, catches whatever
the work raises, and calls `task_done()` in `finally`. `join()` waits until all the
work is done. Then put one `None` for each worker: a sentinel that says "no more".

How it works
------------
The queue has its own lock; the program needs no other. `get` waits while the queue is
empty, `put` while it is full: that is back-pressure, and keeps the finder in step
with the workers. The queue counts what was put and not yet reported by `task_done()`;
`join()` waits for that count to reach zero.

It ends because workers outlive their jobs (they catch `Exception`), every job is
reported once, and each worker takes one sentinel and no more.

Since Python 3.13 `jobs.shutdown()` can stand for the sentinels: `get` hands out what
is left and then raises `queue.ShutDown`, in every worker. Here it is only called when
they have ended: a late `put` then raises, and does not fill a queue that nobody reads.

Pitfalls
--------
`pitfall_empty_then_get` asks `empty()` and then calls `get()`. Two workers see the
one job that is left; one takes it, the other waits for ever. A worker that starts
before the first job is put ends at once, without doing anything. What `empty()` says
may be out of date when you read it.

`pitfall_one_sentinel` puts one sentinel for two workers. One takes it and ends; the
other waits for a job that never comes.

`pitfall_forgotten_task_done` reports the job after the work, not in `finally`. The
work raises, the report is skipped, and `join()` waits for ever.

Cost
----
An item costs some microseconds to put and take, and much more when a thread has to be
woken for it. Give a worker a file at a time, not a line at a time. Small files that
the system holds in memory are read faster by a serial loop; measure with yours.

See also
--------
`threads/thread_pool`: such workers, ready made. `threads/condition` for what is
inside a Queue. `messages/joinable_queue` for processes, `messages/pipeline` for
several stages.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from queue import Queue
from threading import Thread

WORKERS = 2
Outcome = tuple[Path, int | Exception]
LIBRARY = Path(os.__file__).parent


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def work(jobs: Queue[Path | None], outcomes: list[Outcome]) -> None:
    """Count the lines of the files that come out of `jobs`, until a None comes."""
    while (path := jobs.get()) is not None:
        try:
            outcomes.append((path, count_lines(path)))
        except Exception as error:
            outcomes.append((path, error))  # the worker lives on for the next file
        finally:
            jobs.task_done()


def files(names: Iterable[str]) -> list[Path]:
    """Return the files of these names; a folder stands for all the files in it and below it."""
    paths = [Path(name) for name in names]
    inside = (found for path in paths for found in sorted(path.rglob("*")) if found.is_file())
    return [*(path for path in paths if not path.is_dir()), *inside]


def main(*names: str) -> None:
    paths = files(names) if names else [LIBRARY / "keyword.py", LIBRARY / "no_such_file.py"]
    jobs: Queue[Path | None] = Queue(maxsize=1)
    outcomes: list[Outcome] = []
    workers = [Thread(target=work, args=(jobs, outcomes)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for path in paths:
        jobs.put(path)  # waits while the workers are behind
    jobs.join()
    done = [path for path, _ in outcomes]  # all the work is done, the workers wait for more

    for _ in workers:
        jobs.put(None)
    for worker in workers:
        worker.join()
    assert sorted(done) == sorted(paths), done  # nothing is lost, nothing done twice
    assert jobs.empty()  # nobody puts or takes any more: now the answer can be trusted
    if sys.version_info >= (3, 13):
        jobs.shutdown()

    for path, outcome in sorted(outcomes, key=lambda pair: pair[0]):
        found = f"{outcome} lines" if isinstance(outcome, int) else type(outcome).__name__
        print(f"{path.name}: {found}")


def pitfall_empty_then_get() -> None:
    """Two workers see one job; the slower one waits for ever.

    Fails: deadlock
    """
    jobs: Queue[str] = Queue()
    jobs.put("the only job")

    def worker() -> None:
        while not jobs.empty():
            jobs.get()

    workers = [Thread(target=worker) for _ in range(2)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()


def pitfall_one_sentinel() -> None:
    """Two workers, one sentinel: one of them never ends.

    Fails: deadlock
    """
    jobs: Queue[Path | None] = Queue()
    workers = [Thread(target=work, args=(jobs, [])) for _ in range(2)]
    for worker in workers:
        worker.start()
    jobs.put(None)
    for worker in workers:
        worker.join()


def pitfall_forgotten_task_done() -> None:
    """The work raises, `task_done()` is skipped, and `join()` waits for ever.

    Fails: deadlock
    """
    jobs: Queue[Path] = Queue()

    def worker() -> None:
        try:
            count_lines(jobs.get())
            jobs.task_done()
        except OSError as error:
            print(f"cannot read it: {error.strerror}")

    Thread(target=worker).start()
    jobs.put(LIBRARY / "no_such_file.py")
    jobs.join()


if __name__ == "__main__":
    main(*sys.argv[1:])

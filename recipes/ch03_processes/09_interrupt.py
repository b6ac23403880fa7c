"""Stop a pool with Ctrl-C, cleanly: no tracebacks, no process left.

Problem
-------
A pool has been computing for an hour, and you press Ctrl-C. Each worker prints a
traceback, the prompt does not come back, and `ps` still shows Python processes.

Solution
--------
Let the workers ignore SIGINT; only the parent decides. Close the pool when all is
well, `terminate` it when anything else comes, and `join` it in any case.

How it works
------------
On Ctrl-C the terminal sends SIGINT to every process in the foreground. The workers
ignore it from the moment when `set_up` has run. In the parent it becomes the exception
KeyboardInterrupt, raised where the main thread happens to be. `except BaseException`
catches that too, ends the workers with SIGTERM, and raises it again for the caller.

`pool.join` waits until every worker has been reaped. It ends, because SIGTERM ends a
worker in the middle of its task. The exit code proves it: -15, which is SIGTERM.

This program presses Ctrl-C itself: each task says through the semaphore `running`
that it has begun, the parent waits for as many as there are workers, then sends SIGINT
to all of them and to itself. No task ends on its own.

Pitfalls
--------
`pitfall_graceful_close` means well: on Ctrl-C it closes the pool and joins it, so that
the tasks may end. But its workers got SIGINT as well. KeyboardInterrupt is no
`Exception`, so it ends the worker and not only the task. The result of that task never
comes, and `join` waits for it for ever, while the pool starts new workers.

A worker that is interrupted before its initializer has run still prints a traceback.
Where that matters, ignore SIGINT in the parent while it makes the pool, and restore
the handler after. Under fork and spawn a child ignores from its birth what its parent
ignores at that moment; under forkserver, what the parent ignored as the server started.

Cost
----
Nothing while the program runs. A serial loop needs none of this: there is one process,
and Ctrl-C ends it.

See also
--------
`processes/terminate` for terminating one process, `processes/dead_worker` for workers
that die on their own, `threads/shutdown` for stopping threads.
"""

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import Pool, Semaphore, active_children
from multiprocessing.synchronize import Semaphore as SemaphoreType

running: SemaphoreType
"""Released by each task as it begins. Set in the workers."""


def set_up(semaphore: SemaphoreType, handler: signal.Handlers) -> None:
    global running
    running = semaphore
    signal.signal(signal.SIGINT, handler)


def work_for_ever(_task: int) -> None:
    running.release()
    threading.Event().wait()  # nobody sets it: this stands for hours of work


def map_or_stop(
    tasks: list[int], workers: int, started: SemaphoreType, meanwhile: Callable[[], None]
) -> None:
    """Run the tasks in a pool, `meanwhile` beside it; leave no worker, come what may."""
    pool = Pool(workers, initializer=set_up, initargs=(started, signal.SIG_IGN))
    try:
        results = pool.map_async(work_for_ever, tasks, chunksize=1)
        meanwhile()
        results.get()
        pool.close()
    except BaseException:
        pool.terminate()
        raise
    finally:
        pool.join()


def press_control_c() -> None:
    """Send SIGINT to all processes of the program, as the terminal does."""
    for worker in active_children():
        if worker.pid is not None:
            os.kill(worker.pid, signal.SIGINT)
    signal.raise_signal(signal.SIGINT)


def main(workers: int = 2) -> None:
    started = Semaphore(0)
    children = []

    def interrupt_when_all_work() -> None:
        for _ in range(workers):
            started.acquire()
        children.extend(active_children())
        press_control_c()

    # A shell that starts a program in the background makes it ignore Ctrl-C; this one must not.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        map_or_stop(list(range(workers)), workers, started, interrupt_when_all_work)
    except KeyboardInterrupt:
        exit_codes = [child.exitcode for child in children]
        assert exit_codes == [-signal.SIGTERM] * workers, exit_codes
        print(f"interrupted; the exit codes of the workers are {exit_codes}")
    else:
        raise AssertionError("no KeyboardInterrupt came")
    finally:
        signal.signal(signal.SIGINT, handler)


def pitfall_graceful_close() -> None:
    """Interrupted workers die with their tasks, and `join` waits for the results.

    Fails: deadlock
    """
    started = Semaphore(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Pool(1, initializer=set_up, initargs=(started, signal.default_int_handler)) as pool:
        try:
            results = pool.map_async(work_for_ever, [0])
            started.acquire()
            press_control_c()
            results.get()
        except KeyboardInterrupt:
            pool.close()
            pool.join()


if __name__ == "__main__":
    main()

"""Wait until every task of a JoinableQueue is done, also those that fail.

Problem
-------
The main program hands out tasks to a few long-lived workers. Before it goes on it must
know that every task has been *finished*: not put, not taken, finished. One bad task
must not stop the rest, and the workers, idle afterwards, must not keep the program
alive.

Solution
--------
Put the tasks into a `JoinableQueue`. A worker calls `task_done()` for each item that it
got, in `finally`. The main flow calls `tasks.join()`. The workers are daemons.

How it works
------------
The queue keeps a count in shared memory: `put` adds one, `task_done` takes one off, and
`join()` waits for zero. The queue's own condition guards the count. Since `put` counts
at once, before the item is in the pipe, a `join()` after the puts cannot miss one.

Each worker writes its result into its task's slot of `numbers` *before* `task_done()`.
So when `join()` returns every slot is final, and the main flow may read them all. (A
result put into a second Queue would not be there yet for certain: its feeder thread may
be behind.)

It ends because `finally` makes sure of one `task_done` per `get`, whether the task
works or raises. The workers then wait in `get` for tasks that never come. The main flow
stops them: nobody needs the queue any more, so a forced end breaks nothing. As daemons
they would be stopped at the main program's end in any case.

Pitfalls
--------
`pitfall_skipped_task_done` has no `finally`: a bad task makes the worker `continue`
past `task_done()`. The worker is well and takes the next task, but the count stays at
one, and `join()` waits for ever.

A `task_done` too many raises `ValueError`. `tasks.join()` waits for tasks, not for
workers: a worker that is killed in the middle of a task leaves the count up, and
`join()` has no time-out. Nor may a worker be killed in the middle of `get` or `put` if
the queue is still needed: it may hold the queue's lock.

Cost
----
Beside the queue's own cost, each task costs two passes through a lock that all workers
share. If you collect a result for each task anyway, count the results: a plain `Queue`
will do.

See also
--------
`messages/producer_consumer` for workers that end by themselves, `messages/queue_drain`
for the feeder thread, `processes/value_array` for `Array`, `processes/terminate` for
forced ends.
"""

from multiprocessing import Array, JoinableQueue, Process, queues, sharedctypes

FAILED = -1


def work(
    tasks: "queues.JoinableQueue[tuple[int, str]]", numbers: "sharedctypes.SynchronizedArray[int]"
) -> None:
    """Turn texts into numbers, for ever; mark those that are none as FAILED."""
    while True:
        slot, text = tasks.get()
        try:
            numbers[slot] = int(text)
        except ValueError:
            numbers[slot] = FAILED
        finally:
            tasks.task_done()  # whatever happened: this task is over


def main(texts: tuple[str, ...] = ("12", "twelve"), workers: int = 2) -> None:
    tasks: queues.JoinableQueue[tuple[int, str]] = JoinableQueue()
    numbers = Array("i", len(texts))
    processes = [Process(target=work, args=(tasks, numbers), daemon=True) for _ in range(workers)]
    for process in processes:
        process.start()
    try:
        for task in enumerate(texts):
            tasks.put(task)
        tasks.join()
        results = numbers[:]
    finally:
        for process in processes:
            process.terminate()
            process.join()
        tasks.close()
        tasks.join_thread()

    assert results == [int(text) if text.isdigit() else FAILED for text in texts], results
    failures = results.count(FAILED)
    print(f"{len(texts)} tasks are done, {failures} of them failed (marked {FAILED}): {results}")


def work_and_skip(tasks: "queues.JoinableQueue[str]") -> None:
    """Turn texts into numbers, and forget `task_done` for those that are none."""
    while True:
        text = tasks.get()
        try:
            int(text)
        except ValueError:
            continue
        tasks.task_done()


def pitfall_skipped_task_done() -> None:
    """A bad task is skipped, its `task_done` too, and `join` waits for it for ever.

    Fails: deadlock
    """
    tasks: queues.JoinableQueue[str] = JoinableQueue()
    Process(target=work_and_skip, args=(tasks,), daemon=True).start()
    tasks.put("twelve")
    tasks.join()


if __name__ == "__main__":
    main()

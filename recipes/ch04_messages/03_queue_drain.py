"""Read a Queue until it is empty before you join the process that fills it.

Problem
-------
Worker processes compute large results and put them into a `Queue`. The main program
waits for the workers with `join()` and then reads the results. On the small example it
works; with the first real result the program stops for ever, in `join()`.

Solution
--------
Receive first, join then: `get()` as many results as you expect, and join the workers
after that. If the number is not known, let each worker put an end marker as its last
item.

How it works
------------
`put` does not write to the pipe. It appends the object to a buffer in this process, and
a *feeder thread*, started by the first `put`, pickles it and writes it into the pipe.
So `put` returns at once, even if the pipe is full, and nobody knows when an item is on
its way.

A process that ends waits for its feeder thread first, or items would be lost. The
feeder waits for room in the pipe, and room comes from a `get()` elsewhere. Here the
main flow gets every result before it joins, so each feeder finds room, each worker
ends, and `join()` returns.

Three methods rule this end of life. `close()` says that this process will put no more
(and get no more). `join_thread()`, only after `close()`, waits until the feeder has
written everything. A process does both by itself when it ends, with an exception or
without. `cancel_join_thread()` tells the process not to wait at its end: what the feeder
has not written yet is lost. Call it only where losing items is right.

The pickling in the background has two more effects. An object that cannot be pickled
makes no exception in `put`: the feeder prints a traceback, and the item is gone. And a
list that you change after `put` may travel changed: put a copy, or let go of it.

Pitfalls
--------
`pitfall_join_before_get` joins first. The worker's feeder fills the pipe and waits for
a `get`; the worker waits for its feeder; the main flow waits for the worker, in front
of its own `get`. A result that fits into the pipe (64 KiB on Linux) hides the fault.

This recipe waits for as many results as there are workers. A worker that is killed
sends none, and a Queue has no end-of-file, because every process holds both of
its ends. Where a worker may die, see `messages/select_connections`.

Cost
----
An item costs a pickle, a hand-over to the feeder thread, a lock, and two copies through
the kernel. For large results that only one process needs, a return value of
`processes/pool_map` is as cheap and has no such trap; for arrays see
`processes/shared_block`.

See also
--------
`messages/full_pipe` for the same deadlock without a Queue, `messages/producer_consumer`
for end markers, `messages/joinable_queue` for waiting until all is done.
"""

from multiprocessing import Process, Queue, queues

LARGE = 1_000_000  # bytes: more than any default pipe holds


def work(number: int, results: "queues.Queue[tuple[int, bytes]]", size: int) -> None:
    """Put one large result."""
    results.put((number, bytes([number]) * size))


def main(workers: int = 2, size: int = LARGE) -> None:
    results: queues.Queue[tuple[int, bytes]] = Queue()
    # Daemons: should this main flow fail, nobody waits for a worker that waits for a get().
    processes = [
        Process(target=work, args=(number, results, size), daemon=True) for number in range(workers)
    ]
    for process in processes:
        process.start()

    received = dict(results.get() for _ in processes)  # first get ...
    for process in processes:
        process.join()  # ... then join
    results.close()
    results.join_thread()

    assert received == {number: bytes([number]) * size for number in range(workers)}
    assert all(process.exitcode == 0 for process in processes)
    total = sum(map(len, received.values()))
    print(f"{workers} workers sent {total:,} bytes; all received, all workers ended")


def pitfall_join_before_get() -> None:
    """The worker cannot end before its result is in the pipe, and the pipe is too small.

    Fails: deadlock
    """
    results: queues.Queue[tuple[int, bytes]] = Queue()
    process = Process(target=work, args=(1, results, LARGE), daemon=True)
    process.start()
    process.join()
    assert results.get() == (1, bytes([1]) * LARGE)


if __name__ == "__main__":
    main()

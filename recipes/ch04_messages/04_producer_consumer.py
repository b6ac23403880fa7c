"""Spread work from producers over consumers, and stop every consumer at the end.

Problem
-------
Some processes find work (files, rows, URLs), others do it. The finders are faster, so
the unfinished work must not pile up in memory. And the consumers must know when to
stop: no item may be lost, and no consumer may wait for an item that will never come.

Solution
--------
A `Queue(maxsize=...)` between them: a `put` into a full queue waits. When all producers
have ended, put one end marker (None) for each consumer. A consumer stops at the first
marker that it gets.

How it works
------------
`maxsize` counts the items that have been put and not yet got, wherever they are: in the
buffer of a process or in the pipe. A producer that is ahead waits in `put` until a
consumer gets.

The main flow joins the producers *before* it puts the markers. A process ends only
after its feeder thread has written all its items into the pipe, so every item is in the
pipe before the first marker, and a marker can overtake none.

Each consumer takes just one marker and gets nothing after it, so as many markers as
consumers stop them all. The consumers pass a marker on, into `results`, as their last
message. The main flow reads `results` until it has seen one from each: then it has all
results, and can join. It never joins a consumer before its results are read (see
`messages/queue_drain`).

Nobody waits in a circle: `results` has no bound, so a consumer never waits for the main
flow; therefore a producer's `put` always finds room in the end.

Pitfalls
--------
`pitfall_stop_when_empty` lets the consumer stop when `empty()` says so. The consumer
starts, looks before the producer's first item is in the pipe, finds nothing and goes
home; the items that come later are lost. "Empty now" does not mean "finished". With two
consumers it is worse: both see one item, one gets it, the other waits in `get` for
ever.

`pitfall_one_marker_for_two` puts a single marker. One consumer takes it and stops; the
other waits for ever, and with it whoever joins it.

A consumer that raises in `square` would end without a marker, and the main flow would
wait for it. Where the work can fail, catch it per item and send the exception as a
result.

Cost
----
Each item goes through two queues: two pickles, two feeder threads, several context
switches. Measured on a busy machine with two cores: 50 to 110 microseconds for an item
without any work. Work that takes less is faster in a serial loop; send chunks of items,
or use `processes/pool_map`, which does.

See also
--------
`messages/joinable_queue` to wait until the work is done, `messages/pipeline` for
several stages, `threads/work_queue` for the same with threads.
"""

from multiprocessing import Process, Queue, queues


def produce(first: int, count: int, tasks: "queues.Queue[int | None]") -> None:
    """Put the numbers from `first` on; wait whenever the queue is full."""
    for number in range(first, first + count):
        tasks.put(number)


def consume(
    tasks: "queues.Queue[int | None]", results: "queues.Queue[tuple[int, int] | None]"
) -> None:
    """Work until the first end marker, and pass it on."""
    while (number := tasks.get()) is not None:
        results.put((number, number**2))
    results.put(None)


def main(producers: int = 1, consumers: int = 2, items: int = 2) -> None:
    """Let each of `producers` produce `items` numbers, and `consumers` square them all."""
    tasks: queues.Queue[int | None] = Queue(maxsize=1)
    results: queues.Queue[tuple[int, int] | None] = Queue()
    # Daemons: should this main flow fail, nobody waits for processes that wait for it.
    producing = [
        Process(target=produce, args=(n * items, items, tasks), daemon=True)
        for n in range(producers)
    ]
    consuming = [
        Process(target=consume, args=(tasks, results), daemon=True) for _ in range(consumers)
    ]
    for process in producing + consuming:
        process.start()

    for process in producing:
        process.join()  # now every item is in the pipe
    for _ in consuming:
        tasks.put(None)  # one end marker for each consumer
    squares = [pair for _ in consuming for pair in iter(results.get, None)]
    for process in consuming:
        process.join()
    tasks.close()
    tasks.join_thread()

    assert sorted(squares) == [(n, n**2) for n in range(producers * items)], squares
    assert all(process.exitcode == 0 for process in producing + consuming)
    print(f"{producers} producer(s), {consumers} consumers: {len(squares)} items, none lost")


def consume_until_empty(tasks: "queues.Queue[int]", results: "queues.Queue[list[int]]") -> None:
    """Work until the queue looks empty: the bug."""
    done = []
    while not tasks.empty():
        done.append(tasks.get())
    results.put(done)


def pitfall_stop_when_empty() -> None:
    """The consumer looks before the first item has arrived, and goes home.

    Fails: assertion
    """
    tasks: queues.Queue[int | None] = Queue()
    results: queues.Queue[list[int]] = Queue()
    consumer = Process(target=consume_until_empty, args=(tasks, results))
    consumer.start()
    produce(0, 2, tasks)
    done = results.get()
    consumer.join()
    assert done == [0, 1], f"of 2 items, {len(done)} were consumed"


def pitfall_one_marker_for_two() -> None:
    """One consumer takes the only end marker; the other waits for ever.

    Fails: deadlock
    """
    tasks: queues.Queue[int | None] = Queue()
    results: queues.Queue[tuple[int, int] | None] = Queue()
    consumers = [Process(target=consume, args=(tasks, results), daemon=True) for _ in range(2)]
    for consumer in consumers:
        consumer.start()
    tasks.put(None)
    for consumer in consumers:
        consumer.join()


if __name__ == "__main__":
    main()

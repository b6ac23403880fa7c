"""Give a pool many tiny tasks in chunks, and measure which size pays.

Problem
-------
A function takes a microsecond and there are thousands of inputs. You hand them to
a `Pool`, and the program becomes slower than the loop that it replaced.

Solution
--------
Send the inputs in chunks. A chunk should be a few milliseconds of work or more, and
there should be several for each worker, so that all end at about the same time.
Pass `chunksize`, above all to `imap` and `imap_unordered`: their default is 1.
Measure the serial loop beside it.

How it works
------------
A chunk is one message: a tuple of inputs, pickled once, computed by one worker, and
answered by one message. `map` with no `chunksize` makes about four chunks for each
worker: it divides the number of inputs by `4 * workers` and rounds up. For that it
needs their number, so it reads an iterator to its end before it sends anything.
`imap` reads as it goes, and yields the results in order, while the later ones are
still being computed.

The parent waits for results, workers wait for chunks. The pool's threads keep both
pipes moving, and the results do not depend on the chunk size.

Run as a program, this file takes the number of tasks as its argument, 600 if there is
none, and prints what each way took on your machine, in this run. (The defaults of
`main` are smaller: few enough for a check of every interleaving.)

Pitfalls
--------
There is no wrong result to fear, only a slow one. One chunk for each worker is
wrong in the other way: if one chunk happens to hold all the slow inputs, one worker
computes while the others are idle.

Consume what `imap` yields as it comes. The pool reads the input as fast as its workers
take it, whether anybody takes the results or not: they pile up in the parent's memory.

Cost
----
What a chunk costs beside its work, this program measures: with chunks of 1 it is
nearly all of the time. For a function as small as this the serial loop wins at every
chunk size: pickling an input costs as much as computing it.

See also
--------
`processes/pool_map` for the methods of a pool, `introduction/startup_and_amdahl` for
what the start costs, `introduction/choose_by_measurement` for measuring well.
"""

import sys
from collections.abc import Callable, Iterable
from multiprocessing import Pool
from time import perf_counter


def square(n: int) -> int:
    return n * n


def timed(compute: Callable[[], Iterable[int]]) -> tuple[list[int], float]:
    """Return the results as a list, and the seconds until the last one was there."""
    start = perf_counter()
    results = list(compute())
    return results, perf_counter() - start


def main(tasks: int = 2, workers: int = 1) -> None:
    inputs = range(tasks)
    large = max(1, tasks // workers)  # one chunk for each worker
    with Pool(workers) as pool:
        pool.map(square, [0])  # the start of the workers is not what is measured
        ways: dict[str, Callable[[], Iterable[int]]] = {
            "map, chunks of 1": lambda: pool.map(square, inputs, chunksize=1),
            "map, chunks as it likes": lambda: pool.map(square, inputs),
            f"map, chunks of {large}": lambda: pool.map(square, inputs, chunksize=large),
            "imap, chunks of 1": lambda: pool.imap(square, inputs),
            f"imap, chunks of {large}": lambda: pool.imap(square, inputs, chunksize=large),
        }
        expected, loop_s = timed(lambda: map(square, inputs))
        loop_s = max(loop_s, 1e-9)  # not 0, however coarse the clock
        print(f"{tasks} tasks, {workers} workers; the serial loop took {1000 * loop_s:.3f} ms")
        for name, way in ways.items():
            results, seconds = timed(way)
            assert results == expected, (name, results)
            factor = seconds / loop_s
            print(f"{name}: {1000 * seconds:.2f} ms, {factor:.0f} times as long as the loop")


if __name__ == "__main__":
    if not all(argument.isdecimal() for argument in sys.argv[1:]):
        sys.exit("usage: 06_chunk_sizes.py [HOW_MANY_TASKS]")
    main(int(sys.argv[1]) if sys.argv[1:] else 600, workers=2)

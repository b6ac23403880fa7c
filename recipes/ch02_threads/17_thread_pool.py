"""Run many jobs in a few threads with ThreadPoolExecutor, and see every failure.

Problem
-------
A thousand files are to be read. A thread for each is too many; workers with a queue
of their own are forty lines. A pool is three, but now some files are missing from the
result, and nothing was printed.

Solution
--------
`ThreadPoolExecutor(max_workers=N)` as a `with` block. `map` where all jobs should
succeed, `submit` where each may fail by itself. Ask every future for its `result()`,
or its `exception()`.

How it works
------------
`submit` puts the job into a queue and returns a `Future`, a place for the outcome. A
worker thread, at most N of them, takes the job, runs it, and stores what it returned
or raised. `result()` waits for the outcome, then returns it or raises it, *here*.
`map` submits all at once and yields the results in the order of the arguments, not as
they come; it raises a job's exception when its turn has come, and cancels what has
not begun by then.

No lock is needed: jobs share nothing, outcomes come back through futures. Leaving the
`with` block waits until all the jobs are done, so it ends if each job does.

Pitfalls
--------
`pitfall_unasked_result` submits jobs that store what they find and never asks for a
result. One raises; its future keeps the exception, and no one looks. The program goes
on with a file too few. A `map` whose results are not read hides them as well.

`pitfall_waits_for_own_pool` submits a job that submits another to the same pool and
waits for it. The pool has one worker, and that one waits; the inner job waits in the
queue for a worker. With N workers it takes N such jobs at once, so it shows under
load. Return the inner work instead, or give it a pool of its own.

Cost
----
A job through the pool costs some tens of microseconds: a loop of small jobs runs
faster without a pool. The pool gains where jobs wait
(network, disk) or run code that releases the GIL. For Python code that computes, use
processes.

See also
--------
`threads/work_queue` for what is inside, `threads/exceptions` for threads without a
pool, `introduction/choose_by_measurement` to find out which pool pays,
`processes/pool_map`.
"""

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LIBRARY = Path(os.__file__).parent
DEFAULTS = (LIBRARY / "keyword.py", LIBRARY / "no_such_file.py")


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def longest_line(path: Path) -> int:
    return max(map(len, path.read_bytes().splitlines()), default=0)


def count_all(paths: list[Path], workers: int) -> tuple[dict[Path, int], dict[Path, OSError]]:
    """Count the lines of each file; return the counts and, apart from them, the failures."""
    counts: dict[Path, int] = {}
    failures: dict[Path, OSError] = {}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = {path: pool.submit(count_lines, path) for path in paths}
        for path, future in futures.items():
            try:
                counts[path] = future.result()
            except OSError as error:
                failures[path] = error
    return counts, failures


def files(names: Iterable[str]) -> list[Path]:
    """Return the files of these names; a folder stands for all the files in it and below it."""
    paths = [Path(name) for name in names]
    inside = (found for path in paths for found in sorted(path.rglob("*")) if found.is_file())
    return [*(path for path in paths if not path.is_dir()), *inside]


def main(*names: str) -> None:
    paths = files(names) if names else list(DEFAULTS)
    counts, failures = count_all(paths, workers=2)

    assert counts.keys() | failures.keys() == set(paths)  # nothing is lost in silence
    assert not counts.keys() & failures.keys()
    for path, error in failures.items():
        print(f"{path.name}: {type(error).__name__}")

    with ThreadPoolExecutor(max_workers=2) as pool:  # these can all be read: map will do
        longest = list(pool.map(longest_line, counts))
    assert len(longest) == len(counts), longest
    for (path, lines), width in zip(counts.items(), longest, strict=True):  # the order is kept
        print(f"{path.name}: {lines} lines, the longest has {width} bytes")


def pitfall_unasked_result() -> None:
    """A job raises, nobody asks for its result, and a file is missing.

    Fails: assertion
    """
    counts: dict[Path, int] = {}

    def store(path: Path) -> None:
        counts[path] = count_lines(path)

    with ThreadPoolExecutor(max_workers=2) as pool:
        for path in DEFAULTS:
            pool.submit(store, path)
    assert len(counts) == len(DEFAULTS), f"{len(counts)} of {len(DEFAULTS)} files counted"


def pitfall_waits_for_own_pool() -> None:
    """A job waits for another job of the same pool, which has no worker left for it.

    Fails: deadlock
    """
    with ThreadPoolExecutor(max_workers=1) as pool:

        def outer() -> int:
            return pool.submit(count_lines, DEFAULTS[0]).result()

        pool.submit(outer).result()


if __name__ == "__main__":
    main(*sys.argv[1:])

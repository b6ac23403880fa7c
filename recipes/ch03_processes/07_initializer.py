"""Set up each worker of a pool once: load what is heavy, hand over a lock.

Problem
-------
Each task needs a large table that takes seconds to load, and a lock to write to
one shared place. Loading the table in each task is slow, sending it along with each
is no better, and a lock cannot be sent to a pool at all.

Solution
--------
Give the pool an `initializer`, with its arguments as `initargs`. Each worker calls
it once, before its first task. It stores what the tasks need in module globals of
the worker. Locks and Values are allowed here, because a worker gets its `initargs` as
it is started.

How it works
------------
`set_up` runs in the worker, so its globals are the worker's. Nobody else sees them,
and within a worker one task runs at a time: `keywords` needs no lock.

`loads` is shared by all the workers and by the parent. `lock` guards it. A worker
holds it for one addition and waits for nothing meanwhile. The parent reads `loads`
after `join`, when every worker has ended, and each one ran its initializer before it
ended, even a worker that never got a task.

Pitfalls
--------
`pitfall_lock_as_argument` sends the lock along with the task. Tasks go to workers
that already run, through a pipe, and a pickle cannot carry a lock there: `map` raises
"RuntimeError: Lock objects should only be shared between processes through
inheritance".

`pitfall_set_up_in_parent` calls the initializer in the parent and counts on the
workers to inherit the globals. Spawned workers import the module afresh and have none.

An initializer that raises is another: `Pool` replaces the dead worker by a new one,
whose initializer raises too, and so on for ever, while `map` waits.
`ProcessPoolExecutor` takes an initializer as well, and raises BrokenProcessPool.

Cost
----
The initializer runs once for each worker, at the same time, and each worker has a
table of its own in memory. A serial loop loads it once. Where the load takes longer
than all the tasks, the loop wins.

See also
--------
`processes/pool_map` for the pool, `processes/start_methods` for what a worker inherits,
`processes/shared_block` for one table in the memory of all.
"""

import os
import re
from ctypes import c_int
from multiprocessing import Lock, Pool, RawValue, get_context
from multiprocessing.synchronize import Lock as LockType
from pathlib import Path

KEYWORD_MODULE = Path(os.__file__).parent / "keyword.py"

keywords: frozenset[str] = frozenset()
"""What `set_up` has loaded; empty in a process that has not called it."""


def load_keywords(path: Path) -> frozenset[str]:
    """Return the quoted words of a source file. Stands for a load that takes seconds."""
    return frozenset(re.findall(r"'(\w+)',", path.read_text(encoding="utf-8")))


def set_up(path: Path, lock: LockType, loads: c_int) -> None:
    """Load the table of this worker, and count that one more worker did."""
    global keywords
    keywords = load_keywords(path)
    with lock:
        loads.value += 1


def count_keywords(line: str) -> int:
    return sum(word in keywords for word in line.split())


def main(workers: int = 2) -> None:
    lines = ["for x in y", "if not x", "x + y"]
    lock, loads = Lock(), RawValue("i", 0)

    with Pool(workers, initializer=set_up, initargs=(KEYWORD_MODULE, lock, loads)) as pool:
        counts = pool.map(count_keywords, lines, chunksize=2)
        pool.close()
        pool.join()

    assert counts == [2, 2, 0], counts
    assert loads.value == workers, loads.value
    assert not keywords, "the parent has loaded nothing"
    print(f"{len(lines)} lines have {counts} keywords; the table was loaded {loads.value} times")


def count_under_lock(lock: LockType) -> int:
    with lock:
        return 1


def pitfall_lock_as_argument() -> None:
    """A lock cannot travel to a worker that already runs.

    Fails: exception
    """
    with Pool(1) as pool:
        pool.map(count_under_lock, [Lock()])


def pitfall_set_up_in_parent() -> None:
    """The parent loads the table, and the workers have none.

    Fails: assertion
    """
    global keywords
    keywords = load_keywords(KEYWORD_MODULE)
    with get_context("spawn").Pool(1) as pool:
        counts = pool.map(count_keywords, ["for x in y"])
    assert counts == [2], f"the worker found {counts}"


if __name__ == "__main__":
    main()

"""Makes a lock for each process.

A lock that only one process knows keeps nobody out.

Rejected: assertion
Line: count.value += 1
"""

from ctypes import c_int
from multiprocessing import Lock, get_context
from multiprocessing.sharedctypes import Synchronized
from typing import TypeAlias

Count: TypeAlias = "Synchronized[int]"


def convert(files: int, count: Count) -> None:
    """Convert so many files, and count each."""
    lock = Lock()
    for _ in range(files):
        with lock:
            count.value += 1


def main(processes: int = 2, files: int = 2) -> None:
    context = get_context("spawn")
    count = context.Value(c_int, 0)
    workers = [context.Process(target=convert, args=(files, count)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert count.value == processes * files, f"{count.value} of {processes * files} counted"


if __name__ == "__main__":
    main()

"""Counts for itself, and adds its number once, at the end.

That is quicker, and loses a whole process's number where it lost one file.

Rejected: assertion
Line: count.value += converted
"""

from ctypes import c_int
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from typing import TypeAlias

Count: TypeAlias = "Synchronized[int]"


def convert(files: int, count: Count) -> None:
    """Convert so many files, and count each."""
    converted = 0
    for _ in range(files):
        converted += 1
    count.value += converted


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

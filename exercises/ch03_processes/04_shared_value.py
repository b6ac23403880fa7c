"""Count what all processes have done.

Several processes convert files and count them in a shared `Value`. It has a lock of its
own, says the manual. The total is too low by a third.

What must hold
--------------
Every converted file is counted.

What you may change
-------------------
`convert`

Fails: assertion
Also: main(processes=3, files=1); main(processes=1, files=3)
"""

from ctypes import c_int
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from typing import TypeAlias

Count: TypeAlias = "Synchronized[int]"


def convert(files: int, count: Count) -> None:
    """Convert so many files, and count each."""
    for _ in range(files):
        # TODO: the Value has a lock, and still files go uncounted.
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

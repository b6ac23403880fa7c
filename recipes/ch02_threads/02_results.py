"""Hand arguments to threads, and get each one's result back in the right place.

Problem
-------
A program computes a checksum of each of several files, a thread for each, and
prints them in the order of the files. But what a target returns is thrown away,
and the threads end in any order.

Solution
--------
Pass the input as an argument. For the output, give every thread a place of its
own: a slot in a list that is long enough from the start, or a small holder that
remembers the thread together with its result. Read the place after `join`.

How it works
------------
`Thread.run` ignores what the target returns, so the target must store it. Slot `n`
is written by thread `n` alone and read after that thread was joined: no two threads
touch a slot at the same time, and no lock is needed. The position, not the moment
of arrival, says which result belongs to which input.

`Answer` packs the same idea: its thread stores the value, `get()` joins first and
then reads. You can start ten of them and ask in any order, and ask twice.
`concurrent.futures.Future` is the grown-up version of it.

It ends because each worker computes once and waits for nobody.

Pitfalls
--------
`pitfall_late_binding` makes the threads with `lambda: work(word)` in a loop. The
lambda does not keep the value of `word`, it keeps the variable, and looks it up when
it runs. By then the loop is over: each thread works on the last word. Pass the value
with `args=(word,)`, or with `functools.partial`. Started inside the loop, the same
lambda is a race and mostly gives the right results. Ruff's rule B023 finds both.

`pitfall_read_before_join` starts the thread and looks into the slot at once. If the
main flow gets there first, it finds what the slot held before.

Cost
----
`hashlib` lets other threads run while it digests more than two kilobytes, so two such
files may be digested at the same time on two cores. For small files the thread costs
more than the work, and the serial loop wins. With many inputs do not start a thread
for each: a `ThreadPoolExecutor` keeps a few and reuses them.

See also
--------
`threads/exceptions` for a worker that raises instead, `threads/work_queue` for
many inputs and few threads, `threads/start` for the first steps.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Generic, TypeVar

Result = TypeVar("Result")


def digest(path: Path) -> str:
    """Return the checksum of the file at `path`."""
    return sha256(path.read_bytes()).hexdigest()


def digest_all(paths: list[Path]) -> list[str]:
    """Return the checksum of every file, in the order of `paths`."""
    slots = [""] * len(paths)

    def fill(number: int, path: Path) -> None:
        slots[number] = digest(path)

    threads = [Thread(target=fill, args=job) for job in enumerate(paths)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return slots


class Answer(Generic[Result]):
    """The result of `work(argument)`, which runs in a thread of its own from now on."""

    def __init__(self, work: Callable[[Path], Result], argument: Path) -> None:
        self._values: list[Result] = []  # one value, once it is there
        self._thread = Thread(target=self._store, args=(work, argument))
        self._thread.start()  # the last step: the thread must find a finished object

    def _store(self, work: Callable[[Path], Result], argument: Path) -> None:
        self._values.append(work(argument))

    def get(self) -> Result:
        """Wait until the work is done; return its result, as often as you ask."""
        self._thread.join()
        if not self._values:
            raise RuntimeError("the work raised; the reason went to standard error")
        return self._values[0]


def main(files: int = 2) -> None:
    paths = sorted(Path(os.__file__).parent.glob("*.py"))[:files]
    serial = [digest(path) for path in paths]

    assert digest_all(paths) == serial

    answers = [Answer(digest, path) for path in paths]
    assert [answer.get() for answer in reversed(answers)] == serial[::-1]
    assert answers[0].get() == serial[0]

    for path, checksum in zip(paths, serial, strict=True):
        print(f"{checksum[:16]}  {path.name}")


def pitfall_late_binding() -> None:
    """Each lambda reads the loop's variable when it runs: all see the last word.

    Fails: assertion
    """
    lengths: list[int] = []
    words = ["to", "three"]
    threads = [
        Thread(target=lambda: lengths.append(len(word)))  # noqa: B023 - this is the bug
        for word in words
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lengths) == [2, 5], lengths


def pitfall_read_before_join() -> None:
    """The main flow looks into the slot before the worker has filled it.

    Fails: assertion
    """
    slots = [0]

    def fill() -> None:
        slots[0] = len("three")

    thread = Thread(target=fill)
    thread.start()
    length = slots[0]
    thread.join()
    assert length == 5, length


if __name__ == "__main__":
    main()

"""Divide CPU-bound work in pure Python: serial, on threads, on processes.

Problem
-------
A program computes checksums of files in a Python loop. Two threads do not make it
faster, and one of the two cores stays idle.

Solution
--------
Give each process its share of the *paths*, and let it read, compute and send back a
few numbers. Then measure serial, threads and processes, with the same answers.

How it works
------------
A thread needs the GIL for every step of Python code, so two computing threads take
turns: the work of two shares takes the time of two shares. Each process has an
interpreter, and so a GIL, of its own; the system may run them on two cores.

Only small things travel: a list of paths to the process, a list of numbers back,
through a pipe for each process. Each thread writes its own key of `answers`, read
after `join()`. No worker waits for another: all end.

The checksum is Adler-32, written out. `zlib.adler32` computes the same in C, and
says whether all three answers are right. The files are the largest sources of the
standard library.

Pitfalls
--------
`pitfall_running_total` adds each thread's result to one total with `total = total +
checksum(data)`. Python reads `total` first, and then works for a long time. Meanwhile
the other thread reads the same old total. Whoever writes last overwrites what the
other has added: one result is lost, in nearly every run.

Cost
----
Below the start-up of a process, some milliseconds to a tenth of a second, the
serial loop wins. And before any of them, look for a library that does the loop in
C: the last line that this recipe prints says what that is worth here. One run is one
sample: repeat it, on an idle machine, before you believe a small difference.

On a free-threaded build (`python3.13t`) threads may use several cores as well.

See also
--------
`introduction/io_bound` for the other kind of work,
`introduction/startup_and_amdahl` for the size from which processes pay,
`processes/pool_map` for the pool that does the dividing.
"""

import os
import zlib
from contextlib import ExitStack
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from time import perf_counter

Shares = list[list[Path]]


def checksum(data: bytes) -> int:
    low, high = 1, 0
    for byte in data:
        low = (low + byte) % 65521
        high = (high + low) % 65521
    return high << 16 | low


def checksums(paths: list[Path]) -> list[int]:
    return [checksum(path.read_bytes()) for path in paths]


def serially(shares: Shares) -> list[list[int]]:
    return [checksums(share) for share in shares]


def on_threads(shares: Shares) -> list[list[int]]:
    answers: dict[int, list[int]] = {}

    def worker(position: int, share: list[Path]) -> None:
        answers[position] = checksums(share)

    threads = [Thread(target=worker, args=numbered) for numbered in enumerate(shares)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[position] for position in range(len(shares))]


def compute_and_send(share: list[Path], sender: Connection) -> None:
    with sender:
        sender.send(checksums(share))


def on_processes(shares: Shares) -> list[list[int]]:
    with ExitStack() as at_the_end:  # closes each pipe, then joins its process
        receivers = []
        for share in shares:
            receiver, sender = Pipe(duplex=False)
            with sender:  # closed here, so that recv() raises EOFError if the process dies
                process = Process(target=compute_and_send, args=(share, sender))
                process.start()
            at_the_end.callback(process.join)
            receivers.append(at_the_end.enter_context(receiver))
        return [receiver.recv() for receiver in receivers]


def in_c(shares: Shares) -> list[list[int]]:
    return [[zlib.adler32(path.read_bytes()) for path in share] for share in shares]


def main(workers: int = 2, files: int = 4) -> None:
    largest = sorted(Path(os.__file__).parent.glob("*.py"), key=os.path.getsize)[-files:]
    shares = [largest[first::workers] for first in range(workers)]
    expected = in_c(shares)
    seconds: dict[str, float] = {}
    for model in (serially, on_processes, on_threads, in_c):
        started = perf_counter()
        answers = model(shares)
        seconds[model.__name__] = perf_counter() - started
        assert answers == expected, f"{model.__name__} computed other sums"
    serial_s = seconds["serially"] or 1e-9  # a coarse clock may show no time at all
    for name, taken in seconds.items():
        print(f"{name}: {taken:.4f} s, {taken / serial_s:.3f} times the serial time")


def pitfall_running_total() -> None:
    """Each thread reads the total before its work and writes it after.

    Fails: assertion
    """
    total = 0

    def add(data: bytes) -> None:
        nonlocal total
        total = total + checksum(data)  # reads `total`, works, then writes

    data = bytes(200_000)
    threads = [Thread(target=add, args=(data,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total == 2 * checksum(data), "one result is lost"


if __name__ == "__main__":
    main()

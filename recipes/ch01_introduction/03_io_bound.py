"""Overlap the waits of I/O-bound work: serial, on threads, on processes.

Problem
-------
A program asks a slow service for documents, one after the other. It waits nearly
all of the time, and the processor is idle.

Solution
--------
Divide the requests among a few threads. While one waits, the others wait too, at
the same time. Then measure: serial, threads and processes, with the same answers.

How it works
------------
A blocking call such as `sleep`, a socket's `recv` or a file's `read` lets go of the
GIL while it waits. So the waits of several threads overlap, on one core, and
threads are all that I/O-bound work needs. Processes overlap as well, but first each
must be started.

Each thread writes its own key of `answers`, and nobody reads before `join()`: no lock
is needed. Each process sends its share's answers through a pipe of its own, and the
parent receives from one after the other. So the answers come in the order of the
shares, whoever was first. Each worker does a fixed number of requests and waits for no
other worker: all end.

The service here is a `sleep` and then a real file; the files are sources of the
standard library, or the `*.py` of a folder that you name.

Pitfalls
--------
`pitfall_order_of_arrival` lets each thread append its answer to a list, and then
pairs requests with answers by position. The thread for the second request may
append first: then each request is given the other's answer.

Cost
----
Where all the waits together are shorter than a thread's start, about a tenth of a
millisecond, a serial loop wins. For thousands of requests do not start a thread
each, which costs memory: use a pool of some tens, or `asyncio`.

See also
--------
`introduction/cpu_bound` for the other kind of work, `threads/work_queue` where
requests take unequal times, `introduction/choose_by_measurement` to decide.
"""

import os
import sys
from contextlib import ExitStack
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from time import perf_counter, sleep

Shares = list[list[Path]]
Answers = list[list[int]]


def fetch_all(paths: list[Path]) -> list[int]:
    """Ask the slow service for each document; return their sizes."""
    sizes = []
    for path in paths:
        sleep(0.03)  # the service is far away
        sizes.append(len(path.read_bytes()))
    return sizes


def serially(shares: Shares) -> Answers:
    return [fetch_all(share) for share in shares]


def on_threads(shares: Shares) -> Answers:
    answers: dict[int, list[int]] = {}

    def worker(position: int, share: list[Path]) -> None:
        answers[position] = fetch_all(share)

    threads = [Thread(target=worker, args=numbered) for numbered in enumerate(shares)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[position] for position in range(len(shares))]


def fetch_and_send(share: list[Path], sender: Connection) -> None:
    with sender:
        sender.send(fetch_all(share))


def on_processes(shares: Shares) -> Answers:
    with ExitStack() as at_the_end:  # closes each pipe, then joins its process
        receivers = []
        for share in shares:
            receiver, sender = Pipe(duplex=False)
            with sender:  # closed here, so that recv() raises EOFError if the process dies
                process = Process(target=fetch_and_send, args=(share, sender))
                process.start()
            at_the_end.callback(process.join)
            receivers.append(at_the_end.enter_context(receiver))
        return [receiver.recv() for receiver in receivers]


def main(folder: str = str(Path(os.__file__).parent), *, workers: int = 2) -> None:
    readable = [path for path in Path(folder).glob("*.py") if os.access(path, os.R_OK)]
    documents = sorted(path for path in readable if path.is_file())[: 2 * workers]
    if not documents:
        sys.exit(f"{folder} holds no *.py file that can be read; name a folder that does")
    shares = [documents[first::workers] for first in range(workers)]
    expected = [[path.stat().st_size for path in share] for share in shares]
    seconds: dict[str, float] = {}
    for model in (serially, on_processes, on_threads):
        started = perf_counter()
        answers = model(shares)
        seconds[model.__name__] = perf_counter() - started
        assert answers == expected, f"{model.__name__} brought other answers"
    for name, taken in seconds.items():
        print(f"{len(documents)} requests {name}: {taken * 1000:.0f} ms")
    print(f"fastest in this run: {min(seconds, key=lambda name: seconds[name])}")


def pitfall_order_of_arrival() -> None:
    """Answers are listed as they arrive, and paired with the wrong requests.

    Fails: assertion
    """
    sizes: list[int] = []
    documents = ["short", "a longer one"]
    threads = [Thread(target=lambda text: sizes.append(len(text)), args=(d,)) for d in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [len(text) for text in documents], dict(zip(documents, sizes, strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:2])

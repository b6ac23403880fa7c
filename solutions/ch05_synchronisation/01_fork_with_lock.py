"""Start a process while a thread is writing the log.

Why it is right
---------------
A spawned process begins with an empty interpreter and imports the file: its `log_lock`
is its own, new and free. Nothing that a thread of this process is doing can be half
copied.

Where it must be a fork, fork early: before there is any other thread. From Python 3.14
on no system forks by default.
"""

from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from threading import Event, Lock, Thread

log_lock = Lock()
"""Guards this process's log."""


def write_log(line: str) -> None:
    """Write a line to the log."""
    with log_lock:
        print(line)


def start() -> BaseProcess:
    """Start a process that writes a line to the log; return it."""
    process = get_context("spawn").Process(target=write_log, args=("hello",), daemon=True)
    process.start()
    return process


def main() -> None:
    is_writing, may_end = Event(), Event()

    def write_slowly() -> None:
        with log_lock:
            is_writing.set()
            may_end.wait()

    thread = Thread(target=write_slowly)
    thread.start()
    is_writing.wait()
    process = start()
    may_end.set()
    thread.join()
    process.join()
    assert process.exitcode == 0, process.exitcode


if __name__ == "__main__":
    main()

"""Waits a little, so that the thread can finish its line.

That helps when the line is short. This one takes until the process has been started.

Rejected: deadlock
"""

from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from threading import Event, Lock, Thread
from time import sleep

log_lock = Lock()
"""Guards this process's log."""


def write_log(line: str) -> None:
    """Write a line to the log."""
    with log_lock:
        print(line)


def start() -> BaseProcess:
    """Start a process that writes a line to the log; return it."""
    sleep(0.01)
    process = get_context("fork").Process(target=write_log, args=("hello",), daemon=True)
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

"""Lets the process give up if the lock is not free within a second.

It ends, and has written nothing.

Rejected: assertion
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


def try_to_write_log(line: str) -> None:
    """Write a line to the log, or end with exit code 1."""
    if not log_lock.acquire(timeout=1):
        raise SystemExit(1)
    log_lock.release()
    write_log(line)


def start() -> BaseProcess:
    """Start a process that writes a line to the log; return it."""
    process = get_context("fork").Process(target=try_to_write_log, args=("hello",), daemon=True)
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

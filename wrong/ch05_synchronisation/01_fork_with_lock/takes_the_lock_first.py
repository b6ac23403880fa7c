"""Takes the lock itself, so that no other thread has it at the moment of the fork.

Now it is this thread that holds it, and the copy is taken all the same.

Rejected: deadlock
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
    process = get_context("fork").Process(target=write_log, args=("hello",), daemon=True)
    with log_lock:
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

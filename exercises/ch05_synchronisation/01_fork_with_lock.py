"""Start a process while a thread is writing the log.

A thread writes the log and holds the log's lock as it does so. Now and then the program
starts a process, which writes to the log as well. Every few days such a process does
nothing at all, for ever.

What must hold
--------------
The process writes to its log and ends with exit code 0, whatever the threads of this
program are doing when it is started.

What you may change
-------------------
`start`

Fails: deadlock
Run: for real
Calls: write_log 1
Elsewhere: write_log
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
    # TODO: what does the new process find?
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

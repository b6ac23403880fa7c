"""Start a process while a thread holds a lock, without a deadlock in the child.

Problem
-------
A program has a background thread that writes a log under a lock. Another thread
starts a process by fork. If the log's lock is held at that moment, the child
hangs at its first line of log, once in a thousand starts, and only in production.

Solution
--------
Don't fork a process that has threads. Start the processes first and the threads
after them; or start them with `get_context("spawn")` or `"forkserver"`. A program
that must fork tells its locks about it with `os.register_at_fork`.

How it works
------------
A fork copies the memory, with every lock as it is, but only the one thread that
called it. A lock that another thread holds is copied *held*, and in the child
nobody is left to release it.

`log_lock` guards the log of its own process, and no other's. The thread takes it
and keeps it. The `early` process was started before that thread, so whatever it
inherited was free. The `late` one is spawned: a fresh interpreter, which imports
this file again and makes a `log_lock` of its own, free. Both end while the
parent's lock is still held.

The third cure makes the fork itself wait until the lock is free, so that it is
never copied in another thread's hands:

    os.register_at_fork(
        before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
    )

The `logging` module does something like it for its own locks. It works only if
*every* lock that the child will need is registered, those of the libraries too.

It ends because no child waits for the thread, and the thread waits only for
`enough`, which is set in `finally`.

Pitfalls
--------
`pitfall_fork_while_held` forks while the thread holds the lock. The child's copy
is held by a thread that does not exist there. The child waits for ever, and the
parent waits for the child. CPython 3.12 and later give a DeprecationWarning at
such a fork (the pitfall switches it off); 3.11 says nothing.

fork is the default on Linux up to Python 3.13; from 3.14 it is forkserver, which
forks a server that has no threads. Threads that you didn't start count too: a
`Queue`'s feeder, an executor's workers, those of a native library.

Cost
----
A spawned process must start an interpreter and import the program again: tens of
milliseconds where a fork takes a few. Start the processes once and keep them, in
a `Pool`, and the difference is paid once. For work shorter than a start, a serial
loop is faster.

See also
--------
`processes/start_methods` for what each method copies or imports,
`processes/pool_map` for processes that are started once, `threads/lock` for locks
among threads.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Process, get_context

log_lock = threading.Lock()  # guards the log of this process


def write_log() -> None:
    """Write a line to the log: what the child processes do."""
    with log_lock:
        pass


@contextmanager
def thread_holding_the_lock() -> Iterator[None]:
    """Have a thread that holds `log_lock` all through the `with` block."""
    held, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with log_lock:
            held.set()
            enough.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def main() -> None:
    early = Process(target=write_log)
    early.start()  # cure 1: before there is any thread
    with thread_holding_the_lock():
        late = get_context("spawn").Process(target=write_log)  # cure 2: copies no lock
        late.start()
        early.join()
        late.join()
        assert log_lock.locked()  # still held here, and neither child was stopped by it
    assert (early.exitcode, late.exitcode) == (0, 0), (early, late)
    print(f"started before the thread, by the default method: exit code {early.exitcode}")
    print(f"spawned while the thread held the lock: exit code {late.exitcode}")


def pitfall_fork_while_held() -> None:
    """The forked child inherits a held lock, and nobody in it can release it.

    Fails: deadlock
    """
    with thread_holding_the_lock():
        child = get_context("fork").Process(target=write_log)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child.start()
        child.join()


if __name__ == "__main__":
    main()

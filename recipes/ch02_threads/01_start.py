"""Start threads with the Thread class, name them, and wait until they have ended.

Problem
-------
A program has a few files to examine and wants a flow of control for each, so that
one slow file does not hold up the others. The log must tell who did what.

Solution
--------
Make a `Thread` from a function and its arguments, `Thread(target=f, args=(x,))`,
give it a `name`, call `start()`, and later `join()`. Start all of them before you
join the first. If a piece of work carries state of its own, derive a class from
`Thread` and override `run`.

How it works
------------
The constructor makes an object and nothing else. `start()` asks the operating
system for a thread, which calls `run()` there, and returns when the new thread has
begun. `run()` calls the target with its arguments. From then on the caller and the
new thread go on side by side, in any order.

`join()` blocks until the thread has ended. All that the thread wrote is visible
after that, so `lines` needs no lock: each thread writes its own before the join, the
main flow reads it after. Nor does `log`, to which both threads append: to other
threads `list.append` is a single step.

It ends because each thread looks at one file and returns, and only the main flow
waits.

A subclass that has a constructor must call `super().__init__()` before it does
anything with the thread; otherwise `start()` raises RuntimeError.

Pitfalls
--------
`pitfall_run_instead_of_start` calls `run()`. That is a plain method call: the work
is done, the results are right, and it was done by the caller, with no thread at all.
Only `current_thread()` or the clock tells.

`pitfall_start_again` starts a thread that has ended, to do the work once more. A
`Thread` can be started once: the second `start()` raises RuntimeError. Make a new one.

Cost
----
Starting and joining a thread takes about a tenth of a millisecond, reading a small
file that the system has in memory a fifth of that. So for these two files the serial
loop wins. It wins for pure-Python computing too, where the threads take turns on one
lock, the GIL.

See also
--------
`threads/results` for getting answers back, `threads/exceptions` for work that
fails, `introduction/accidental_serial` for another program without concurrency.
"""

import os
from pathlib import Path
from threading import Thread, current_thread

LIBRARY = Path(os.__file__).parent  # the standard library's own sources


def log_size(path: Path, log: list[str]) -> None:
    """Add a line to `log`: which thread found which size."""
    log.append(f"{current_thread().name}: {path.name} has {path.stat().st_size} bytes")


class LineCounter(Thread):
    """Counts the lines of the file at `path`. Read `lines` after `join`."""

    def __init__(self, path: Path) -> None:
        super().__init__(name=f"lines of {path.name}")
        self.path = path
        self.lines = 0

    def run(self) -> None:
        """Do the thread's work; `start()` has it called in the new thread."""
        self.lines = len(self.path.read_bytes().splitlines())


def main(files: int = 2) -> None:
    paths = sorted(LIBRARY.glob("*.py"))[:files]

    log: list[str] = []
    threads = [
        Thread(target=log_size, args=(path, log), name=f"worker-{number}")
        for number, path in enumerate(paths)
    ]
    for thread in threads:  # all of them start ...
        thread.start()
    for thread in threads:  # ... before the main flow waits for the first
        thread.join()
    assert not any(thread.is_alive() for thread in threads)
    workers = sorted(line.partition(":")[0] for line in log)
    assert workers == sorted(thread.name for thread in threads), log

    counters = [LineCounter(path) for path in paths]
    for counter in counters:
        counter.start()
    for counter in counters:
        counter.join()
        assert counter.lines == len(counter.path.read_bytes().splitlines())

    print(*log, sep="\n")  # in the order in which the workers wrote
    for counter in counters:
        print(f"{counter.path.name} has {counter.lines} lines")


def pitfall_run_instead_of_start() -> None:
    """The work runs in the caller's thread: nothing is concurrent.

    Fails: assertion
    """
    names: list[str] = []
    thread = Thread(target=lambda: names.append(current_thread().name), name="worker")
    thread.run()
    assert names == ["worker"], f"the work ran in {names}"


def pitfall_start_again() -> None:
    """A thread that has ended cannot be started a second time.

    Fails: exception
    """
    backups: list[str] = []
    thread = Thread(target=backups.append, args=("done",))
    for _ in range(2):
        thread.start()
        thread.join()


if __name__ == "__main__":
    main()

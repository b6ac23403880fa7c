"""Start a process with the Process class, wait for it, and get its result back.

Problem
-------
You want to count the lines of large files, and let other processes do it. A
thread would put its result into a list. A process has a memory of its own: what
it stores there, its parent never sees.

Solution
--------
Give each process its work as `args`, and one end of a `Pipe` to send the result
through. Start all, receive from all, then `join` all, and look at `exitcode`.
A function as `target` will do for most work. Where the process has a state worth
a name, derive a class from `Process`, call `super().__init__` first, and write `run`.

How it works
------------
`Process(target=..., args=...)` is only a plan: `pid` and `exitcode` are None.
`start` makes the process and fills in `pid`. The child gets *copies* of its
arguments. `join` waits for its end, and then `exitcode` is 0 if it ended well, 1
after an uncaught exception, and -n if signal n ended it.

The parent waits in `recv` for the child, and the child waits for nobody. Each
child has its own pipe, so there is nothing to lock. After each `start` the parent
closes its copy of the sending end. The child then holds the only one, so if it
dies before it has sent, `recv` raises EOFError and does not wait for ever.

Pitfalls
--------
`pitfall_filled_list` passes a list for the child to fill, as one does with
threads. The child appends to its own copy, and the parent's list stays empty.

`pitfall_result_attribute` keeps the result in an attribute of the `Process`
object. There are two such objects after `start`, one in each process; `run` sets
the attribute of the child's, and the parent reads None from its own.

What `target` returns is thrown away, too: a `Process` has no result to ask for.

Cost
----
A forked process starts in a few milliseconds, a spawned one in 50 to 200: it
boots an interpreter and imports your program. Counting the lines of a small
file takes far less. A serial loop wins until one task runs for longer than that.

See also
--------
`processes/pool_map` keeps workers for many tasks and brings results back for you,
`processes/pickling` tells what can be an argument, `processes/terminate` explains
exit codes, `messages/pipe` and `messages/queue_drain` show the ways to talk.
"""

import os
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path

SOURCES = sorted(Path(os.__file__).parent.glob("*.py"))


def count_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def send_line_count(path: Path, sender: Connection) -> None:
    with sender:
        sender.send(count_lines(path))


class LineCounter(Process):
    """The same as a class: `run` is what the child does, the attributes are its arguments."""

    def __init__(self, path: Path, sender: Connection) -> None:
        super().__init__(name=f"counts {path.name}")
        self.path = path
        self.sender = sender

    def run(self) -> None:
        """Send the number of lines; called by `start`, in the child."""
        with self.sender:
            self.sender.send(count_lines(self.path))


def main() -> None:
    first, second = SOURCES[:2]
    first_receiver, sender = Pipe(duplex=False)
    by_function = Process(target=send_line_count, args=(first, sender), name="counter")
    assert by_function.pid is None
    by_function.start()
    sender.close()  # before the next start, since a forked child would hold a copy of it

    second_receiver, sender = Pipe(duplex=False)
    by_class = LineCounter(second, sender)
    by_class.start()
    sender.close()

    # Both have been started before the parent waits for either, so they run at once.
    with first_receiver, second_receiver:
        counts = {first: first_receiver.recv(), second: second_receiver.recv()}
    for path, process in ((first, by_function), (second, by_class)):
        process.join()
        assert process.exitcode == 0, process.exitcode
        assert process.pid != os.getpid()
        assert counts[path] == count_lines(path), counts
        print(f"process {process.pid} ({process.name}): {path.name} has {counts[path]} lines")


def append_line_count(path: Path, counts: list[int]) -> None:
    counts.append(count_lines(path))


def pitfall_filled_list() -> None:
    """The child fills its own copy of the list.

    Fails: assertion
    """
    counts: list[int] = []
    process = Process(target=append_line_count, args=(SOURCES[0], counts))
    process.start()
    process.join()
    assert counts, "the parent's list is still empty"


class ForgetfulCounter(Process):
    """Keeps its result where the parent cannot see it."""

    count: int | None = None

    def run(self) -> None:
        """Count, and store the result in this process."""
        self.count = count_lines(SOURCES[0])


def pitfall_result_attribute() -> None:
    """The child sets an attribute of its own copy of the Process object.

    Fails: assertion
    """
    process = ForgetfulCounter()
    process.start()
    process.join()
    assert process.count is not None, "the parent's object knows no count"


if __name__ == "__main__":
    main()

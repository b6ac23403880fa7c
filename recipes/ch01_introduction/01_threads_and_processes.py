"""Run one function in a thread and in a process, and bring both answers home.

Problem
-------
A function notes what it found in a module-level dictionary. You want to run it in
the background. Started in a thread it works; started in a process it runs without
an error, and the dictionary stays empty.

Solution
--------
Let a thread write where the parent can read, and read after `join()`. Give a
process one end of a `Pipe`, and let it *send* its answer.

How it works
------------
A thread runs inside its parent's process: both see the one `line_counts`. `join()`
returns when the thread has ended, so the parent looks after the last write, never
before it.

A process has memory of its own. With the start method fork it begins with a copy of
the parent's; with spawn and forkserver it imports the module afresh. Either way it
fills *its* `line_counts`, which is thrown away when it ends. What goes through the
pipe is pickled on one side and rebuilt on the other.

The parent closes its own copy of the sending end once the process has started. So
the process holds the only one, and if it dies early, `recv()` raises `EOFError`
instead of waiting for ever. The parent waits for one message, the child sends one:
both end.

Pitfalls
--------
`pitfall_global_in_a_process` gives `count_lines` to a process, as one would to a
thread, and reads the dictionary after `join()`. The child has written to its own
dictionary; the parent's was never touched. It fails on every run.

Cost
----
A thread starts in about a tenth of a millisecond, a process in some milliseconds to a
tenth of a second (`introduction/startup_and_amdahl` measures it). For one small file,
calling the function is faster than both.

See also
--------
`introduction/three_models` for workers that share nothing but a network,
`threads/results` and `messages/pipe` for more on how answers come back,
`processes/value_array` for memory that processes do share.
"""

import sys
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

line_counts: dict[str, int] = {}  # every process has one; all threads of a process share it


def count_lines(path: Path) -> None:
    """Note in `line_counts` how many lines the file has."""
    line_counts[path.name] = len(path.read_bytes().splitlines())


def count_in_a_thread(path: Path) -> int:
    thread = Thread(target=count_lines, args=(path,))
    thread.start()
    thread.join()
    return line_counts[path.name]


def count_and_send(path: Path, sender: Connection) -> None:
    """The function for a process: work in its own memory, then send the answer."""
    with sender:
        count_lines(path)
        sender.send(line_counts[path.name])


def count_in_a_process(path: Path) -> int:
    receiver, sender = Pipe(duplex=False)
    with receiver:
        with sender:  # closed here once the process has its copy
            process = Process(target=count_and_send, args=(path, sender))
            process.start()
        try:
            count: int = receiver.recv()
        finally:
            process.join()
    return count


def main(file: str = __file__) -> None:
    path = Path(file)
    try:
        path.open("rb").close()
    except OSError as error:
        sys.exit(f"{file} cannot be read: {error.strerror}")
    line_counts.clear()  # a second call begins like the first
    from_process = count_in_a_process(path)
    assert line_counts == {}, line_counts  # the process noted it in its own memory
    print(f"the process counted {from_process} lines; the parent's dictionary is {line_counts}")

    from_thread = count_in_a_thread(path)
    assert from_thread == from_process, (from_thread, from_process)
    print(f"the thread counted {from_thread} lines; the parent's dictionary is {line_counts}")


def pitfall_global_in_a_process() -> None:
    """The process fills its own dictionary, and the parent's stays empty.

    Fails: assertion
    """
    path = Path(__file__)
    process = Process(target=count_lines, args=(path,))
    process.start()
    process.join()
    assert path.name in line_counts, f"the parent sees {line_counts}"


if __name__ == "__main__":
    main(*sys.argv[1:2])

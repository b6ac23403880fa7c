"""Ask a background thread to stop, and wait until its last write is done.

Problem
-------
A journal is written in the background, so that the main flow need not wait for the
disk. When the program ends, or its work fails, every line handed over must be in the
file, the file must be closed, and the program must really end.

Solution
--------
A thread cannot be killed; it has to be asked. If it waits for work in a queue, put a
*sentinel* there, an item that means "no more". If it works through something long,
let it look at an `Event` between two pieces. Then `join` it. Put both steps into
`__exit__`, so that no way out of the `with` block forgets them.

How it works
------------
The queue keeps its order. The sentinel `None` is put after the last line, so the
writer meets it after it has written all the lines, leaves its loop and closes the
file. `join` returns after that. `scan` finishes the piece in hand, sees the event and
returns through its `finally`. Nothing is cut off in the middle, because the worker
alone decides where it stops.

It ends because the main flow asks before it waits, and a writer that was asked waits
for nothing more. For work at intervals let the event be the clock, too:
`while not stop.wait(timeout=60): save()`. A `sleep` there could not be woken.

What happens without all this? At its end the interpreter joins every thread that is
not a daemon, and only then calls the functions registered with `atexit`. So a stop
request placed there is never made: the interpreter is still waiting. A daemon thread
is not joined. It stops wherever it happens to be, and its `finally` and `with` blocks
do not run.

Pitfalls
--------
`pitfall_join_without_asking` puts its line, then joins. The writer has written and
waits for the next line; the main flow waits for the writer. Leaving out the `join`
changes nothing: then the interpreter joins at the end, and waits just as long.

`pitfall_daemon_loses_last_write` marks the thread as a daemon to make that hang go
away. Now the program ends when the main flow does. If the writer has not had its
turn by then, the lines are lost, with no message at all.

Cost
----
One queue item and one join at the end. The background thread itself pays only if the
writing really waits, as on a network. For a local disk, whose cache takes the lines at
once, a plain `file.write` in the main flow is simpler and as good.

See also
--------
`threads/work_queue` for sentinels and several workers, `threads/event`,
`threads/exceptions` for a writer that fails, `processes/terminate` for what *can* be
killed.
"""

from collections.abc import Iterable
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Event, Thread
from types import TracebackType
from typing import Self


class Journal:
    """Writes lines to `path` in the background; at the end of `with` all are in the file."""

    def __init__(self, path: Path) -> None:
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._writer = Thread(target=self._write, args=(path,), name="journal")

    def add(self, line: str) -> None:
        """Hand over a line, without waiting for the disk."""
        self._lines.put(line)

    def _write(self, path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            while (line := self._lines.get()) is not None:
                file.write(line + "\n")

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lines.put(None)  # ask ...
        self._writer.join()  # ... then wait


def scan(names: Iterable[str], stop: Event, log: list[str]) -> None:
    """Note every name, or those up to the moment when `stop` is set; then close the log."""
    try:
        for name in names:
            if stop.is_set():
                return
            log.append(name)
    finally:
        log.append("closed")


def main(lines: int = 2) -> None:
    entries = [f"line {number}" for number in range(lines)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.txt"
        with Journal(path) as journal:
            for entry in entries:
                journal.add(entry)
        assert path.read_text(encoding="utf-8").splitlines() == entries
    print(f"the journal holds all {lines} lines")

    stop = Event()
    log: list[str] = []
    scanner = Thread(target=scan, args=(entries, stop, log))
    scanner.start()
    stop.set()
    scanner.join()
    assert log[-1] == "closed"
    assert log[:-1] == entries[: len(log) - 1]
    print(f"the scanner was stopped after {len(log) - 1} of {lines} lines, and closed its log")


def pitfall_join_without_asking() -> None:
    """The writer waits for a next line, and the main flow waits for the writer.

    Fails: deadlock
    """
    lines: SimpleQueue[str | None] = SimpleQueue()
    written: list[str] = []

    def write() -> None:
        while (line := lines.get()) is not None:
            written.append(line)

    writer = Thread(target=write)
    writer.start()
    lines.put("the last words")
    writer.join()


def pitfall_daemon_loses_last_write() -> None:
    """Nobody waits for a daemon: the program may end before its last write.

    Fails: assertion
    """
    written: list[str] = []

    def write() -> None:
        written.append("the last words")

    writer = Thread(target=write, daemon=True)
    writer.start()
    at_the_end = list(written)  # the program ends here: what is not written now never will be
    assert at_the_end == ["the last words"], at_the_end


if __name__ == "__main__":
    main()

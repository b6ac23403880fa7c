"""Find duplicate files in a pipeline of processes, with back-pressure.

Problem
-------
You want to know which files of a folder have the same contents. Each file is read, then
digested, then entered into an index. The steps can overlap: while one file is being
digested the next is being read. But reading is the fastest step: unchecked it would
pile up the whole folder in memory.

Solution
--------
One process for each stage, and a `Queue(maxsize=1)` between two stages. A stage that is
ahead waits in `put` until the next one has caught up: *back-pressure*. The first stage
ends with an end marker (None); each stage passes it on when it has passed on everything
else.

How it works
------------
The reader waits only for the digester to get, the digester only for the reader to put
or for the index to get, and so on down the line; the last stage waits for nobody, since
the main flow is ready to get its one result. With no circle nobody waits for ever.
However many files there are, few contents are held at a time: one in the reader's hand,
one in the queue, one or two with the digester.

A queue with one writer and one reader keeps its order. So the marker is the last thing
that a stage gets, and the index is built in the order of the serial loop: `main` proves
that both are equal.

A file that cannot be read does not stop the pipeline. It travels on as None, and is
indexed as unreadable: a failure is a result too.

Run as a program, this file takes the name of a folder, and compares all the files in it
and below it; without one, two files of the standard library.

The main flow neither fills the first queue nor empties the last one item by item. If it
did both, one after the other, it would be stuck in `put` as soon as the queues are full
of what it has not yet got.

Pitfalls
--------
`pitfall_stage_stops_early` has a second stage that has found what it wanted after one
item, and ends. The reader does not know: it fills the queue's one place and waits for
room in its next `put`, for ever, and so does the main flow, which joins it. A stage
that has enough must either read on to the end marker and throw the rest away, or tell
the stages above to stop (an `Event` that they look at). The same happens when a stage
raises: catch what can fail, item by item.

A stage that is killed stops the line in both directions. To survive this, the main flow
must watch the stages' sentinels (`messages/select_connections`) and end the others.
Here they are daemons: they end with the main program at the latest.

Cost
----
The whole line is as fast as its slowest stage, and every file's contents are pickled
and copied through a pipe. Digesting takes a millisecond or so for each megabyte and
releases the GIL: here a serial loop is hard to beat, and threads copy nothing.
Processes pay where the middle stages are heavy Python code.

See also
--------
`messages/producer_consumer` for several processes in one stage, `messages/queue_drain`
for the order of get and join, `introduction/choose_by_measurement`.
"""

import os
import sys
from collections.abc import Iterable
from hashlib import sha256
from multiprocessing import Process, Queue, queues
from pathlib import Path
from typing import TypeAlias

Contents: TypeAlias = "queues.Queue[tuple[str, bytes | None] | None]"
Digests: TypeAlias = "queues.Queue[tuple[str, str] | None]"
LIBRARY = Path(os.__file__).parent


def load(path: Path) -> bytes | None:
    """Return the file's contents, or None if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def digest(content: bytes | None) -> str:
    return "unreadable" if content is None else sha256(content).hexdigest()


def index(digests: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return for each digest the names of the files that have it."""
    names: dict[str, list[str]] = {}
    for name, key in digests:
        names.setdefault(key, []).append(name)
    return names


def read_stage(paths: list[Path], out: Contents) -> None:
    for path in paths:
        out.put((str(path), load(path)))
    out.put(None)


def digest_stage(contents: Contents, out: Digests) -> None:
    for name, content in iter(contents.get, None):
        out.put((name, digest(content)))
    out.put(None)


def index_stage(digests: Digests, out: "queues.Queue[dict[str, list[str]]]") -> None:
    out.put(index(iter(digests.get, None)))


def main(folder: str = "") -> None:
    found_paths = Path(folder).rglob("*") if folder else LIBRARY.glob("*.py")
    paths = sorted(path for path in found_paths if path.is_file())[: None if folder else 2]
    if not paths:
        sys.exit(f"usage: 06_pipeline.py [FOLDER]: {folder} is no folder, or holds no files")
    contents: Contents = Queue(maxsize=1)
    digests: Digests = Queue(maxsize=1)
    result: queues.Queue[dict[str, list[str]]] = Queue()
    stages = [
        Process(target=read_stage, args=(paths, contents), daemon=True),
        Process(target=digest_stage, args=(contents, digests), daemon=True),
        Process(target=index_stage, args=(digests, result), daemon=True),
    ]
    for stage in stages:
        stage.start()
    found = result.get()
    for stage in stages:
        stage.join()

    assert found == index((str(path), digest(load(path))) for path in paths), "as in a serial loop"
    assert all(stage.exitcode == 0 for stage in stages)
    print(f"{len(paths)} files of {folder or LIBRARY} have {len(found)} different digests")
    for key, names in found.items():
        if len(names) > 1:
            print(f"  {key[:12]}: {', '.join(names)}")


def take_one(contents: Contents) -> None:
    """Look at one item, and end."""
    contents.get()


def pitfall_stage_stops_early() -> None:
    """The second stage ends after one item; the first waits for room for ever.

    Fails: deadlock
    """
    contents: Contents = Queue(maxsize=1)
    stages = [
        Process(target=read_stage, args=([Path(os.__file__)] * 2, contents), daemon=True),
        Process(target=take_one, args=(contents,), daemon=True),
    ]
    for stage in stages:
        stage.start()
    for stage in stages:
        stage.join()


if __name__ == "__main__":
    main(*sys.argv[1:2])

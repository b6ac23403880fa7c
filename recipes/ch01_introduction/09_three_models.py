"""Build one word index on threads, on processes, and on workers across a network.

Problem
-------
You want to know in which files of a folder each word stands. One loop is too slow.
What changes in the program when the work goes to threads, to processes, or to other
machines?

Solution
--------
Write the work as a function without side effects, which turns some files into their
part of the index, and merge the parts in one place. Then the models differ only in
how a task gets to a worker and an answer gets back.

| model | workers share | a task travels as | for |
|---|---|---|---|
| threads | memory | a reference | work that waits |
| processes | the machine: files, pipes | a pickled message | work that computes |
| distributed | nothing but the network | bytes on a connection, and a key | more than one machine |

How it works
------------
Threads: each appends its part to `parts`, one step, and the parent reads after
`join()`: no lock is needed.

Processes: a `Pool` sends paths to its workers; each reads the files and sends its
part of the index. `map` returns when it has all parts.

Distributed: the coordinator listens on a free port. A worker knows the address and
the key, connects, receives names and *texts* (on its machine there are no such
files), and sends its part back. `Listener` and `Client` prove to each other that
they have the key, then pickle what is sent. Coordinator and worker take turns: one
sends while the other receives, so neither waits for one that also waits. Here the
workers run on this machine, as processes, with the loopback network between.

Each worker handles one share and ends; the coordinator accepts as many as it
started.

Run as a program, this file takes the name of a folder, and indexes all the Python
files in it and below it; without one, those of the package `json`.

Pitfalls
--------
`pitfall_shared_index` merges where the work is done: both threads look a word up,
find no entry, and build one; the second to write replaces the first's. One file is
missing from the index.

`accept()` waits for ever for a worker that died on its way; so does `Pool.map`. And
whoever has the key can send a pickle, that is, run code: between machines keep the
key secret and the network private or encrypted.

Cost
----
For a few files the serial loop wins. Distributing costs sending all the texts, some
processes or machines to start, and one that may fail: do it when one machine is not
enough.

See also
--------
`introduction/threads_and_processes` for memory shared or not,
`messages/request_reply` for more turns, `messages/select_connections` for answers
as they come.
"""

import os
import re
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from multiprocessing import Pool, Process
from multiprocessing.connection import Client, Listener
from pathlib import Path
from threading import Thread

Index = dict[str, set[str]]  # in which files each word stands


def read(paths: list[Path]) -> dict[str, str]:
    return {str(path): path.read_text(encoding="utf-8", errors="replace") for path in paths}


def merged(parts: Iterable[Index]) -> Index:
    whole: Index = {}
    for part in parts:
        for word, names in part.items():
            whole.setdefault(word, set()).update(names)
    return whole


def index_of(texts: dict[str, str]) -> Index:
    words = {name: re.findall(r"\w+", text) for name, text in texts.items()}
    return merged({word: {name}} for name in words for word in words[name])


def index_files(paths: list[Path]) -> Index:
    return index_of(read(paths))


def on_threads(shares: list[list[Path]]) -> Index:
    parts: list[Index] = []
    threads = [Thread(target=lambda s: parts.append(index_files(s)), args=(s,)) for s in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return merged(parts)


def on_processes(shares: list[list[Path]]) -> Index:
    with Pool(len(shares)) as pool:
        return merged(pool.map(index_files, shares))


def network_worker(address: tuple[str, int], key: bytes) -> None:
    with Client(address, authkey=key) as coordinator:
        coordinator.send(index_of(coordinator.recv()))


def on_a_network(shares: list[list[Path]]) -> Index:
    key = os.urandom(32)
    listener = Listener(("127.0.0.1", 0), backlog=len(shares), authkey=key)
    with ExitStack() as at_the_end, listener:
        for _ in shares:
            process = Process(target=network_worker, args=(listener.address, key))
            process.start()
            at_the_end.callback(process.join)
        workers = [at_the_end.enter_context(listener.accept()) for _ in shares]
        for worker, share in zip(workers, shares, strict=True):
            worker.send(read(share))
        return merged(worker.recv() for worker in workers)


def main(folder: str = str(Path(os.__file__).with_name("json")), *, workers: int = 2) -> None:
    paths = sorted(path for path in Path(folder).rglob("*.py") if path.is_file())
    if not paths or not all(os.access(path, os.R_OK) for path in paths):
        sys.exit(f"{folder} holds no *.py files, or some that cannot be read; name another")
    shares = [paths[first::workers] for first in range(workers)]
    expected = index_files(paths)
    for model in (on_processes, on_a_network, on_threads):
        assert model(shares) == expected, f"{model.__name__} built another index"
        print(f"{model.__name__}: {len(expected)} words in {len(paths)} files, as the loop found")


def pitfall_shared_index() -> None:
    """Both threads find no entry for a word, and the second to write replaces the first's.

    Fails: assertion
    """
    index: Index = {}

    def worker(name: str, text: str) -> None:
        for word in text.split():
            names = index.get(word, set())
            index[word] = names | {name}

    files = {"a.txt": "lock", "b.txt": "lock"}
    threads = [Thread(target=worker, args=named) for named in files.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index == {"lock": {"a.txt", "b.txt"}}, index


if __name__ == "__main__":
    main(*sys.argv[1:2])

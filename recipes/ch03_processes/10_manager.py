"""Share dicts and lists through a Manager, and change them safely.

Problem
-------
Several processes fill one index: which word stands in which file, and how often.
`Value` and `Array` hold numbers only. You want a dict, with lists in it.

Solution
--------
Start a `Manager` in a `with` block, make the dict there, and pass its *proxy* to the
processes. Hold a `Lock` from a read to the write that depends on it. Assign a nested
list anew after you have changed it, or make it a proxy too: `manager.list()`.

How it works
------------
The manager is one more process. It owns the dict; every operation on a proxy is a
message to it and an answer. One operation is atomic, but two are two: others come
between. `lock` guards the keys of `index` that several processes change. A worker holds
it while it talks to the manager, which answers anybody and never takes this lock, so
the worker gets on and gives it back.

`index["tea"]` returns a *copy* of the list. Appending to the copy changes the
copy; assigning it sends it back. `files` is the proxy of a list that the manager owns,
so `append` on it is one message to the manager, and needs no lock.

Leave the `with` block last: it ends the manager, and with it the data. What you want
to keep, copy out before, with `dict(proxy)` or `list(proxy)`.

Pitfalls
--------
`pitfall_plus_equals` writes `counts["tea"] += 1`. That is a message to read and a
message to write. Both workers read 0, both write 1, and one count is lost.

`pitfall_nested_append` appends to a list inside the dict. It appends to the copy that
the proxy returned, and the manager never hears of it. No other process is needed for
this to fail.

Cost
----
Each operation is a message and an answer between processes, about a hundred
microseconds, where a dict of your own takes less than one. Count in a local dict and
send totals. If the work consists of dict operations, a serial loop wins by far.

See also
--------
`processes/value_array` for numbers, `messages/queue_drain` to send totals to the
parent, `messages/request_reply` for a server of your own, `synchronisation/lock`.
"""

from __future__ import annotations

from multiprocessing import Lock, Manager, Process
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.managers import DictProxy, ListProxy
    from multiprocessing.synchronize import Lock as LockType


def index_file(
    name: str, text: str, index: DictProxy[str, list[int]], files: ListProxy[str], lock: LockType
) -> None:
    """Add the positions of each word of this file to the index of all."""
    positions: dict[str, list[int]] = {}
    for position, word in enumerate(text.split()):
        positions.setdefault(word, []).append(position)
    for word, here in positions.items():
        with lock:
            index[word] = index.get(word, []) + here
    files.append(name)


def main() -> None:
    lock = Lock()
    texts = {"a.txt": "tea", "b.txt": "milk tea"}
    with Manager() as manager:
        index: DictProxy[str, list[int]] = manager.dict()
        files: ListProxy[str] = manager.list()
        workers = [
            Process(target=index_file, args=(name, text, index, files, lock))
            for name, text in texts.items()
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        all_positions, all_files = dict(index), list(files)

    assert sorted(all_positions) == ["milk", "tea"], all_positions
    assert sorted(all_positions["tea"]) == [0, 1], all_positions
    assert sorted(all_files) == sorted(texts), all_files
    print(f"the index of {len(all_files)} files has {len(all_positions)} words:")
    for word in sorted(all_positions):
        print(f"  {word} at {sorted(all_positions[word])}")


def count_tea(counts: DictProxy[str, int]) -> None:
    counts["tea"] += 1


def pitfall_plus_equals() -> None:
    """On a proxy `+=` is two messages, and another process comes between.

    Fails: assertion
    """
    with Manager() as manager:
        counts: DictProxy[str, int] = manager.dict(tea=0)
        workers = [Process(target=count_tea, args=(counts,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert counts["tea"] == 2, f"2 workers counted {counts['tea']}"


def pitfall_nested_append() -> None:
    """The list inside the dict comes out as a copy, and the copy is changed.

    Fails: assertion
    """
    with Manager() as manager:
        index: DictProxy[str, list[str]] = manager.dict(tea=[])
        index["tea"].append("a.txt")
        assert index["tea"] == ["a.txt"], f"the index says {index['tea']}"


if __name__ == "__main__":
    main()

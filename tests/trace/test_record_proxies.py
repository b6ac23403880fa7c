"""Calls of a manager's objects are recorded: which method of which object, by whom, and how long it took."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from commands import cookbook
from parallel_cookbook.report.trace import summary_lines, to_json
from parallel_cookbook.trace.picture import picture_of
from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.states import State
from parallel_cookbook.trace.summary import summarise
from traced import plain, trace

if TYPE_CHECKING:
    from pathlib import Path

    from traced import Traced

METHODS = ["fork", "spawn", "forkserver"]


def program(tmp_path: Path, source: str) -> Path:
    file = tmp_path / "program.py"
    file.write_text(source, encoding="utf-8")
    return file


def calls(done: Traced) -> list[tuple[str, str, str, bool]]:
    """Return each call: by whom, of what, which method, and whether it went well."""
    return [
        (
            done.task(record),
            done.label(record),
            done.recording.methods[record.value],
            record.result,
        )
        for record in done.of(Kind.CALL)
    ]


SHARING = """\
from multiprocessing import Manager, Process

def work(totals, names, space, count):
    totals.append(1)
    names["w"] = len(totals)
    space.x += 1
    count.value = 7

if __name__ == "__main__":
    with Manager() as manager:
        totals = manager.list([5])
        names = manager.dict()
        space = manager.Namespace(x=1)
        count = manager.Value("i", 0)
        worker = Process(target=work, args=(totals, names, space, count), name="w")
        worker.start()
        worker.join()
        print(totals[1], names.get("w"), space.x, count.value)
"""


@pytest.mark.parametrize("method", METHODS)
def test_each_call_is_one_event(tmp_path: Path, method: str) -> None:
    """Lists, dicts, namespaces and Values go by the names of the program in every process."""
    done = trace(program(tmp_path, SHARING), method=method)
    assert done.stdout == "1 2 2 7\n"
    assert calls(done) == [
        ("w", "totals", "append", True),
        ("w", "totals", "__len__", True),
        ("w", "names", "__setitem__", True),
        ("w", "space", "__getattribute__", True),
        ("w", "space", "__setattr__", True),
        ("w", "count", "set", True),
        ("main", "totals", "__getitem__", True),
        ("main", "names", "get", True),
        ("main", "space", "__getattribute__", True),
        ("main", "count", "get", True),
    ]
    assert all(record.ended > record.began for record in done.of(Kind.CALL))
    assert {
        thing.kind for thing in done.recording.things if thing.label in {"totals", "count"}
    } == {"proxy"}
    requests = [record for record in done.recording.records if record.is_request]
    assert len([record for record in requests if record.kind == Kind.CALL]) == 10


MEETING = """\
from multiprocessing import Manager, Process

def work(lock, places, tasks, bell, gate):
    bell.wait()
    gate.wait()
    while (item := tasks.get()) is not None:
        with lock, places:
            tasks.task_done()
    tasks.task_done()

if __name__ == "__main__":
    with Manager() as manager:
        lock, places = manager.RLock(), manager.Semaphore(2)
        bell, gate = manager.Event(), manager.Barrier(2)
        tasks = manager.JoinableQueue(2)
        worker = Process(target=work, args=(lock, places, tasks, bell, gate), name="w")
        worker.start()
        bell.set()
        gate.wait()
        for item in [1, 2, False, None]:
            tasks.put(item)
        tasks.join()
        print(lock.acquire(False), lock.acquire(timeout=1), bell.wait(timeout=5))
        lock.release()
        lock.release()
        worker.join()
"""


@pytest.mark.parametrize("method", METHODS)
def test_a_managers_locks_and_queues_are_recorded_as_such(tmp_path: Path, method: str) -> None:
    """What is done to them has the kinds of any other lock, queue, event or barrier."""
    done = trace(program(tmp_path, MEETING), method=method)
    assert done.stdout == "True True True\n"
    assert done.code == 0
    kinds = {thing.label: thing.kind for thing in done.recording.things}
    expected = {"lock": "rlock", "places": "semaphore", "bell": "event", "gate": "barrier"}
    assert expected.items() <= kinds.items()
    assert kinds["tasks"] == "queue"
    for kind, label, number in [
        (Kind.ACQUIRE, "lock", 5),
        (Kind.RELEASE, "lock", 5),
        (Kind.ACQUIRE, "places", 3),
        (Kind.RELEASE, "places", 3),
        (Kind.PUT, "tasks", 4),
        (Kind.GET, "tasks", 4),
        (Kind.TASK_DONE, "tasks", 4),
        (Kind.QUEUE_JOIN, "tasks", 1),
        (Kind.WAIT, "bell", 2),
        (Kind.SET, "bell", 1),
        (Kind.BARRIER, "gate", 2),
    ]:
        found = done.of(kind, label=label)
        assert len(found) == number, (kind, label)
        assert all(record.result for record in found)


def test_no_two_tasks_seem_to_hold_a_managers_lock(tmp_path: Path) -> None:
    """Its release is noted before it is sent, its acquire after the answer."""
    source = """\
from multiprocessing import Manager, Process

def work(lock):
    for _ in range(30):
        with lock:
            pass

if __name__ == "__main__":
    with Manager() as manager:
        lock = manager.Lock()
        workers = [Process(target=work, args=(lock,)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
"""
    done = trace(program(tmp_path, source))
    records = done.of(Kind.ACQUIRE, Kind.RELEASE)
    assert len(records) == 180
    for acquire, release in zip(records[::2], records[1::2], strict=True):
        assert (acquire.kind, release.kind) == (Kind.ACQUIRE, Kind.RELEASE)
        assert acquire.task == release.task


SLOW = """\
import time
from multiprocessing.managers import BaseManager

class Store:
    def find(self, name):
        time.sleep(0.2)
        if name == "missing":
            raise KeyError(name)
        return name

class Stores(BaseManager):
    pass

Stores.register("Store", Store)

if __name__ == "__main__":
    with Stores() as manager:
        store = manager.Store()
        print(store.find("this"))
        try:
            store.find("missing")
        except KeyError as error:
            print(error)
"""


@pytest.mark.parametrize("method", METHODS)
def test_who_waits_for_a_manager_does_not_run(tmp_path: Path, method: str) -> None:
    """The program's own type: the time is blocked, on that method, in the summary and in the picture."""
    done = trace(program(tmp_path, SLOW), method=method)
    assert done.stdout == "this\n'missing'\n"
    assert calls(done) == [("main", "store", "find", True), ("main", "store", "find", False)]
    summary = summarise(done.recording)
    [use] = summary.calls
    assert use.called == 2
    assert use.waited >= 400_000_000
    assert summary.tasks[0].spent[State.BLOCKED] >= 400_000_000
    console = Console(file=io.StringIO(), width=80, color_system=None)
    for part in summary_lines(summary, "exit code 0"):
        console.print(part)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Calls of a manager" in text
    assert "store.find" in text
    assert to_json(summary, "pass", "")["calls"][0]["label"] == "store.find"
    labels = {one.label for one in picture_of(summary).slices if one.state == "blocked"}
    assert "waits for store.find" in labels
    [server] = [task for task in done.recording.tasks if task.name == "Stores-1"]
    assert server.is_helper
    assert all(piece.task != server.index or piece.what == "start" for piece in summary.path.pieces)


HANGING = """\
import os, subprocess, threading
from multiprocessing import Manager

def end(server):
    # Not before we are gone: the call would fail, and so come back.
    later = f"sleep 0.3; kill -9 {server.pid}"
    subprocess.Popen(["sh", "-c", later], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os._exit(3)

if __name__ == "__main__":
    manager = Manager()
    bag = manager.dict()
    queue = manager.Queue()
    print(bag.get(1), flush=True)
    threading.Timer(0.5, end, (manager._process,)).start()
    queue.get()
"""


def test_a_call_that_never_comes_back_was_asked_for(tmp_path: Path) -> None:
    """The request is on the tape: who is stuck at a manager's queue is told so."""
    done = trace(program(tmp_path, HANGING))
    assert done.code == 3
    summary = summarise(done.recording, was_cut_off=True)
    [last] = summary.waits[0][-1:]
    assert (last.kind, summary.words.thing(last.thing)) == (Kind.GET, "queue")
    assert not last.succeeded


def test_arguments_that_no_manager_understands_fail_as_they_do(tmp_path: Path) -> None:
    """Also those of which the recorder tries to tell whether they are a time-out."""
    source = """\
import array
from multiprocessing import Manager

if __name__ == "__main__":
    with Manager() as manager:
        lock, queue, event = manager.Lock(), manager.Queue(), manager.Event()
        for call in [
            lambda: lock.acquire([], {}),
            lambda: lock.acquire("no", "time"),
            lambda: queue.get(nothing=1),
            lambda: queue.get(True, timeout=[1]),
            lambda: queue.put(),
            lambda: queue.get(False),
            lambda: event.wait({}),
            lambda: lock.release(),
            lambda: lock._callmethod("acquire", kwds={"timeout": 2}),
            lambda: lock._callmethod("nothing"),
            lambda: lock._callmethod("acquire", 5),
            lambda: lock._callmethod("acquire", (), 5),
            lambda: lock._callmethod("acquire", (False,), {"timeout": array.array("i", [1])}),
        ]:
            try:
                print(call())
            except BaseException as error:
                print(type(error).__name__, str(error).splitlines()[:1])
"""
    file = program(tmp_path, source)
    expected = plain(file)
    done = trace(file)
    assert (done.stdout, done.code) == (expected.stdout, expected.returncode)


def test_a_deadlock_at_a_managers_locks_names_their_holders(tmp_path: Path) -> None:
    """As with other locks; the manager itself could go on, so the program is not ended for it."""
    source = """\
from multiprocessing import Manager, Process

def work(first, second, gate):
    with first:
        gate.wait()
        with second:
            pass

if __name__ == "__main__":
    with Manager() as manager:
        left, right, gate = manager.Lock(), manager.Lock(), manager.Barrier(2)
        workers = [
            Process(target=work, args=(*pair, gate), name=name)
            for name, pair in {"p": (left, right), "q": (right, left)}.items()
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
"""
    done = cookbook("trace", str(program(tmp_path, source)), "--json", "--timeout", "4")
    hang = json.loads(done.stdout)["hang"]
    assert hang["is_deadlock"]
    assert len(hang["cycle"]) == 2
    lines = [one["line"] for one in hang["waiting"] if one["is_in_deadlock"]]
    assert any("lock right, held by q" in line for line in lines)
    assert any("lock left, held by p" in line for line in lines)


def test_a_method_that_never_returns_is_named(tmp_path: Path) -> None:
    """Who is stuck waits for the manager's answer to it."""
    source = """\
import threading
from multiprocessing.managers import BaseManager

class Store:
    def find(self):
        threading.Event().wait()

class Stores(BaseManager):
    pass

Stores.register("Store", Store)

if __name__ == "__main__":
    with Stores() as manager:
        store = manager.Store()
        store.find()
"""
    done = cookbook("trace", str(program(tmp_path, source)), "--json", "--timeout", "3")
    lines = [one["line"] for one in json.loads(done.stdout)["hang"]["waiting"]]
    assert "main waits at program.py:16 for the manager's answer to store.find" in lines

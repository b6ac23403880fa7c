"""What tasks meet at is named as the program's text names it."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.trace.labels import Call, Labels
from traced import trace

if TYPE_CHECKING:
    from pathlib import Path

BEFORE = """
import multiprocessing, queue, threading
from dataclasses import dataclass, field
from threading import Lock

@dataclass
class Account:
    owner: str
    lock: Lock = field(default_factory=threading.Lock)
    other: Lock = field(default_factory=lambda: threading.Lock())

@dataclass(slots=True)
class Slotted:
    given: Lock = field(default_factory=Lock)
    made: Lock = field(default_factory=Lock)

class Bank:
    shared = Lock()

    def __init__(self):
        self.lock, self.log = Lock(), Lock()

class Holder:
    def __init__(self, lock):
        self.lock = lock

"""


@pytest.mark.parametrize(
    ("line", "made", "names"),
    [
        ("a = Lock(); b = Lock()", "a, b", ["a", "b"]),
        ("a, b = Lock(), threading.Lock()", "a, b", ["a", "b"]),
        ("(a, [b, c]) = Lock(), [Lock(), Lock()]", "a, b, c", ["a", "b", "c"]),
        ("ü = Lock(); a = Lock()", "ü, a", ["ü", "a"]),
        ("a: Lock = Lock()", "a,", ["a"]),
        ("a = Lock() if True else None", "a,", ["a"]),
        ("print(a := Lock())", "a,", ["a"]),
        ("both = [Lock(), Lock()]", "*both,", ["both[0]", "both[1]"]),
        ("both = {'x': Lock(), 'y': Lock()}", "*both.values(),", ["both['x']", "both['y']"]),
        ("both = dict(x=Lock(),\n    y=Lock())", "*both.values(),", ["both.x", "both.y"]),
        ("three = [Lock() for _ in range(3)]", "*three,", ["three[0]", "three[1]", "three[2]"]),
        ("a, b = [Lock() for _ in range(2)]", "a, b", ["a", "b"]),
        ("rows = [[Lock() for _ in 'ab'] for _ in 'c']", "*rows[0],", ["rows", "rows #2"]),
        ("two = []\nfor _ in 'ab': two.append(Lock())", "*two,", ["two", "two #2"]),
        ("a = Lock()\na = Lock()", "a,", ["a"]),
        (
            "x, y = Account('x'), Account('y')",
            "x.lock, y.lock",
            ["Account.lock", "Account.lock #2"],
        ),
        ("x = Account('x')", "x.other, x.lock", ["Account.other", "Account.lock"]),
        ("x = Slotted(Lock())", "x.made, x.given", ["Slotted.made", "x"]),
        ("x = Bank()", "x.lock, x.log, x.shared", ["Bank.lock", "Bank.log", "Bank.shared"]),
        ("x = Holder(lock=Lock())", "x.lock,", ["x.lock"]),
        ("def new(): return Lock()\nx = new()", "x,", ["lock"]),
        ("a, b = multiprocessing.Lock(), multiprocessing.RLock()", "a, b", ["a", "b"]),
        ("a, b = threading.Semaphore(), threading.RLock()", "a, b", ["a", "b"]),
    ],
)
def test_a_lock_is_called_what_it_is_assigned_to(
    tmp_path: Path, line: str, made: str, names: list[str]
) -> None:
    """By the very call that made it, however many the line has; what is made again is numbered."""
    file = tmp_path / "program.py"
    use = f"for lock in ({made}):\n    with lock: pass\n"
    body = textwrap.indent(f"{line}\n{use}", "    ")
    file.write_text(f"{BEFORE}if __name__ == '__main__':\n{body}", encoding="utf-8")
    done = trace(file)
    assert done.code == 0, done.stderr
    taken = [
        done.label(record) for record in done.recording.records if record.kind.name == "ACQUIRE"
    ]
    assert taken == names


def test_two_queues_and_the_ends_of_a_pipe_have_their_names(tmp_path: Path) -> None:
    """Whatever is made of several in a line."""
    file = tmp_path / "program.py"
    line = "a, b = queue.Queue(), queue.Queue(); a.put(1); b.put(1)"
    pipe = "left, right = multiprocessing.Pipe(); left.send(1); right.recv()"
    file.write_text(f"{BEFORE}\n{line}\n{pipe}\n", encoding="utf-8")
    labels = [thing.label for thing in trace(file).recording.things]
    assert {"a", "b", "left → right"} <= set(labels)
    many = (
        "pipes = [multiprocessing.Pipe() for _ in range(2)]\nfor a, b in pipes: a.send(1); b.recv()"
    )
    conditions = (
        "c, d = [threading.Condition() for _ in 'cd']\nfor one in c, d:\n    with one: pass"
    )
    file = tmp_path / "many.py"
    file.write_text(f"{BEFORE}\n{many}\n{conditions}\n", encoding="utf-8")
    labels = [thing.label for thing in trace(file).recording.things]
    assert {"pipes[0]", "pipes[1]", "c.lock", "d.lock"} <= set(labels)


def test_without_columns_or_text_the_line_says_it(tmp_path: Path) -> None:
    """A file that is gone, or has changed, or was run without columns, still gives names."""
    labels = Labels()
    gone = Call(str(tmp_path / "gone.py"), (1, 5), 0, "")
    assert labels.label("lock", "self.lock = Lock()", "Bank.__init__", call=gone) == "Bank.lock"
    assert labels.label("lock", "lock = Lock()", "main") == "lock"
    broken = tmp_path / "broken.py"
    broken.write_text("a = = Lock()", encoding="utf-8")
    call = Call(str(broken), (1, 12), 0, "")
    assert labels.label("lock", "guard = Lock()", "main", call=call) == "guard"
    file = tmp_path / "program.py"
    file.write_text("import threading\nwith threading.Lock() as x: pass\n", encoding="utf-8")
    done = trace(file)
    assert [thing.label for thing in done.recording.things] == ["x"], sys.version

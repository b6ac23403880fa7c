"""Data races in what processes share: which programs have one, and what is said of it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry

HEAD = """\
import ctypes
import operator
import struct
import time
from ctypes import Structure, Union, c_byte, c_int
from multiprocessing import Array, Barrier, Event, Lock, Manager, Process, Queue, RawArray, RawValue, Value
from io import BytesIO
from multiprocessing.heap import BufferWrapper
from multiprocessing.shared_memory import ShareableList, SharedMemory
from struct import pack_into, unpack_from

INT = struct.Struct("i")


class Point(Structure):
    _fields_ = [("x", c_int), ("y", c_int)]


class Either(Union):
    _fields_ = [("point", Point), ("number", c_int)]


def both(first, second, *args):
    processes = [Process(target=work, args=args) for work in (first, second)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

"""


def check(
    folder: Path,
    works: str,
    main: str,
    *,
    races: str = "warn",
    strategy: str = "dpor",
    max_executions: int = 5000,
) -> CheckReport:
    """Check a program of two functions and the body of its main to its end."""
    file = folder / "program.py"
    body = textwrap.indent(textwrap.dedent(main).strip(), "    ")
    file.write_text(f'{HEAD}{textwrap.dedent(works)}\nif __name__ == "__main__":\n{body}\n')
    return check_entry(
        Entry(file),
        target="program.py",
        strategy=strategy,
        budget=Budget(max_executions, 60),
        races=races,
        keep_going=True,
    )


def lines_of(report: CheckReport) -> set[str]:
    """Return the source lines of the program at which a report warns of data races."""
    found = set()
    for warning in report.warnings:
        assert warning.kind == "data-race"
        file, _, line = warning.location.rpartition(":")
        found.add(Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1].strip())
    return found


UPDATE = "def work(x, lock):\n    {}\n"
UPDATES = [
    ("Value('i', 0)", "x.value += 1"),
    ("Value('i', 0, lock=False)", "x.value += 1"),
    ("Value(Point, 0, 0)", "x.x += 1"),
    ("Value('i', 0, lock=Lock())", "x.value += 1"),
    ("RawValue('i', 0)", "x.value += 1"),
    ("RawValue(Either)", "x.point.x += 1"),
    ("Array('i', 2)", "x[1] += 1"),
    ("Array('i', 2, lock=False)", "x[-1] += 1"),
    ("RawArray(Point, 2)", "x[1].y += 1"),
    ("Array(Point, 2)", "x[1].y += 1"),
    ("ShareableList([0, 0])", "x[1] += 1"),
    (
        "SharedMemory(create=True, size=8)",
        "pack_into('i', x.buf, 0, unpack_from('i', x.buf, 0)[0] + 1)",
    ),
    (
        "SharedMemory(create=True, size=8)",
        "INT.pack_into(x.buf, 0, INT.unpack_from(x.buf, 0)[0] + 1)",
    ),
    ("SharedMemory(create=True, size=8)", "struct.pack_into('B', x.buf, 0, x.buf[0] + 1)"),
    ("SharedMemory(create=True, size=8)", "x.buf.__setitem__(0, x.buf.__getitem__(0) + 1)"),
    ("SharedMemory(create=True, size=8)", "operator.setitem(x.buf, 0, x.buf[0] + 1)"),
    ("SharedMemory(create=True, size=8)", "BytesIO(bytes([x.buf[0] + 1])).readinto(x.buf[:1])"),
    ("SharedMemory(create=True, size=8)", "x.buf[:1] = bytes([x.buf.tobytes()[0] + 1])"),
    ("BufferWrapper(8)", "x.create_memoryview()[0] += 1"),
    ("RawArray('b', 2)", "x[0] = bytes(x)[0] + 1"),
    ("RawArray('c', 2)", "x.value = bytes([x.raw[0] + 1])"),
    ("SharedMemory(create=True, size=16)", "x.buf[1] += 1"),
    ("SharedMemory(create=True, size=16)", "x.buf[1:3] = bytes(x.buf[2:4])"),
    ("Manager().dict(n=0)", "x['n'] += 1"),
    ("Manager().dict(n=0)", "x['n'] = x.get('n') + 1"),
    ("Manager().list([0])", "x[0] += 1"),
    ("Manager().Namespace(n=0)", "x.n += 1"),
    ("Manager().Value('i', 0)", "x.value += 1"),
    ("Manager().Value('i', 0)", "x.set(x.get() + 1)"),
]


@pytest.mark.parametrize(("make", "update"), UPDATES)
def test_an_update_that_nothing_guards_races(tmp_path: Path, make: str, update: str) -> None:
    """Of whatever kind the shared memory is, and whether each access has a lock of its own or none."""
    works = UPDATE.format(update)
    report = check(tmp_path, works, f"x = {make}\nboth(work, work, x, Lock())")
    assert report.verdict == "pass", report
    assert lines_of(report) == {update}
    (warning,) = report.warnings
    assert "reads and writes it, and nothing orders the two" in warning.message


@pytest.mark.parametrize(("make", "update"), UPDATES)
def test_an_update_under_a_lock_does_not_race(tmp_path: Path, make: str, update: str) -> None:
    """It is the same program, but for the lock."""
    works = UPDATE.format(f"with lock: {update}")
    report = check(tmp_path, works, f"x = {make}\nboth(work, work, x, Lock())")
    assert report.verdict == "pass", report
    assert not report.warnings


LOCKED = "with value.get_lock(): value.value += 1"
RIGHT = {
    "its own lock": (LOCKED, LOCKED),
    "its own lock, taken by hand": (
        "lock = value.get_lock(); lock.acquire(); value.value += 1; lock.release()",
        "value.acquire(); value.value += 1; value.release()",
    ),
    "a blind write": (LOCKED, "value.value = 7"),
    "two blind writes": ("value.value = 1", "value.value = 2"),
    "a reader": (LOCKED, "print(value.value)"),
    "checked twice": (
        "if not value.value:\n        with value.get_lock():\n            value.value = value.value or 1",
        LOCKED,
    ),
    "turns by a barrier": (
        "before = value.value; barrier.wait(); barrier.wait(); value.value = before + 1",
        "barrier.wait(); value.value = 5; barrier.wait()",
    ),
    "turns by a queue": (
        "before = value.value; queue.put(before); event.wait(); value.value = before + 1",
        "value.value = queue.get() + 1; event.set()",
    ),
    "one that waits for the other": (
        "value.value += 1; event.set()",
        "event.wait(); value.value += 1",
    ),
}


@pytest.mark.parametrize(("first", "second"), RIGHT.values(), ids=RIGHT)
def test_what_is_ordered_or_indivisible_does_not_race(
    tmp_path: Path, first: str, second: str
) -> None:
    """One access to a Value is indivisible; an update is if it holds a lock, or if turns are taken."""
    parameters = "value, barrier, queue, event"
    works = f"def one({parameters}):\n    {first}\n\ndef two({parameters}):\n    {second}\n"
    main = "both(one, two, Value('i', 0), Barrier(2), Queue(), Event())"
    report = check(tmp_path, works, main)
    assert report.verdict == "pass", report
    assert not report.warnings


WRONG = {
    "one side only": (LOCKED, "value.value += 1", {"value.value += 1"}),
    "a lock for each half": (
        "before = value.value\n    with value.get_lock(): value.value = before + 1",
        LOCKED,
        {"before = value.value", "with value.get_lock(): value.value = before + 1"},
    ),
    "checked outside": (
        "if not value.value:\n        with value.get_lock(): value.value = 1",
        LOCKED,
        {"if not value.value:", "with value.get_lock(): value.value = 1"},
    ),
    "a sleep between": (
        "before = value.value\n    time.sleep(1)\n    value.value = before + 1",
        "value.value = 9",
        {"before = value.value", "value.value = before + 1"},
    ),
    "two locks": (
        "with locks[0]: value.value += 1",
        "with locks[1]: value.value += 1",
        {"with locks[0]: value.value += 1"},  # the other line is in the message
    ),
}


@pytest.mark.parametrize(("first", "second", "lines"), WRONG.values(), ids=WRONG)
def test_a_lock_held_wrongly_does_not_help(
    tmp_path: Path, first: str, second: str, lines: set[str]
) -> None:
    """The pairs of lines that race are named, and no others."""
    works = f"def one(value, locks):\n    {first}\n\ndef two(value, locks):\n    {second}\n"
    report = check(tmp_path, works, "both(one, two, Value('i', 0), [Lock(), Lock()])")
    assert lines_of(report) == lines


def test_the_lock_of_one_side_is_named(tmp_path: Path) -> None:
    """Who reads it sees both lines, which lock is held at one, and that the other holds it too briefly."""
    works = f"def one(value):\n    {LOCKED}\n\ndef two(value):\n    value.value += 1\n"
    report = check(tmp_path, works, "value = Value('i', 0)\nboth(one, two, value)")
    (warning,) = report.warnings
    assert warning.message == (
        "value.value: Process-1 writes it in line 31, Process-2 reads and writes it in line 34, and "
        "nothing orders the two: line 31 holds value.get_lock() and line 34 holds value.get_lock() "
        "for each access by itself only, not from one to the next"
    )


@pytest.mark.parametrize(
    ("make", "first", "second", "races"),
    [
        ("SharedMemory(create=True, size=32)", "x.buf[1] = 1", "x.buf[2] = 1", False),
        ("SharedMemory(create=True, size=32)", "x.buf[0:2] = b'ab'", "x.buf[2:4] = b'cd'", False),
        ("SharedMemory(create=True, size=32)", "x.buf[0:3] = b'abc'", "x.buf[2:4] = b'cd'", True),
        ("SharedMemory(create=True, size=32)", "x.buf[5:20] = bytes(15)", "x.buf[19] = 1", True),
        ("SharedMemory(create=True, size=32)", "x.buf[5:20] = bytes(15)", "x.buf[20] = 1", False),
        ("SharedMemory(create=True, size=32)", "x.buf[4:8].cast('i')[0] = 1", "x.buf[7] = 1", True),
        ("SharedMemory(create=True, size=32)", "print(x.buf[3])", "x.buf[3] = 1", True),
        ("RawArray('i', 4)", "x[0] = 1", "x[1] = 1", False),
        ("RawArray('i', 4)", "x[0:2] = [1, 1]", "x[1] = 1", True),
        ("RawArray('i', 4)", "x[0:2] = [1, 1]", "x[2:4] = [2, 2]", False),
        ("RawArray('i', 4)", "print(sum(x))", "x[3] = 1", True),
        ("RawArray('c', 4)", "x.value = b'ab'", "x[3] = b'c'", True),
        ("RawArray(Point, 2)", "x[0].x = 1", "x[0].y = 1", False),
        ("RawArray(Point, 2)", "x[0] = Point(1, 2)", "x[0].y = 1", True),
        ("RawValue(Either)", "x.point.y = 1", "x.number = 1", True),
        ("Value('i', 0)", "x.value = 1", "x.get_obj().value = 2", True),
        ("ShareableList([1, 2])", "x[0] = 5", "x[1] = 5", False),
    ],
)
def test_only_overlapping_accesses_race(
    tmp_path: Path, make: str, first: str, second: str, races: bool
) -> None:
    """Neighbours do not race, however close they are: slices, fields, items."""
    works = f"def one(x):\n    {first}\n\ndef two(x):\n    {second}\n"
    report = check(tmp_path, works, f"x = {make}\nboth(one, two, x)")
    assert report.verdict == "pass", report
    assert bool(report.warnings) == races


@pytest.mark.parametrize(
    ("make", "use", "what"),
    [
        ("SharedMemory(create=True, size=8)", "c_int.from_buffer(x.buf)", "from_buffer of a view"),
        (
            "SharedMemory(create=True, size=8)",
            "list(struct.iter_unpack('i', x.buf))",
            "iter_unpack",
        ),
        ("RawArray('i', 2)", "memoryview(x)[0] = 1", "memoryview of an object"),
        ("Array('i', 2)", "ctypes.memset(x.get_obj(), 1, 4)", "a function of C of an object"),
    ],
)
def test_what_keeps_shared_memory_is_refused(
    tmp_path: Path, make: str, use: str, what: str
) -> None:
    """Nobody would see the accesses that it makes later."""
    report = check(tmp_path, UPDATE.format(use), f"x = {make}\nboth(work, work, x, Lock())")
    assert report.verdict == "error"
    assert report.failures[0].kind == "unsupported"
    assert what in report.failures[0].message


def test_a_race_can_be_an_error(tmp_path: Path) -> None:
    """With `races="error"` the program fails, with the kind data-race and the line."""
    works = UPDATE.format("x.value += 1")
    main = "x = Value('i', 0)\nboth(work, work, x, Lock())"
    report = check(tmp_path, works, main, races="error")
    assert report.verdict == "fail"
    (failure,) = report.failures
    assert (failure.kind, failure.location[-3:]) == ("data-race", ":31")
    assert not check(tmp_path, works, main, races="ignore").warnings


@pytest.mark.parametrize("strategy", ["dfs", "random", "pct"])
def test_every_strategy_sees_races(tmp_path: Path, strategy: str) -> None:
    """Those that repeat no steps note all of them anew."""
    works = UPDATE.format("x.value += 1")
    main = "x = Value('i', 0)\nboth(work, work, x, Lock())"
    report = check(tmp_path, works, main, strategy=strategy, max_executions=100)
    assert lines_of(report) == {"x.value += 1"}

"""Programs of processes that do their worst: each ends with the right verdict, and says what was wrong."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry

if TYPE_CHECKING:
    from pathlib import Path

MAX_S = 20
GUARDED = """\
import os, threading, time
from multiprocessing import *

{top}

if __name__ == "__main__":
    {main}
"""
RUN = "p = Process(target=work); p.start(); p.join()"

HOSTILE = {
    "a result that cannot be pickled": (
        "def work(end): end.send(lambda: 1)",
        "here, there = Pipe(); p = Process(target=work, args=(there,)); p.start(); p.join()",
        ("fail", "exception", "local object 'work.<locals>.<lambda>'"),
    ),
    "a result that is lost in the feeder": (
        "def work(queue): queue.put(lambda: 1)",
        "queue = Queue(); Process(target=work, args=(queue,)).start(); queue.get()",
        ("fail", "deadlock", "MainThread waits to"),
    ),
    "an exception that cannot be pickled": (
        (
            "class Odd(Exception):\n    def __init__(self): self.lock = threading.Lock()\n"
            "def work(end):\n    try: raise Odd\n    except Odd as error: end.send(error)"
        ),
        "here, there = Pipe(); p = Process(target=work, args=(there,)); p.start(); p.join()",
        ("fail", "exception", "cannot pickle '_thread.lock' object"),
    ),
    "an exception that cannot be unpickled": (
        (
            "class Odd(Exception):\n    def __init__(self, a, b): super().__init__(a)\n"
            "def work(end): end.send(Odd(1, 2))"
        ),
        "here, there = Pipe(); Process(target=work, args=(there,)).start(); here.recv()",
        ("fail", "exception", "missing 1 required positional argument"),
    ),
    "a child that never ends": (
        "def work():\n    while True: pass",
        RUN,
        ("fail", "livelock", ""),
    ),
    "a child that computes for ever": (
        "def work():\n    x = 0\n    while True: x += 1",
        RUN,
        ("unknown", "step-limit", ""),
    ),
    "a child that waits for ever": (
        "def work(): Event().wait()",
        RUN,
        ("fail", "deadlock", "MainThread waits to"),
    ),
    "an orphan": (
        (
            "def inner(): time.sleep(9)\n"
            "def work():\n    p = Process(target=inner); p.start(); os._exit(0)"
        ),
        RUN,
        ("pass", "", ""),
    ),
    "a process in a process": (
        "def inner(): pass\ndef work():\n    p = Process(target=inner); p.start(); p.join()",
        RUN,
        ("pass", "", ""),
    ),
    "a daemon with children": (
        "def inner(): pass\ndef work(): Process(target=inner).start()",
        "p = Process(target=work, daemon=True); p.start(); p.join()",
        ("fail", "assertion", "daemonic processes are not allowed to have children"),
    ),
    "a message of 100 MB": (
        "def work(end): end.send_bytes(bytes(100_000_000))",
        (
            "here, there = Pipe(); p = Process(target=work, args=(there,)); p.start(); "
            "assert len(here.recv_bytes()) == 100_000_000; p.join()"
        ),
        ("pass", "", ""),
    ),
    "a message of 100 MB that nobody takes": (
        "def work(end): end.send_bytes(bytes(100_000_000))",
        "here, there = Pipe(); p = Process(target=work, args=(there,)); p.start(); p.join()",
        ("fail", "deadlock", "MainThread waits to"),
    ),
}


def check(folder: Path, source: str) -> CheckReport:
    """Check a program within bounded time, and a good one right after it."""
    file = folder / "program.py"
    file.write_text(source)
    budget = Budget(None, MAX_S)
    report = check_entry(Entry(file), target="program.py", budget=budget, max_steps=2000)
    assert report.unexplored != f"{MAX_S} seconds"
    file.write_text("def work(): pass\n" + GUARDED.format(top="", main=RUN))
    assert check_entry(Entry(file), target="program.py", budget=budget).verdict == "pass"
    return report


@pytest.mark.parametrize("name", HOSTILE)
def test_it_ends_with_the_right_verdict(name: str, tmp_path: Path) -> None:
    """The verdict, the kind and the message are right."""
    top, main, (verdict, kind, message) = HOSTILE[name]
    report = check(tmp_path, GUARDED.format(top=top, main=main))
    assert report.verdict == verdict, report
    assert {failure.kind for failure in report.failures} == ({kind} if kind else set())
    assert all(message in failure.message for failure in report.failures), report


def test_an_unguarded_main(tmp_path: Path) -> None:
    """The child that executes it again gets the error of real life."""
    source = """
        from multiprocessing import Process
        def work(): pass
        p = Process(target=work)
        p.start()
        p.join()
        """
    report = check(tmp_path, dedent(source))
    assert report.verdict == "fail"
    (failure,) = report.failures
    assert failure.kind == "exception"
    assert "before the current process has finished its bootstrapping phase" in " ".join(
        failure.message.split()
    )


def test_children_of_children_without_end(tmp_path: Path) -> None:
    """They are cut off, with the line that starts them: nothing is known to go wrong."""
    top = "def work():\n    p = Process(target=work); p.start(); p.join()"
    report = check(tmp_path, GUARDED.format(top=top, main=RUN))
    assert (report.verdict, report.exhaustive) == ("unknown", False)
    (failure,) = report.failures
    assert (failure.kind, failure.location[-2:]) == ("step-limit", ":5")
    assert "would be the 41st process inside of one another" in failure.message


def test_children_of_children_that_end(tmp_path: Path) -> None:
    """A chain of processes that stops is followed to its end."""
    top = "def work(n):\n    p = Process(target=work, args=(n - 1,)); n and (p.start(), p.join())"
    main = "p = Process(target=work, args=(39,)); p.start(); p.join()"
    assert check(tmp_path, GUARDED.format(top=top, main=main)).verdict == "pass"

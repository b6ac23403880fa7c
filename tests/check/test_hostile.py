"""Programs that do their worst: each ends with the right verdict, and the next check works."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry
from parallel_cookbook.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import CheckReport

BY_THREAD = "import threading\n{body}\nt = threading.Thread(target=f)\nt.start()\nt.join()\n"

HOSTILE = {
    "a loop without a scheduling point": ("def f():\n    while True: pass", "fail", "livelock"),
    "a loop that computes for ever": (
        "def f():\n    x = 0\n    while True: x += 1",
        "unknown",
        "step-limit",
    ),
    "a loop with scheduling points": (
        "lock = threading.Lock()\ndef f():\n    x = 0\n    while True:\n        with lock: x += 1",
        "unknown",
        "step-limit",
    ),
    "recursion without end": ("def f(): f()", "fail", "exception"),
    "recursion without end through hooks": (
        "class C:\n    def f(self): self.f()\ndef f(): C().f()",
        "fail",
        "exception",
    ),
    "recursion without end through a property": (
        "class C:\n    @property\n    def f(self): return self.f\ndef f(): C().f",
        "fail",
        "exception",
    ),
    "sys.exit in a task": ("import sys\ndef f(): sys.exit(3)", "pass", None),
    "os._exit": ("import os\ndef f(): os._exit(3)", "error", "unsupported"),
    "a socket": ("import socket\ndef f(): socket.socket()", "error", "unsupported"),
    "a socket whose refusal is caught": (
        "import socket\ndef f():\n    try: socket.socket()\n    except Exception: pass",
        "error",
        "unsupported",
    ),
    "a subprocess": ("import subprocess\ndef f(): subprocess.run(['ls'])", "error", "unsupported"),
    "a fork": ("import os\ndef f(): os.fork()", "error", "unsupported"),
    "an import of what may not be used": (
        "import socket, signal, subprocess, asyncio\ndef f(): pass",
        "pass",
        None,
    ),
    "a task that swallows every exception": (
        (
            "lock = threading.Lock()\nlock.acquire()\ndef f():\n    while True:\n"
            "        try: lock.acquire()\n        except BaseException: pass"
        ),
        "fail",
        "deadlock",
    ),
    "a million lines of output": (
        "def f():\n    for i in range(1_000_000): print(i)",
        "unknown",
        "step-limit",
    ),
    "a generator and a with block that are cut off": (
        (
            "from contextlib import contextmanager\nlock = threading.Lock()\n@contextmanager\n"
            "def held():\n    with lock:\n        yield\n"
            "def numbers():\n    with held():\n        yield 1\n"
            "def f():\n    for _ in numbers():\n        lock.acquire()"
        ),
        "fail",
        "deadlock",
    ),
    "an exception whose text cannot be made": (
        "class E(Exception):\n    def __str__(self): raise ValueError\ndef f(): raise E",
        "fail",
        "exception",
    ),
}


def check_source(folder: Path, source: str, **options: object) -> CheckReport:
    file = folder / "program.py"
    file.write_text(dedent(source))
    options.setdefault("budget", Budget(max_seconds=20))
    return check_entry(Entry(file), target="program.py", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", HOSTILE)
def test_it_ends_with_the_right_verdict(name: str, tmp_path: Path) -> None:
    """The verdict and the kind are right, and a check of a good program right after it is right too."""
    body, verdict, kind = HOSTILE[name]
    report = check_source(tmp_path, BY_THREAD.format(body=body), max_steps=2000)
    assert report.verdict == verdict, report
    assert {failure.kind for failure in report.failures} == ({kind} if kind else set())
    after = check_source(tmp_path, BY_THREAD.format(body="def f(): pass"))
    assert after.verdict == "pass"


def test_a_thousand_tasks(tmp_path: Path) -> None:
    """Many tasks that have nothing to do with one another are one class."""
    source = (
        "import threading\n"
        "threads = [threading.Thread(target=lambda: None) for _ in range(1000)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
    )
    report = check_source(tmp_path, source)
    assert (report.verdict, report.executions) == ("pass", 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"x = (", "never closed"), (b"x = 1\0", "null byte"), (b"# coding: nonsense\n", "nonsense")],
)
def test_a_file_that_is_no_program_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """One line says which file, and what is wrong with it."""
    file = tmp_path / "broken.py"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        check_entry(Entry(file), target="broken.py")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """As for any other command."""
    with pytest.raises(UsageError, match="cannot read"):
        check_entry(Entry(tmp_path / "missing.py"), target="missing.py")


@pytest.mark.parametrize(
    "body",
    [
        "import random\nseen = random.random()",
        "import time\nseen = (time.time(), time.monotonic(), time.perf_counter())",
        "import threading\nseen = threading.get_ident()",
    ],
)
def test_what_is_random_in_life_is_the_same_in_each_execution(body: str, tmp_path: Path) -> None:
    """Two checks of the same program print the same."""
    source = body + "\nprint(seen)\n"
    first, second = (check_source(tmp_path, source).outcomes[0].stdout for _ in range(2))
    assert first == second

"""A check ends, whatever the program does that is not under its control."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
import threading
import time
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from commands import COOKBOOK, cookbook
from parallel_cookbook import check
from parallel_cookbook.check import Budget, Entry, check_entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from parallel_cookbook.check import CheckReport

STALL_S = 0.3
UNCONTROLLED = """
import _thread, select, time

_taken = _thread.allocate_lock()
_taken.acquire()

def sleep(): time.sleep(1000)
def take(): _taken.acquire()
def select_(): select.select([], [], [], 1000)
def compute():
    while True: pass
def hold_on():
    while True:
        try: time.sleep(1000)
        except BaseException: pass
def finish_late():
    try: time.sleep(1000)
    finally: time.sleep(1000)
"""
CALLS = ["sleep", "take", "select_", "compute", "hold_on", "finish_late"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the name of an installed module, which is not rewritten."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "uncontrolled.py").write_text(UNCONTROLLED)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    yield "uncontrolled"
    sys.modules.pop("uncontrolled", None)


@pytest.fixture
def free_alarm() -> Iterator[None]:
    """Take the alarm away from who uses it, the test runner's time-out, for a while."""
    handler = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


def program(folder: Path, call: str) -> Path:
    file = folder / "program.py"
    file.write_text(
        f"import re, threading, uncontrolled\ndef work():\n    {call}\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()\n"
    )
    return file


def check_file(file: Path, **options: object) -> CheckReport:
    return check_entry(Entry(file), target="program.py", **options)  # type: ignore[arg-type]


def assert_told(report: CheckReport, file: Path, call: str) -> None:
    assert report.verdict == "error"
    (failure,) = report.failures
    assert (failure.kind, failure.task) == ("unsupported", "Thread-1 (work)")
    assert failure.location == f"{file}:3"
    assert f"`{call}`" in failure.message
    assert "--max-stall" in failure.message
    assert not failure.schedule


@pytest.mark.usefixtures("free_alarm")
@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_does_not_come_back_is_told(name: str, package: str, tmp_path: Path) -> None:
    """With the program's own line; the signal is put back, and the next check is right."""
    call = f"{package}.{name}()"
    file = program(tmp_path, call)
    assert_told(check_file(file, max_stall_s=STALL_S), file, call)
    file = program(tmp_path, "pass")
    assert check_file(file).verdict == "pass"


@pytest.mark.usefixtures("package", "free_alarm")
def test_a_regular_expression_without_end_is_told(tmp_path: Path) -> None:
    """It keeps the interpreter's lock, and lets signals be handled."""
    call = 're.match("(a+)+$", "a" * 50 + "b")'
    file = program(tmp_path, call)
    assert_told(check_file(file, max_stall_s=STALL_S), file, call)


@pytest.mark.parametrize("name", CALLS)
def test_it_does_without_a_signal_that_somebody_else_uses(
    name: str, package: str, tmp_path: Path
) -> None:
    """As with a time-out of the test runner's."""
    call = f"{package}.{name}()"
    file = program(tmp_path, call)
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        assert_told(check_file(file, max_stall_s=STALL_S), file, call)
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGALRM, before)


def test_python_code_is_ended_in_another_thread(package: str, tmp_path: Path) -> None:
    """Where no signal can be handled, an exception ends what does not block."""
    call = f"{package}.compute()"
    file = program(tmp_path, call)
    reports: list[CheckReport] = []
    thread = threading.Thread(target=lambda: reports.append(check_file(file, max_stall_s=STALL_S)))
    thread.start()
    thread.join()
    assert_told(reports[0], file, call)


@pytest.mark.usefixtures("package")
def test_what_only_takes_long_is_no_stall(tmp_path: Path) -> None:
    """Loops that turn and points that are reached are signs of life."""
    file = program(tmp_path, "for i in range(400_000): hash(str(i))")
    assert check_file(file, max_stall_s=0.05).verdict == "pass"


@pytest.mark.parametrize(
    "body",
    [
        "lock = threading.Lock()\n    n = 0\n    while True:\n        with lock: n += 1",
        "for n in range(10**12): pass",
    ],
)
@pytest.mark.usefixtures("package")
def test_the_time_limit_holds_within_one_execution(body: str, tmp_path: Path) -> None:
    """An execution without end and without a limit of steps is cut off."""
    file = program(tmp_path, body)
    started = time.monotonic()
    report = check_file(file, budget=Budget(max_seconds=0.5), max_steps=10**9)
    assert (report.verdict, report.failures) == ("unknown", [])
    assert report.unexplored == "0.5 seconds"
    assert time.monotonic() - started < 10


def waits() -> None:
    """Wait for what is not under the check's control, through a module that is installed."""
    import uncontrolled  # type: ignore[import-not-found] # noqa: PLC0415 - made by the test

    uncontrolled.sleep()


@pytest.mark.usefixtures("package")
def test_the_library_reports_it() -> None:
    """`check` returns a report that is no pass, and whose text can be shown."""
    report = check(waits, max_stall_s=STALL_S)
    assert report.verdict == "error"
    assert "uncontrolled.sleep()" in report.text()


def test_the_command_reports_it(tmp_path: Path, package: str) -> None:
    """With the exit code for what cannot be checked."""
    file = program(tmp_path, f"{package}.sleep()")
    done = cookbook(
        "check", file, "--json", "--max-stall", "0.3", PYTHONPATH=str(tmp_path / "site-packages")
    )
    assert done.returncode == 2
    report = json.loads(done.stdout)
    assert (report["verdict"], report["failures"][0]["kind"]) == ("error", "unsupported")


def test_the_command_reports_what_holds_the_interpreter(tmp_path: Path) -> None:
    """C code that never returns stops every thread; another process tells of it."""
    file = tmp_path / "program.py"
    file.write_text("import threading\ndef work():\n    sum(iter(int, 1))\nwork()\n")
    done = cookbook("check", file, "--json", "--max-stall", "0.3")
    assert (done.returncode, done.stderr) == (2, "")
    (failure,) = json.loads(done.stdout)["failures"]
    assert (failure["kind"], failure["location"]) == ("unsupported", f"{file}:3")
    assert "`sum(iter(int, 1))`" in failure["message"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_both_processes(number: signal.Signals, tmp_path: Path) -> None:
    """The one that checks does not outlive the one that the user knows of."""
    file = tmp_path / "program.py"
    file.write_text("import threading\nlock = threading.Lock()\nn = 0\nwhile True:\n    n += 1\n")
    command = [*COOKBOOK, "check", str(file), "--max-steps", "1000000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        time.sleep(1.5)  # until it explores
        process.send_signal(number)
        process.stdout.read()  # until both have let go of it
        assert process.wait() in {128 + number, -number}


def test_a_missing_module_is_the_programs_failure(tmp_path: Path) -> None:
    """Not ours, although it is our loader that cannot find it."""
    file = tmp_path / "program.py"
    file.write_text(dedent("import threading\nimport there_is_no_such_module\n"))
    report = check_file(file)
    assert (report.verdict, report.failures[0].kind) == ("fail", "exception")
    assert report.failures[0].location == f"{file}:2"

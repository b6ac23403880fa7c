"""CPython's own tests of the primitives pass with the recorder inside.

They are the running interpreter's, run by its own `unittest` as a traced module: so all that they call is
what the recorder put in the place of the standard library's functions.
"""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.trace.launch import command_for, note_run
from parallel_cookbook.trace.reader import read_recording

if TYPE_CHECKING:
    from pathlib import Path

if find_spec("test") is None or find_spec("test.lock_tests") is None:
    pytest.skip("this installation comes without CPython's tests", allow_module_level=True)

SUITES = {
    "queues": ["test.test_queue"],
    "locks": [
        f"test.test_threading.{name}"
        for name in (
            "LockTests",
            "CRLockTests",
            "EventTests",
            "ConditionAsRLockTests",
            "ConditionTests",
            "SemaphoreTests",
            "BoundedSemaphoreTests",
            "BarrierTests",
        )
    ],
    "threads": [
        f"test.test_threading.{name}"
        for name in ("ThreadTests", "TimerTests", "ExceptHookTests", "ThreadingExceptionTests")
    ],
    "locals and schedulers": ["test.test_threading_local", "test.test_sched"],
}
PROCESSES = """\
import test._test_multiprocessing

test._test_multiprocessing.install_tests_in_module_dict(globals(), "{method}")
"""
"""What CPython makes a module of for each start method."""
PROCESS_SUITES = {
    ("fork", "primitives"): [
        f"WithProcessesTest{name}"
        for name in (
            "Queue",
            "Lock",
            "Semaphore",
            "Condition",
            "Event",
            "Barrier",
            "Value",
            "Array",
        )
    ],
    ("spawn", "messages"): [
        *("WithProcessesTestQueue", "WithProcessesTestConnection", "TestSimpleQueue"),
        *("WithProcessesTestLock", "WithProcessesTestEvent"),
    ],
}
EXCEPTED = {
    "test_disallow_instantiation": "before 3.13 Lock is a function, and the type of what it returns cannot "
    "be called; here the two are one class",
}
"""Tests that cannot pass, and why."""


@pytest.mark.parametrize("name", SUITES)
def test_cpythons_own_tests_pass_with_the_recorder_inside(tmp_path: Path, name: str) -> None:
    """All of them but the listed ones; and they leave a recording that can be read."""
    run(tmp_path, SUITES[name])


@pytest.mark.parametrize(("method", "name"), PROCESS_SUITES)
def test_cpythons_own_tests_of_processes_pass_with_the_recorder_inside(
    tmp_path: Path, method: str, name: str
) -> None:
    """In the parent and in each child."""
    source = PROCESSES.format(method=method)
    (tmp_path / "tests_of_processes.py").write_text(source, encoding="utf-8")
    run(tmp_path, [f"tests_of_processes.{test}" for test in PROCESS_SUITES[method, name]])
    assert len(list(tmp_path.glob("*.tape"))) > 5


def run(tmp_path: Path, tests: list[str]) -> None:
    """Run these tests in a traced interpreter; all must pass, and what is recorded can be read."""
    note_run(tmp_path, tests)
    command = command_for(tmp_path, "unittest", ["-v", *tests], is_module=True)
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=100, cwd=tmp_path
    )
    failed = set(re.findall(r"^(?:FAIL|ERROR): (\w+)", done.stderr, re.MULTILINE))
    assert failed - EXCEPTED.keys() == set(), done.stderr[-3000:]
    ran = re.search(r"^Ran (\d+) tests", done.stderr, re.MULTILINE)
    assert ran is not None, done.stderr[-3000:]
    assert int(ran[1]) > 10
    assert read_recording(tmp_path).records

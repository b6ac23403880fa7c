"""`pytest --cookbook-trace` records what the tests do, and changes nothing else of them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.trace.reader import read_recording
from parallel_cookbook.trace.recording import Kind

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """\
import threading

lock = threading.Lock()

def test_one():
    thread = threading.Thread(target=lock.acquire, name="taker")
    thread.start()
    thread.join()
    assert lock.locked()
    lock.release()

def test_two():
    with lock:
        assert not "this fails"
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_pytest_records_the_tests(tmp_path: Path, workers: int) -> None:
    """In its own process, and in those of pytest-xdist; the failing test fails as ever."""
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--cookbook-trace", "-p", "no:randomly"]
    command += ["-p", "no:cacheprovider", "-n", str(workers), "test_it.py"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=100, cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "cookbook trace --from .cookbook_trace" in done.stdout
    recording = read_recording(tmp_path / ".cookbook_trace")
    assert recording.exit_code == 1
    names = {process.name for process in recording.processes}
    assert names == {"pytest", *(f"pytest gw{n}" for n in range(workers))}
    assert {process.parent for process in recording.processes[1:]} <= {0}
    of_lock = [
        (recording.tasks[record.task].is_main, record.kind)
        for record in recording.records
        if record.thing >= 0 and recording.things[record.thing].label.startswith("lock")
    ]
    assert of_lock.count((False, Kind.ACQUIRE)) == 1
    assert of_lock.count((True, Kind.RELEASE)) == 2

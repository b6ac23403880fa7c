"""The file of a learner's progress: nothing is lost by crashes, by two windows, by damage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.errors import UsageError
from parallel_cookbook.practice.progress import Progress, ProgressFile, write_at_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MANY_CHANGES = """\
import sys
from pathlib import Path
from parallel_cookbook.practice.progress import ProgressFile

file = ProgressFile(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    name = f"{sys.argv[2]}/{number}"
    file.update(lambda old: old.with_entry(name, passed_at="now", hints=old.of("both").hints))
    file.update(lambda old: old.with_entry("both", hints=old.of("both").hints + 1))
    if number == 0:
        print("began", flush=True)
"""


def passing(name: str) -> Callable[[Progress], Progress]:
    return lambda old: old.with_entry(name, passed_at="2026-01-01T00:00:00Z")


def start_changing(path: Path, name: str, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MANY_CHANGES, str(path), name, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_there_is_no_progress_at_first(tmp_path: Path) -> None:
    """A file that is not there yet is no mistake, and reading makes none."""
    file = ProgressFile(tmp_path / "progress.json")
    assert file.read() == Progress()
    assert not list(tmp_path.iterdir())


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Each field comes back as it was."""
    path = tmp_path / "progress.json"
    written = ProgressFile(path).update(
        lambda old: old.with_entry(
            "a/b", file="x.py", copied="1", told="2", passed_at="t", answer="3", hints=2
        )
    )
    assert ProgressFile(path).read() == written
    assert json.loads(path.read_text())["schema"] == 1


def test_windows_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each change is made to what the others have left."""
    path = tmp_path / "progress.json"
    writers = [start_changing(path, name, 20) for name in ("one", "two", "three")]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    progress = ProgressFile(path).read()
    assert progress.of("both").hints == 60
    assert len(progress.entries) == 61


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    """Whenever it is killed, the file can be read, and the next change is made."""
    path = tmp_path / "progress.json"
    for _ in range(5):
        with start_changing(path, "one", 100_000) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == "began\n"
            writer.send_signal(signal.SIGKILL)
        file = ProgressFile(path)
        assert file.read().has_passed("one/0")
        file.update(passing("mine"))
        assert file.read().has_passed("mine")
        assert not file.take_notices()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"schema": 1, "current": "", "exercises": []}',
        b'{"schema": 1, "current": "", "exercises": {"a/b": 3}}',
        b'{"schema": 1, "current": "", "exercises": {"a/b": {"hints": "many"}}}',
        b'{"schema": 1, "current": "", "exercises": {"a/b": {"hints": -2}}}',
        b'{"schema": 1, "current": 7, "exercises": {}}',
        b'{"schema": "1", "current": "", "exercises": {}}',
    ],
    ids=lambda damage: damage[:20].decode(errors="replace"),
)
def test_a_damaged_file_is_kept_aside_and_told_of(tmp_path: Path, damage: bytes) -> None:
    """Not a byte of it is lost, a sentence says where it is, and work goes on."""
    path = tmp_path / "progress.json"
    path.write_bytes(damage)
    file = ProgressFile(path)
    assert file.read() == Progress()
    (notice,) = file.take_notices()
    assert "progress.damaged-1.json" in notice
    assert (tmp_path / "progress.damaged-1.json").read_bytes() == damage
    file.update(passing("a/b"))
    assert ProgressFile(path).read().has_passed("a/b")
    path.write_bytes(damage)
    ProgressFile(path).update(passing("a/b"))
    assert (tmp_path / "progress.damaged-2.json").read_bytes() == damage


def test_a_folder_in_its_place_is_kept_aside(tmp_path: Path) -> None:
    """Even that is only moved."""
    path = tmp_path / "progress.json"
    path.mkdir()
    (path / "inside").write_text("mine")
    file = ProgressFile(path)
    file.update(passing("a/b"))
    assert file.read().has_passed("a/b")
    assert (tmp_path / "progress.damaged-1.json" / "inside").read_text() == "mine"


def test_a_newer_versions_file_is_left_alone(tmp_path: Path) -> None:
    """It is no damage: the message says what to install, and the file stays as it is."""
    path = tmp_path / "progress.json"
    path.write_text('{"schema": 2}')
    file = ProgressFile(path)
    for use in (file.read, lambda: file.update(passing("a/b"))):
        with pytest.raises(UsageError, match="newer version"):
            use()
    assert path.read_text() == '{"schema": 2}'
    assert len(list(tmp_path.glob("progress*"))) == 1


def test_what_cannot_be_written_is_kept_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is told of once; the changes made meanwhile are written with the next."""
    path = tmp_path / "progress.json"
    file = ProgressFile(path)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        file.update(passing("a/b"))
        assert file.update(passing("c/d")).has_passed("a/b")
        (notice,) = file.take_notices()
        assert "No space left on device" in notice
        assert not path.exists()
    file.update(passing("e/f"))
    assert set(ProgressFile(path).read().entries) == {"a/b", "c/d", "e/f"}
    assert not file.take_notices()


def test_a_failed_write_leaves_the_old_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is the old file touched, nor is half a new one left behind."""
    path = tmp_path / "answer.py"
    path.write_bytes(b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_at_once(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

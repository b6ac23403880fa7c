"""Run small programs with the recorder inside, and read what they left."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parallel_cookbook.trace.launch import command_for, note_run
from parallel_cookbook.trace.reader import read_recording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from parallel_cookbook.trace.recording import Kind, Record, Recording

TIMEOUT_S = 60


@dataclass(frozen=True)
class Traced:
    """A program's end, and its recording."""

    recording: Recording
    code: int
    stdout: str
    stderr: str

    def of(self, *kinds: Kind, label: str | None = None) -> list[Record]:
        """Return the records of these kinds, without requests, about what has this label."""
        return [
            record
            for record in self.recording.records
            if record.kind in kinds
            and not record.is_request
            and (label is None or self.label(record) == label)
        ]

    def label(self, record: Record) -> str:
        """Return the label of what a record is about; empty for nothing."""
        return self.recording.things[record.thing].label if record.thing >= 0 else ""

    def task(self, record: Record) -> str:
        """Return the name of whose record it is."""
        return self.recording.tasks[record.task].name


def plain(file: Path, arguments: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run a file as its reader would."""
    return _run([sys.executable, str(file), *arguments])


def trace(
    file: Path, arguments: Sequence[str] = (), *, method: str | None = None, function: str = ""
) -> Traced:
    """Run a file with the recorder inside, recording into a folder beside it, and read that."""
    folder = file.with_suffix(".recording")
    folder.mkdir()
    note_run(folder, [str(file)])
    command = command_for(folder, str(file), arguments, start_method=method, function=function)
    done = _run(command)
    note_run(folder, [str(file)], done.returncode)
    return Traced(read_recording(folder), done.returncode, done.stdout, done.stderr)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environment,
        stdin=subprocess.DEVNULL,
    )

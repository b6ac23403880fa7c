"""Run a program with a recorder inside, and return what was recorded."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from parallel_cookbook.errors import UsageError
from parallel_cookbook.trace.reader import RUN_FILE
from parallel_cookbook.trace.recorder.layout import STACKS_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAUNCHER = Path(__file__).with_name("launcher.py")


def command_for(
    folder: Path,
    name: str,
    arguments: Sequence[str] = (),
    *,
    is_module: bool = False,
    function: str = "",
    start_method: str | None = None,
) -> list[str]:
    """Return the command that runs a program and records it into `folder`, which must exist.

    name: a file, or a module's name if `is_module`.
    function: call this function of the file alone.
    start_method: how processes start where the program does not choose; None leaves Python's own.
    """
    kind = "module" if is_module else "file"
    return [
        sys.executable,
        str(_LAUNCHER),
        str(folder),
        start_method or "",
        kind,
        name,
        function,
        *arguments,
    ]


def clear_folder(folder: Path) -> None:
    """Make an empty folder for a recording, or take the recording out that is there, and nothing else.

    Raises UsageError if that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.suffix in {".tape", ".names"} or path.name in {RUN_FILE, STACKS_FILE}:
                path.unlink()
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot record into {str(folder)!r}: {error.strerror}; make it writable or remove it"
        ) from None


def note_run(folder: Path, command: Sequence[str], exit_code: int | None = None) -> None:
    """Write down what the recorder inside cannot know; again when the exit code is known."""
    path = folder / RUN_FILE
    run = (
        json.loads(path.read_text(encoding="utf-8"))
        if path.exists()
        else {
            "command": list(command),
            "python": sys.version.split()[0],
            "cores": len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count(),
            "wall_clock": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "began": time.monotonic_ns(),
        }
    )
    run["exit_code"] = exit_code
    path.write_text(json.dumps(run), encoding="utf-8")


def record_program(
    folder: Path,
    name: str,
    arguments: Sequence[str] = (),
    *,
    is_module: bool = False,
    function: str = "",
    start_method: str | None = None,
    timeout_s: float | None = None,
) -> int:
    """Run a program to its end with this process' own stdin, stdout and stderr; return its exit code.

    For a caller that watches the program itself, `command_for` and `note_run` are the two parts.
    """
    shown = ["-m", name, *arguments] if is_module else [name, *arguments]
    note_run(folder, shown)
    command = command_for(
        folder, name, arguments, is_module=is_module, function=function, start_method=start_method
    )
    code = subprocess.run(command, check=False, timeout=timeout_s).returncode
    note_run(folder, shown, code)
    return code

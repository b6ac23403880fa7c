"""Find and end every process that a run started, even one that left its process group.

Each run's environment carries its marks; children inherit them, and on Linux `/proc/PID/environ`
shows them. Where there is no `/proc` (macOS), the process group is all that is known. A process
that emptied its environment *and* left the group is found by neither.

As a script, `python processes.py MARK` is the guard; see `guard`. So this file uses the standard
library alone, and is quick to import.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MARKS = "COOKBOOK_RUN"
"""The environment variable with the marks of all runs that a process belongs to, `:` between them.

Several, where a program that `cookbook run` started uses `cookbook run` itself.
"""
DONE = b"done"
"""What the guard is told when nothing is left for it to do."""

_PROC = Path("/proc")
_INTERRUPT_S = 0.5
"""How long a process may take to end after SIGINT."""
_POLITE_S = 0.3
"""How long a process may take to end after SIGTERM."""
_TRACKER_S = 1.0
"""How long multiprocessing's resource tracker may take to unlink what its dead clients left."""
_PAUSE_S = 0.01


def new_mark() -> str:
    """Return a mark that no other run has."""
    return f"{os.getpid()}-{time.monotonic_ns()}"


def environment_of(mark: str) -> dict[str, str]:
    """Return the variable that gives a process this mark besides those that we bear ourselves."""
    return {MARKS: ":".join(filter(None, (os.environ.get(MARKS), mark)))}


def members(mark: str, group: int | None = None) -> list[int]:
    """Return the pids of all live processes with this mark or in this group; zombies don't count.

    Without `/proc`, returns `[-group]` if anything of the group exists: to `os.kill`, that means
    all of it. Cost: one read for each process of the machine.
    """
    if not (_PROC / "self" / "environ").exists():
        return [-group] if group is not None and _group_exists(group) else []
    return [pid for pid in _pids() if _is_member(pid, mark.encode(), group)]


def end_all(
    mark: str,
    group: int | None = None,
    *,
    interrupt: bool = False,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """End every process of a run; return when none is left.

    SIGTERM first, so that a program can clean up; then SIGKILL for all but multiprocessing's
    resource trackers, which ignore SIGTERM and need their clients gone to unlink what those left;
    then SIGKILL for what is still there. Blocks for 3 seconds at most.

    interrupt: before all that, do as Ctrl-C at a terminal does: SIGINT to the whole group.
    pause: what to wait with between two looks.
    """
    if interrupt and group is not None and _signal_all([-group], signal.SIGINT):
        wait_until_gone(mark, group, _INTERRUPT_S, pause)
    if _signal_all(members(mark, group), signal.SIGTERM):
        wait_until_gone(mark, group, _POLITE_S, pause)
    _signal_all(_without_trackers(members(mark, group)), signal.SIGKILL)
    wait_until_gone(mark, group, _TRACKER_S, pause)
    for _ in range(20):  # a process may have forked between the look and the kill
        if not _signal_all(members(mark, group), signal.SIGKILL):
            return
        pause(_PAUSE_S)


def wait_until_gone(
    mark: str,
    group: int | None,
    timeout_s: float,
    pause: Callable[[float], object] = time.sleep,
) -> bool:
    """Wait until no process of the run is left, `timeout_s` at most; say whether none is left."""
    deadline = time.monotonic() + timeout_s
    while members(mark, group):
        if time.monotonic() > deadline:
            return False
        pause(_PAUSE_S)
    return True


def _signal_all(pids: list[int], number: int) -> bool:
    """Send a signal to each; say whether there was any."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    return bool(pids)


def _without_trackers(pids: list[int]) -> list[int]:
    return [pid for pid in pids if b"multiprocessing.resource_tracker" not in _read(pid, "cmdline")]


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _is_member(pid: int, mark: bytes, group: int | None) -> bool:
    # stat is "pid (name) state ppid pgrp …", and the name may hold spaces and brackets.
    stat = _read(pid, "stat").rpartition(b") ")[2].split()
    if not stat or stat[0] in (b"Z", b"X"):
        return False
    if group is not None and int(stat[2]) == group:
        return True
    prefix = MARKS.encode() + b"="
    return any(
        mark in variable.removeprefix(prefix).split(b":")
        for variable in _read(pid, "environ").split(b"\0")
        if variable.startswith(prefix)
    )


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # it ended meanwhile, or is somebody else's
        return b""


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # EPERM is what macOS says of zombies
        return False
    return True


def guard(mark: str) -> None:
    """Block until standard input closes; unless it said DONE, end all processes of this mark.

    Each line before that is the process group of a run that began; the last one is ended too.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    lines = sys.stdin.buffer.read().split()
    if lines[-1:] != [DONE]:
        end_all(mark, int(lines[-1]) if lines else None)


if __name__ == "__main__":
    guard(sys.argv[1])

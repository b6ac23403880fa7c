"""Find and end every process that a run started, even one that left its process group.

Each run's environment carries a mark; children inherit it, and on Linux `/proc/PID/environ` shows
it. Where there is no `/proc` (macOS), the process group is all that is known.

As a script, `python processes.py MARK` is the guard: it waits for its standard input to close.
So this file uses the standard library alone, and is quick to import.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

MARK = "COOKBOOK_RUN"
"""The environment variable whose value tells one run's processes from all others."""

_PROC = Path("/proc")
_POLITE_S = 0.3
"""How long a process may take to end after SIGTERM."""
_TRACKER_S = 1.0
"""How long multiprocessing's resource tracker may take to unlink what its dead clients left."""


def members(mark: str, group: int | None = None) -> list[int]:
    """Return the pids of all live processes with this mark or in this group; zombies don't count.

    Without `/proc`, returns `[group]` if anything of the group exists. Cost: one read for each
    process of the machine.
    """
    if not (_PROC / "self" / "environ").exists():
        return [group] if group is not None and _group_exists(group) else []
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in _pids() if _is_member(pid, wanted, group)]


def end_all(mark: str, group: int | None = None) -> None:
    """End every process of a run; return when none is left.

    SIGTERM first, so that a program can clean up; then SIGKILL for all but multiprocessing's
    resource trackers, which ignore SIGTERM and need their clients gone to unlink what those left;
    then SIGKILL for what is still there. Blocks for 2 seconds at most.
    """
    if _signal_all(members(mark, group), signal.SIGTERM):
        wait_until_gone(mark, group, _POLITE_S)
    _signal_all(_without_trackers(members(mark, group)), signal.SIGKILL)
    wait_until_gone(mark, group, _TRACKER_S)
    for _ in range(20):  # a process may have forked between the look and the kill
        if not _signal_all(members(mark, group), signal.SIGKILL):
            return
        time.sleep(0.01)


def wait_until_gone(mark: str, group: int | None, timeout_s: float) -> bool:
    """Wait until no process of the run is left, `timeout_s` at most; say whether none is left."""
    deadline = time.monotonic() + timeout_s
    while members(mark, group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
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


def _is_member(pid: int, wanted: bytes, group: int | None) -> bool:
    # stat is "pid (name) state ppid pgrp …", and the name may hold spaces and brackets.
    stat = _read(pid, "stat").rpartition(b") ")[2].split()
    if not stat or stat[0] in (b"Z", b"X"):
        return False
    in_group = group is not None and int(stat[2]) == group
    return in_group or wanted in _read(pid, "environ").split(b"\0")


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # it ended meanwhile, or is somebody else's
        return b""


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def guard(mark: str) -> None:
    """Block until standard input says something or closes; if it closes, end all of this mark."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.read(0, 1) == b"":
        end_all(mark)


if __name__ == "__main__":
    guard(sys.argv[1])

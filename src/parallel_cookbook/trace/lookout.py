"""Looks from outside whether a traced program still goes on.

Reading a recording takes time from the program, so it is done only when the program's processes use next to
no CPU time, and the more seldom the longer it takes. A deadlock is believed if two looks, some time apart,
find the same tasks in the same waits, and no process of the run is missing in the recording.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from parallel_cookbook.errors import UsageError
from parallel_cookbook.run import processes
from parallel_cookbook.trace.collecting import without_collecting
from parallel_cookbook.trace.contention import contention_of
from parallel_cookbook.trace.hang import hang_of, lives
from parallel_cookbook.trace.reader import read_recording
from parallel_cookbook.trace.snapshot import with_the_dead
from parallel_cookbook.trace.waits import waits_of

if TYPE_CHECKING:
    from parallel_cookbook.trace.hang import Hang
    from parallel_cookbook.trace.recording import Recording

_INTERVAL_S = 0.5
_QUIET = 0.25
"""The share of a processor that a program may use at most, if it is to be looked at."""
_PATIENCE = 20
"""How many times as long as the last look took it is left alone."""
_PROC = Path("/proc")
_HARMLESS = 1 << 1 | 3 << 31
"""SIGINT, which Python itself handles, and the two that the C library keeps to itself."""
_SAMPLERS = 1
"""Threads of the recorder's own in each process."""
_LIBRARYS_OWN = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")

_Key = frozenset[tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A deadlock that was seen twice."""

    hang: Hang
    is_final: bool
    """Nobody is left who could go on, and no signal is handled that could help."""


class Lookout:
    """Watches one run, whose processes bear `mark` or are in `group`."""

    def __init__(self, folder: Path, mark: str, group: int) -> None:
        self._folder = folder
        self._mark = mark
        self._group = group
        self._next = time.monotonic() + _INTERVAL_S
        self._last = (time.monotonic(), 0.0)
        self._before: _Key = frozenset()

    @without_collecting
    def look(self) -> Sighting | None:
        """Return a deadlock that is seen for the second time. Quick if it is not yet time for a look."""
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + _INTERVAL_S
        pids = processes.members(self._mark, self._group)
        if not self._is_quiet(pids, now):
            self._before = frozenset()
            return None
        recording = self.read(pids)
        self._next = time.monotonic() + max(_INTERVAL_S, _PATIENCE * (time.monotonic() - now))
        if recording is None or _strangers(recording, pids):
            return None
        waits = waits_of(recording)
        hang = hang_of(recording, waits, contention_of(recording, waits))
        key = frozenset(
            (one.task, int(one.wait.kind), one.wait.thing, one.wait.began)
            for one in hang.stuck
            if one.task in hang.doomed
        )
        is_same, self._before = key == self._before, key
        if not key or not is_same:
            return None
        is_certain = all(one.is_certain for one in hang.stuck if one.task in hang.doomed)
        is_final = hang.is_standstill and (is_certain or not _may_be_woken(recording, pids))
        return Sighting(hang, is_final)

    def read(self, pids: list[int] | None = None) -> Recording | None:
        """Return what is recorded so far, with an end for the dead; None if nothing is."""
        try:
            recording = read_recording(self._folder)
        except UsageError:
            return None
        living = living_of(
            recording, processes.members(self._mark, self._group) if pids is None else pids
        )
        return with_the_dead(recording, living)

    def _is_quiet(self, pids: list[int], now: float) -> bool:
        moment, used = self._last
        total = _cpu_s(pids)
        self._last = (now, total)
        return total - used <= _QUIET * (now - moment)


def living_of(recording: Recording, members: list[int]) -> frozenset[int]:
    """Return the pids of the recorded processes that live. members: what `processes.members` returns."""
    pids = {process.pid for process in recording.processes}
    if members and members[0] < 0:  # the group is all that is known
        return frozenset(pid for pid in pids if _exists(pid))
    return frozenset(pids & set(members))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _strangers(recording: Recording, pids: list[int]) -> bool:
    """Whether a process of the run is not recorded (it may be just starting, or no Python at all)."""
    known = {process.pid for process in recording.processes}
    return any(
        pid > 0
        and pid not in known
        and not any(own in _read(pid, "cmdline") for own in _LIBRARYS_OWN)
        for pid in pids
    )


def _cpu_s(pids: list[int]) -> float:
    """Return the CPU time that processes have used; 0 where the system does not say."""
    ticks = 0
    for pid in pids:
        fields = _read(pid, "stat").rpartition(b") ")[2].split()
        if fields:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _may_be_woken(recording: Recording, pids: list[int]) -> bool:
    """Whether somebody whom we do not see might help.

    A signal's handler, other than Ctrl-C's, might, and a thread that was not started by `threading`.
    """
    for pid in pids:
        status = dict(
            line.split(b":", 1) for line in _read(pid, "status").splitlines() if b":" in line
        )
        if int(status.get(b"SigCgt", b"0"), 16) & ~_HARMLESS:
            return True
        known = sum(
            recording.processes[task.process].pid == pid and lives(recording, task.index)
            for task in recording.tasks
        )
        if known and int(status.get(b"Threads", b"0")) > known + _SAMPLERS:
            return True
    return not _PROC.is_dir()


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""

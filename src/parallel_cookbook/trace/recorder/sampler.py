"""Note from time to time where each thread is and how much it really ran; and tell all stacks when asked.

A thread of ours, unknown to `threading`, looks every 20 ms at all others. What the kernel knows of each (time
on a processor, time kept from one although it could run) tells running from
waiting for the interpreter's lock, and both from being kept waiting by other processes. It ends before the
process forks and begins again after that, so that a fork sees as many threads as the program has.

Whoever watches the run asks for stacks by a file: see `STACKS_FILE`.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from _thread import allocate_lock, get_ident, start_new_thread
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import (
    BY_SAMPLER,
    COLLECT,
    IN_VAIN,
    SAMPLE,
    SIGNAL,
    STACKS_FILE,
)
from parallel_cookbook.trace.recorder.places import place, place_above
from parallel_cookbook.trace.recorder.tape import tape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_INTERVAL_S = 0.02
_WORTH_TELLING_NS = 100_000
"""A shorter garbage collection is not recorded: there are thousands."""
_PATIENCE_S = 1.0
_MAX_DEPTH = 100


class Sampler:
    """The thread that looks at the others."""

    def __init__(self) -> None:
        self._stop = allocate_lock()
        self._ended = allocate_lock()
        self._is_running = False
        self._files: dict[int, int] = {}
        """By native id: the open schedstat of a thread."""
        self._last: dict[int, tuple[int, int]] = {}
        """By ident: how long it had run, and its site."""
        self._told = 0
        self.ident = 0

    def start(self) -> None:
        """Begin looking."""
        if self._is_running or not tape.is_open:
            return
        self._stop = allocate_lock()
        self._ended = allocate_lock()
        self._stop.acquire()
        self._ended.acquire()
        try:
            start_new_thread(self._run, (self._stop, self._ended))
        except RuntimeError:  # there are too many threads: the program's own must do
            return
        self._is_running = True

    def look_once(self) -> None:
        """Look at the calling thread, a process' main one: it has used CPU time before the program began."""
        if tape.is_open:
            self._look(0)

    def stop(self) -> None:
        """End it; return when it has ended."""
        if self._is_running:
            self._is_running = False
            self._stop.release()
            # It may have died of a lack of memory before it could say anything.
            self._ended.acquire(timeout=_PATIENCE_S)

    def forget(self) -> None:
        """In a forked child: the thread is the parent's."""
        self._is_running = False
        self._files.clear()
        self._last.clear()

    def _run(self, stop: Any, ended: Any) -> None:
        self.ident = own = get_ident()
        try:
            while not stop.acquire(timeout=_INTERVAL_S):
                self._look(own)
                self._tell_if_asked(own)
        finally:
            self._close_all()
            ended.release()

    def _look(self, own: int) -> None:
        sites = _sites_now()
        known = threading._active  # type: ignore[attr-defined] # without its lock: a look may miss one
        native = {ident: known[ident].native_id for ident in sites if ident in known}
        # Python does not know it any more after a fork. Where it is not the pid, the system tells nothing.
        native[threading.main_thread().ident or 0] = os.getpid()
        moment = monotonic_ns()
        for ident, site in sites.items():
            if ident == own or ident not in native:
                continue
            running, delayed = self._schedule(native[ident] or 0)
            before = self._last.get(ident)
            if before == (running, site) and running >= 0:
                continue  # it did nothing at all
            self._last[ident] = (running, site)
            has_run = before is None or before[0] != running
            flags = BY_SAMPLER | (0 if has_run else IN_VAIN)
            tape.write_long(SAMPLE, moment, 0, site, running, flags, moment, ident, delayed)
        for ident in self._last.keys() - native.keys():
            del self._last[ident]
        self._close(self._files.keys() - set(native.values()))

    def _schedule(self, native: int) -> tuple[int, int]:
        """Return how long a thread ran and how long it was kept from running; -1: unknown."""
        file = self._files.get(native)
        try:
            if file is None:
                path = f"/proc/self/task/{native}/schedstat"
                file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                self._files[native] = file
            running, delayed, _ = os.pread(file, 100, 0).split()
            return int(running), int(delayed)
        except (OSError, ValueError):  # macOS; or the program has closed all files
            self._files.pop(native, None)
            return -1, -1

    def _close(self, natives: Any) -> None:
        for native in list(natives):
            file = self._files.pop(native)
            try:  # noqa: SIM105 - contextlib is slow to import
                os.close(file)
            except OSError:
                pass

    def _close_all(self) -> None:
        self._close(self._files.keys())

    def _tell_if_asked(self, own: int) -> None:
        try:
            asked = os.stat(os.path.join(tape.folder, STACKS_FILE)).st_mtime_ns
        except OSError:
            return
        if asked != self._told:
            self._told = asked
            tell_stacks(own)


def _sites_now() -> dict[int, int]:
    """Return where each thread is.

    Not where files are read: a frame that is held while its thread goes on outlives its function, and so
    do its variables, which the program would notice.
    """
    return {ident: place_above(frame) for ident, frame in sys._current_frames().items()}


def tell_stacks(own: int) -> None:
    """Write down where each thread is, with all that called it."""
    moment = monotonic_ns()
    stacks = {}
    for ident, frame in sys._current_frames().items():
        if ident != own:
            tape.write(SIGNAL, 0, place_above(frame), 0, 0, moment, ident)
            stacks[ident] = _sites(frame)
    tape.name(stacks=stacks, moment=moment)


def _sites(frame: FrameType | None) -> list[int]:
    sites: list[int] = []
    while frame is not None and len(sites) < _MAX_DEPTH:
        site = place(frame)
        if site and (not sites or sites[-1] != site):
            sites.append(site)
        frame = frame.f_back
    return sites


_collections: list[int] = []
"""When the garbage collection under way began."""


def _note_collection(phase: str, info: dict[str, int]) -> None:
    if get_ident() == sampler.ident:
        return
    if phase == "start":
        _collections[:] = [monotonic_ns()]
    elif _collections:
        began, moment = _collections.pop(), monotonic_ns()
        if moment - began >= _WORTH_TELLING_NS:
            tape.write_long(COLLECT, began, value=info.get("generation", -1), moment=moment)


sampler = Sampler()
"""This process' sampler."""


def begin() -> None:
    """Begin to look, and go on doing so across forks."""
    gc.callbacks.append(_note_collection)
    os.register_at_fork(before=sampler.stop, after_in_parent=sampler.start)
    sampler.look_once()
    sampler.start()

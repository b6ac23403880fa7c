"""Record threads: who starts whom, when each begins and ends, who joins whom."""

from __future__ import annotations

import threading
from _thread import get_ident, get_native_id
from itertools import count
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import BEGIN, END, IN_VAIN, JOIN, REQUEST, START
from parallel_cookbook.trace.recorder.patching import replaces
from parallel_cookbook.trace.recorder.places import getframe, place, place_above
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.waiting import as_a_whole, inside, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Thread
    from typing import Any

__tracebackhide__ = True
_next_serial = count(1).__next__
_NOBODY = (1 << 31) - 1
"""The serial number of no thread."""
MAIN = 0
"""The serial number of a process' main thread."""


def serial_of(thread: Thread) -> int:
    """Return the number that a thread has in this process, in the order in which we met them."""
    known: int | None = vars(thread).get("_cookbook_serial")
    if known is None:
        known = MAIN if thread is threading.main_thread() else _next_serial()
        vars(thread)["_cookbook_serial"] = known
    return known


def describe(thread: Thread, *, is_helper: bool, serial: int = -1) -> None:
    """Write down a thread's name and nature; it is the one that calls this."""
    tape.name(
        thread=serial_of(thread) if serial < 0 else serial,
        name=thread.name,
        daemon=thread.daemon,
        helper=is_helper,
        native=get_native_id(),
    )


@replaces("threading", "Thread.start")
def _start(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: Thread) -> None:
        caller = getframe(1)
        words = vars(self)
        words["_cookbook_start"] = (get_ident(), not place(caller))
        # Before the new thread can do anything.
        tape.write(START, 0, place_above(caller), serial_of(self))
        with as_a_whole():
            original(self)

    return start


@replaces("threading", "Thread._bootstrap_inner")
def _bootstrap_inner(original: Callable[..., Any]) -> Callable[..., Any]:
    def _bootstrap_inner(self: Any) -> None:
        parent, is_helper = vars(self).get("_cookbook_start", (0, False))
        name, failed = self.name, []
        describe(self, is_helper=is_helper)
        tape.write_long(BEGIN, 0, value=serial_of(self), extra=parent)
        report = self._invoke_excepthook

        def note_and_report(thread: Thread) -> None:
            failed.append(True)
            report(thread)

        self._invoke_excepthook = note_and_report
        try:
            original(self)
        finally:
            if self.name != name:
                describe(self, is_helper=is_helper)
            tape.write(END, value=len(failed))

    return _bootstrap_inner


@replaces("threading", "Thread.join")
def _join(original: Callable[..., Any]) -> Callable[..., Any]:
    def join(self: Thread, timeout: float | None = None) -> None:
        site = place_above(getframe(1))
        serial = serial_of(self)
        began = monotonic_ns()
        request = REQUEST if timeout is None else REQUEST | IN_VAIN
        tape.write(JOIN, 0, site, serial, request, began)
        has_ended = False
        try:
            original(self, timeout)
            has_ended = timeout is None or not self.is_alive()
        finally:
            tape.write_long(JOIN, began, 0, site, serial, 0 if has_ended else IN_VAIN)

    return join


@replaces("threading", "_shutdown")
def _shutdown(original: Callable[..., Any]) -> Callable[..., Any]:
    def _shutdown() -> None:
        """Note that the main thread, at its end, waits for all others that are no daemons."""
        own = threading.current_thread()
        if any(thread is not own and not thread.daemon for thread in threading.enumerate()):
            wait(JOIN, 0, 0, original, value=_NOBODY)
        else:
            original()

    return _shutdown


@replaces("threading", "Lock")
def _lock(_original: object) -> type:
    from parallel_cookbook.trace.recorder.locks import Lock

    return Lock


@replaces("threading", "RLock")
def _rlock(original: Callable[..., Any]) -> type:
    from parallel_cookbook.trace.recorder.locks import RLock

    RLock._factory = staticmethod(original)
    return RLock


@replaces("time", "sleep")
def _sleep(original: Callable[..., Any]) -> Callable[..., Any]:
    from parallel_cookbook.trace.recorder.layout import SLEEP

    def sleep(seconds: float, /) -> None:
        if get_ident() in inside:
            original(seconds)
            return
        site = place_above(getframe(1))
        began = monotonic_ns()
        try:
            asked = max(0, min(int(seconds * 1e9), 1 << 60))
        except (TypeError, ValueError, OverflowError):  # for `original` to refuse
            asked = 0
        tape.write_long(SLEEP, began, 0, site, asked, REQUEST, began)
        try:
            original(seconds)
        finally:
            tape.write_long(SLEEP, began, 0, site, asked)

    return sleep

"""Ends a check of which nothing has been heard for long, and a single execution that takes too long.

A program may call what the check does not control: a real `sleep` in an installed package, a lock of a C
extension, a regular expression that takes for ever. Then no scheduling point comes and no loop turns. The
watchdog looks several times while an execution may be silent; if it never sees progress, it ends the
execution, with the line of the program that does not come back.

How it looks and ends:
- in the main thread of a Unix system, by a timer and its signal, whose handler runs in the middle of
  whatever the program waits for. Nothing is left behind: the handler and the timer are put back;
- there, if somebody else uses that signal, by a thread, which sends another one, SIGURG;
- elsewhere by a thread that raises an exception in the checking one. That ends Python code; a call that
  blocks is only told of, on standard error.

Out of reach is C code that neither returns nor lets Python's signals be handled: the whole interpreter
stands still, this module with it. The command then tells of it from another process, to which a sign
of life is given at each look; see cli/sentinel.py.

Cost: a signal now and then, nothing for a step.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Protocol, Self

from parallel_cookbook.kernel import Killed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

DEFAULT_STALL_S = float(os.environ.get("COOKBOOK_STALL_SECONDS", "10"))
"""How long a program may compute or wait without any sign of life."""
_LOOKS = 10
"""So many looks in a row must see no progress: one is not enough after a suspended machine woke up."""


class Watched(Protocol):
    """What the watchdog needs of who executes the program."""

    def progress(self) -> object:
        """Return what differs as soon as the program has got any further; None between executions."""
        ...

    def end_soon(self) -> None:
        """Cut the present execution off, and all later ones, at the next point or turn of a loop."""
        ...

    def end_stalled(self, frame: FrameType | None, stall_s: float) -> str:
        """Note that the execution stands still in `frame`, and what to say of it, which is returned."""
        ...

    def leave_stalled(self) -> None:
        """End the present execution from within; raises Killed, or switches away for good."""
        ...


class Watchdog:
    """Watches what is executed while it is entered as a context."""

    def __init__(
        self,
        watched: Watched,
        stall_s: float,
        max_seconds: float | None,
        on_look: Callable[[bool], None] = lambda _is_watching: None,
    ) -> None:
        if not stall_s > 0:
            raise ValueError(f"stall_s must be above 0: {stall_s}")
        self._watched = watched
        self._on_look = on_look
        """Called at each look with True, and with False when it looks no more."""
        self._stall_s = stall_s
        self._interval_s = min(stall_s / _LOOKS, 1.0)
        self._deadline = math.inf if max_seconds is None else time.monotonic() + max_seconds
        self._last: object = None
        self._silent_looks = 0
        self._thread = threading.get_ident()
        self._is_done = threading.Event()
        self._dog: threading.Thread | None = None
        self._handler: object = None
        self._has_spare_signal = False
        self._has_ended = False

    def __enter__(self) -> Self:
        self._on_look(True)  # noqa: FBT003 - see there
        if _may_use_timer():
            self._handler = signal.signal(signal.SIGALRM, self._on_signal)
            signal.setitimer(signal.ITIMER_REAL, self._interval_s, self._interval_s)
        else:
            self._has_spare_signal = _may_use("SIGURG")
            if self._has_spare_signal:
                self._handler = signal.signal(signal.SIGURG, self._on_poke)
            self._dog = threading.Thread(target=self._watch, name="watchdog", daemon=True)
            self._dog.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._on_look(False)  # noqa: FBT003 - see there
        if self._dog is not None:
            self._is_done.set()
            self._dog.join()
            if self._has_spare_signal:
                signal.signal(signal.SIGURG, self._handler)  # type: ignore[arg-type] # as below
        else:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)  # type: ignore[arg-type] # what it returned

    def _is_stalled(self) -> bool:
        """Look once; say whether nothing has moved for so long."""
        self._on_look(True)  # noqa: FBT003 - see there
        if time.monotonic() >= self._deadline:
            self._watched.end_soon()
        now = self._watched.progress()
        if now is None or now != self._last:
            self._last = now
            self._silent_looks = 0
            return False
        self._silent_looks += 1
        return self._silent_looks * self._interval_s >= self._stall_s

    def _on_signal(self, _number: int, frame: FrameType | None) -> None:
        if self._is_stalled():
            self._end(frame)

    def _end(self, frame: FrameType | None) -> None:
        if not self._has_ended:
            self._watched.end_stalled(frame, self._stall_s)
        self._has_ended = True
        self._stall_s = 0.0  # a program that waits again while it is unwound has had its time
        self._watched.leave_stalled()

    def _on_poke(self, _number: int, frame: FrameType | None) -> None:
        self._end(frame)

    def _watch(self) -> None:
        while not self._is_done.wait(self._interval_s):
            if self._is_stalled():
                if self._has_spare_signal:
                    signal.pthread_kill(self._thread, signal.SIGURG)
                else:
                    self._end_from_outside()
                    return

    def _end_from_outside(self) -> None:
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001 - what it is there for
        message = self._watched.end_stalled(frame, self._stall_s)
        identity = ctypes.c_ulong(self._thread)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(Killed))
        if not self._is_done.wait(self._stall_s):
            print(f"cookbook: {message}", file=sys.__stderr__, flush=True)


def _may_use_timer() -> bool:
    """Whether the timer and its signal are there, and nobody else's."""
    return _may_use("SIGALRM") and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def _may_use(name: str) -> bool:
    """Whether a signal can be handled in this thread, and nobody else handles it."""
    number = getattr(signal, name, None)
    return (
        number is not None
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(number) is signal.SIG_DFL
    )

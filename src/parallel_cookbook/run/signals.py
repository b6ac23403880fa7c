"""What signals do to a run: held back while processes are ended, and Ctrl-Z passed on.

Signal handlers belong to the main thread; in any other thread nothing here has an effect.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask a command to end."""


def is_heeded(number: signal.Signals) -> bool:
    """Whether this signal has an effect here: `nohup` and a shell's `&` have some ignored."""
    return signal.getsignal(number) not in (signal.SIG_IGN, None)


@contextlib.contextmanager
def held_back(*, forget: bool = False) -> Iterator[None]:
    """Let no Ctrl-C, SIGTERM or SIGHUP interrupt the block; the first that came acts after it.

    forget: drop them instead. For a block that such a signal has led to: the second Ctrl-C of an
    impatient user asks for what is being done already.

    A mask would not do: another thread (a progress bar's) would take the signal for the process.
    """
    came: list[int] = []
    before = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in filter(is_heeded, ENDING):
                before[number] = signal.getsignal(number)
                signal.signal(number, lambda number, _frame: came.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came and not forget:
        signal.raise_signal(came[0])


class RunningTime:
    """Seconds that pass only while we are not stopped, so that Ctrl-Z uses up no time-out."""

    def __init__(self) -> None:
        self._stopped_s = 0.0

    def now(self) -> float:
        """Return the time on a clock that stands still while we are stopped."""
        return time.monotonic() - self._stopped_s

    @contextlib.contextmanager
    def shared_with(self, group: int) -> Iterator[None]:
        """While open, a Ctrl-Z that stops us stops the process group too, and `fg` continues it.

        The terminal tells our own group alone, and the program is in another.
        """
        in_main_thread = threading.current_thread() is threading.main_thread()
        if not (in_main_thread and is_heeded(signal.SIGTSTP)):
            yield
            return

        def stop_together(_number: int, _frame: FrameType | None) -> None:
            since = time.monotonic()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)  # here we stand until somebody continues us
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGCONT)
            self._stopped_s += time.monotonic() - since

        before = signal.signal(signal.SIGTSTP, stop_together)
        try:
            yield
        finally:
            signal.signal(signal.SIGTSTP, before)

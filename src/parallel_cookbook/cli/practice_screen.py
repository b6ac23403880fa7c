"""The terminal while a learner practises: keys without Return; on every way out it is as it was before."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import select
import signal
import sys
import termios
import tty
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_TICK_S = 1.0
"""How long nothing may happen before somebody looks whether anything has."""
_CLEAR = "\x1b[H\x1b[2J"
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)
"""What arrows and other keys send that stand for no character."""
_CLEAR_LINE = "\r\x1b[K"


class Terminal:
    """Standard input and output as a terminal; as a context manager it restores them.

    Guarantees: whatever ends the block (a key, Ctrl-C, SIGTERM, an error) and whatever stops it (Ctrl-Z), the
    terminal is as it was before. To be used in the main thread.
    """

    def __init__(self) -> None:
        self.can_move = os.environ.get("TERM", "dumb") != "dumb"
        """Whether a text can be shown in the place of another."""
        self._input = 0
        self._before = termios.tcgetattr(self._input)
        self._wake, self._woken = os.pipe()
        for end in (self._wake, self._woken):
            os.set_blocking(end, False)
        self._handlers: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        self._is_to_stop = False
        self._was_stopped = False
        self._is_to_redraw = False

    def __enter__(self) -> Self:
        for number, handler in {
            signal.SIGTSTP: self._on_stop,
            signal.SIGWINCH: self._on_resize,
            signal.SIGCONT: self._on_continue,
            signal.SIGQUIT: self._on_quit,
        }.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, handler)
        atexit.register(self._restore)  # a second Ctrl-C may cut off the way out
        try:
            self._listen()
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._restore()
        atexit.unregister(self._restore)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        with contextlib.suppress(OSError, ValueError):
            self._write("\n")  # the shell's prompt begins a line

    def wake(self) -> None:
        """End a `wait`; may be called by any thread, and in a signal's handler."""
        with contextlib.suppress(BlockingIOError):  # then it is awake
            os.write(self._woken, b"!")

    def wait(self) -> str | None:
        """Wait for keys, a `wake`, or a second; return the keys, if any, and None at the end of input."""
        ready, _, _ = select.select([self._input, self._wake], [], [], _TICK_S)
        if self._wake in ready:
            with contextlib.suppress(BlockingIOError):
                while os.read(self._wake, 4096):
                    pass
        if self._is_to_stop:
            self._stop()
        if self._was_stopped:  # the shell had the terminal
            self._was_stopped = False
            self._listen()
        if self._input not in ready:
            return ""
        try:
            data = os.read(self._input, 1024)
        except OSError:  # the terminal is gone
            return None
        return _keys_in(data) if data else None

    def take_redraw(self) -> bool:
        """Return whether the screen changed its size, or was used by others, since this was asked last."""
        is_to_redraw, self._is_to_redraw = self._is_to_redraw, False
        return is_to_redraw

    def show(self, page: str, status: str) -> None:
        """Show a page from the top of the screen, with a status in the line below."""
        self._write(f"{_CLEAR if self.can_move else chr(10)}{page}{status}")

    def show_status(self, status: str) -> None:
        """Show another status in the last line."""
        self._write(f"{_CLEAR_LINE if self.can_move else chr(10)}{status}")

    # --- inside ---------------------------------------------------------------------------------

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _listen(self) -> None:
        tty.setcbreak(self._input, termios.TCSADRAIN)

    def _restore(self) -> None:
        with contextlib.suppress(termios.error, OSError):  # the terminal may be gone
            termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_to_stop = True
        self.wake()

    def _on_quit(self, number: int, _frame: FrameType | None) -> None:
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _on_resize(self, _number: int, _frame: FrameType | None) -> None:
        self._is_to_redraw = True
        self.wake()

    def _on_continue(self, _number: int, _frame: FrameType | None) -> None:
        self._was_stopped = self._is_to_redraw = True
        self.wake()

    def _stop(self) -> None:
        """Stop as Ctrl-Z asks for, with the terminal as it was; come back when the shell lets us go on."""
        self._is_to_stop = False
        self._restore()
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        self._was_stopped = self._is_to_redraw = True


def _keys_in(data: bytes) -> str:
    """Return the characters that were typed; what other keys (arrows and the like) send is left out."""
    return _ESCAPES.sub("", data.decode(errors="ignore"))

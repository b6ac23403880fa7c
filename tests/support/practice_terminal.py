"""Drives `cookbook practice` on a pseudo-terminal: types keys, and waits for what is shown."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Self

from commands import COOKBOOK

if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE_S = 60.0
"""How long something is waited for before the test fails; never how long a test takes."""
_STYLES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\]8;[^\x1b]*\x1b\\")


class PracticeTerminal:
    """`cookbook practice` on a terminal of its own, in `folder`."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        size: tuple[int, int] = (40, 100),
        command: Sequence[str] = (*COOKBOOK, "practice"),
        **variables: str,
    ) -> None:
        self.folder = folder
        self._ours, self._its = pty.openpty()
        self.resize(*size)
        self.modes = self._modes()
        environment = {**os.environ, "TERM": "xterm", **variables}
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
            environment.pop(name, None)
        self.command = subprocess.Popen(
            [*command, *arguments],
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
        )
        self.raw = ""
        """All that was shown so far, as it came."""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.command.poll() is None:
            self.command.kill()
        self.command.wait()
        os.close(self._its)
        os.close(self._ours)

    def type(self, keys: str) -> None:
        """Type keys; what is waited for next has to be shown after them."""
        self._seen = len(self.raw)
        os.write(self._ours, keys.encode())

    def save(self, place: str, text: str | bytes) -> Path:
        """Write a file of the learner's as many editors do: a new one takes its place."""
        path = self.folder / place
        new = path.with_name(path.name + "~")
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        self._seen = len(self.raw)
        new.replace(path)
        return path

    def wait_for(self, text: str) -> str:
        """Wait until `text` was shown since the last key or save; return what was shown since."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in (shown := self._shown()):
            assert time.monotonic() < deadline, f"{text!r} was not shown, but:\n{shown}"
            if not self._read(1.0):
                shown = self._shown()
                assert text in shown, f"it ended, and {text!r} was not shown, but:\n{shown}"
        return shown

    def wait_for_end(self) -> int:
        """Wait until the command has ended; return its exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while self.command.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self._shown()}"
            self._read(0.05)
        while self._read(0.0, once=True):
            pass
        return self.command.returncode

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; what is waited for next has to be shown after it."""
        self._seen = len(self.raw)
        self.command.send_signal(number)

    def resize(self, lines: int, columns: int) -> None:
        """Change the terminal's size."""
        fcntl.ioctl(self._its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def state(self) -> str:
        """Whether the terminal is as it was before the command began: "restored", or "in use"."""
        return "restored" if self._modes() == self.modes else "in use"

    def _modes(self) -> list[object]:
        return termios.tcgetattr(self._its)

    def _shown(self) -> str:
        return _STYLES.sub("", self.raw[self._seen :]).replace("\r\n", "\n")

    def _read(self, patience_s: float, *, once: bool = False) -> bool:
        """Read what is shown; return whether there may be more."""
        ready, _, _ = select.select([self._ours], [], [], patience_s)
        if ready:
            with contextlib.suppress(OSError):
                self.raw += os.read(self._ours, 65536).decode(errors="replace")
                return True
            return False
        return not once and self.command.poll() is None

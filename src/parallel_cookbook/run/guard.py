"""A watcher in a process of its own: when `cookbook` dies, even by SIGKILL, its runs die too.

Started once by a command that runs programs, with the read end of a pipe as standard input. The
pipe closes when the command ends, however it ends; then every process with the command's mark is
ended, unless the command has said that nothing is left to do. It says so only when all went well:
an exception may have come from anywhere, from a signal in the midst of ending processes too.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import Self

from parallel_cookbook.run import processes


class Guard:
    """A context manager: while it is open, a dead command's runs are ended by the guard process."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def __enter__(self) -> Self:
        """Start the guard process; does not wait for it."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", processes.__file__, self._mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # a Ctrl-C at the terminal is not for the guard
        )
        return self

    def watch(self, group: int) -> None:
        """Tell the guard that a run has begun in this process group; the one before it is over."""
        self._tell(str(group).encode())

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let the guard go, and wait for it: what an exception left, it ends."""
        if kind is None:
            self._tell(processes.DONE)
        assert self._process.stdin is not None  # noqa: S101 - a pipe by construction
        self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe by construction
        with contextlib.suppress(BrokenPipeError):  # somebody has killed the guard
            self._process.stdin.write(line + b"\n")

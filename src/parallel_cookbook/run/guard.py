"""A watcher in a process of its own: when `cookbook` dies, even by SIGKILL, its runs die too.

Started once by a command that runs programs, with the read end of a pipe as standard input. The
pipe closes when the command ends, however it ends; then every process with the command's mark is
ended. A byte on the pipe says that nothing is left to do.
"""

from __future__ import annotations

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
            start_new_session=True,  # a Ctrl-C at the terminal is not for the guard
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Tell the guard that all runs have ended, and wait for it."""
        self._process.communicate(b".")

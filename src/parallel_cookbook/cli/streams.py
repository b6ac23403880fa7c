"""The standard streams: what may go wrong with them, and whether colours are wanted."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys

from parallel_cookbook.errors import UsageError

_WRITE_ERRORS = {
    getattr(errno, name)
    for name in ("ENOSPC", "EIO", "EFBIG", "EDQUOT", "EBADF", "EPIPE")
    if hasattr(errno, name)
}


def prepare() -> None:
    """Make the standard streams safe to use, whatever they were started as.

    A character that the terminal's encoding lacks becomes a question mark. A closed stream is
    opened onto nothing: a pipe that we open later would else get its number. Raises UsageError if
    standard output is closed.
    """
    is_closed = sys.stdout is None
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if is_closed:
        raise UsageError("cannot write the output: standard output is closed")


def is_failed_write(error: OSError) -> bool:
    """Whether this is what a write to a stream raises: it names no file."""
    return error.errno in _WRITE_ERRORS and error.filename is None


def abandon_output() -> None:
    """Write nothing more to standard output: what is left in its buffer would fail again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def may_style() -> bool:
    """Whether escape codes may be printed on a terminal; see no-color.org."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

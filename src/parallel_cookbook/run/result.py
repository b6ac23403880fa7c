"""What came of one real run: the verdict, in a word and in a sentence, and the output."""

from __future__ import annotations

import enum
import re
import signal
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """How a run ended. Only PASS is a success."""

    PASS = "pass"  # noqa: S105 - no password
    """Exit code 0, and nothing left running."""
    EXIT_CODE = "exit-code"
    """Another exit code, without a traceback."""
    EXCEPTION = "exception"
    """Exit code 1 after a traceback."""
    SIGNAL = "signal"
    """Ended by a signal that we did not send."""
    TIME_OUT = "time-out"
    """Still running when its time was up; ended by us."""
    FLOOD = "flood"
    """Printed more than it was allowed to; ended by us."""
    LEFTOVER = "leftover"
    """Exit code 0, but processes that it had started still ran; ended by us."""
    INTERRUPTED = "interrupted"
    """Cut off by Ctrl-C; ended by us."""


@dataclass(frozen=True)
class RunResult:
    """One real run of a program. `seconds` is wall time, start of the interpreter included."""

    verdict: Verdict
    message: str
    """One sentence that says why the verdict is what it is; for PASS it is empty."""
    exit_code: int | None
    """What the program's first process returned; None if a signal ended it."""
    seconds: float
    stdout: str
    stderr: str

    @property
    def passed(self) -> bool:
        """Whether the verdict is PASS."""
        return self.verdict is Verdict.PASS


def judge_exit(returncode: int, stderr: str) -> tuple[Verdict, str]:
    """Say what `returncode` (subprocess's convention: -N for signal N) and `stderr` mean."""
    if returncode == 0:
        return Verdict.PASS, ""
    if returncode < 0:
        return Verdict.SIGNAL, f"a signal ended it: {_signal_name(-returncode)}"
    exception = _last_exception(stderr)
    if returncode == 1 and exception:
        return Verdict.EXCEPTION, exception
    return Verdict.EXIT_CODE, f"it ended with exit code {returncode}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


# How a traceback begins, and what of the text behind that must be there to its very end.
_TRACEBACKS = (
    (
        "\nTraceback (most recent call last):\n",
        re.compile(r"(?:[ \t].*\n|\n)*(?P<exception>\S.*)\n\Z"),
    ),
    (
        "\n  + Exception Group Traceback (most recent call last):\n",
        re.compile(r"(?:  \|  .*\n)*  \| (?P<exception>\S.*)\n(?: +[|+].*\n)*\Z"),
    ),
)
_ANNOUNCEMENT = re.compile(r"Exception in thread .*|Process .*:")
"""The line above an exception of a thread or a child process, which does not end the program."""
_SYNTAX_ERRORS = ("SyntaxError: ", "IndentationError: ", "TabError: ")
_WARNING = re.compile(r"\S.*:\d+: \w*Warning: .*")


def _last_exception(stderr: str) -> str:
    """Return the exception's own line of the traceback that ends `stderr`, or an empty string.

    A traceback before other text proves nothing: `sys.exit("giving up")` may follow what a thread
    or a log has printed. Warnings may follow, as multiprocessing's of leaked semaphores do.
    """
    lines = stderr.rstrip().splitlines()
    _drop_warnings(lines)
    text = "\n" + "\n".join(lines) + "\n"
    for header, rest in _TRACEBACKS:
        start = text.rfind(header)
        match = rest.match(text, start + len(header)) if start >= 0 else None
        if match:
            line_above = text[text.rfind("\n", 0, start) + 1 : start]
            return "" if _ANNOUNCEMENT.fullmatch(line_above) else match["exception"]
    return lines[-1] if lines and lines[-1].startswith(_SYNTAX_ERRORS) else ""


def _drop_warnings(lines: list[str]) -> None:
    """Take the warnings off the end; each is a line, perhaps with an indented one that shows it."""
    while lines:
        first = len(lines) - 1
        while first and lines[first][:1].isspace():
            first -= 1
        if not _WARNING.fullmatch(lines[first]):
            return
        del lines[first:]

"""What came of one real run: the verdict, in a word and in a sentence, and the output."""

from __future__ import annotations

import enum
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


def _last_exception(stderr: str) -> str:
    """Return the exception's own line of the last traceback in `stderr`, or an empty string."""
    _, found, traceback = stderr.rpartition("Traceback (most recent call last):")
    if not found:
        syntax_error = [line for line in stderr.splitlines() if line.startswith("SyntaxError")]
        return syntax_error[-1] if syntax_error else ""
    unindented = [line for line in traceback.splitlines() if line and not line[0].isspace()]
    return unindented[0] if unindented else ""

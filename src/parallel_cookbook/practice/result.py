"""What came of grading an answer: the border between the grader and those who show a grade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from parallel_cookbook.check import CheckReport
    from parallel_cookbook.events import Interleaving

Verdict = Literal["pass", "fail", "unknown", "error"]
"""pass: proven right. fail: it is wrong, and how is known. unknown: a limit was met, no pass. error: it could
not be graded: a syntax error, a missing import, a missing file, something that is not supported."""


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of one answer to one exercise."""

    exercise: str
    """The exercise's id."""
    verdict: Verdict
    claim: str
    """Which of the exercise's claims failed, as a sentence; for a pass, what was proven."""
    kind: str
    """A kind of failure of the check, or not-concurrent, busy-wait, harness-changed, not-run, syntax, import,
    missing-file, budget; empty for a pass."""
    message: str
    """What went wrong, in one or a few sentences."""
    file: str
    line: int
    """Where in the answer; 0 where no line is to blame."""
    executions: int
    is_exhaustive: bool
    seconds: float
    report: CheckReport | None = None
    """The check's own report, where one was made."""
    story: Interleaving | None = None
    """The shortest counterexample, where there is one."""
    schedule: str = ""
    """What `cookbook check FILE --replay` takes to see it again; empty where there is none."""
    output: str = ""
    """What a real run printed, where the exercise is graded by one too; shortened."""

    @property
    def passed(self) -> bool:
        """Whether the answer was proven right."""
        return self.verdict == "pass"

"""What came of a check: the verdict, the failures with their schedules, all outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["pass", "fail", "unknown", "error"]
FailureKind = Literal[
    "assertion",
    "exception",
    "deadlock",
    "livelock",
    "data-race",
    "leaked-task",
    "step-limit",
    "unsupported",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which the program goes wrong, and the schedule that shows it."""

    kind: FailureKind
    message: str
    """One or a few sentences: what went wrong."""
    task: str
    """The name of the task in which it went wrong; empty if it concerns all."""
    location: str
    """`file:line`, or empty."""
    preemptions: int
    """How often the schedule switches away from a task that could have gone on."""
    schedule: str
    """What `--replay` takes."""
    killed: tuple[str, ...] = ()
    """The processes that faults have killed there, each with where it was: "Process-1 at file:line"."""


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 - `Warning` is a built-in exception
    """Something dangerous that did no harm in the executions explored."""

    kind: Literal["data-race", "lock-order"]
    message: str
    task: str
    location: str
    preemptions: int = 0
    schedule: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person should look at, although it is no failure and no danger to other tasks."""

    kind: Literal["leaked-memory", "lost-change"]
    message: str
    """One or two sentences."""
    task: str
    location: str
    """`file:line`, or empty."""


@dataclass(slots=True)
class Outcome:
    """One thing that the program can come to: what it prints, and what its main flow returns."""

    stdout: str
    result: str
    """`repr` of what the function returned, or how the execution ended."""
    executions: int
    schedule: str


@dataclass(slots=True)
class CheckReport:
    """The result of a check. `verdict` is "pass" only if every class of interleavings was explored."""

    target: str
    verdict: Verdict
    exhaustive: bool
    """Whether every class of interleavings was explored, and no limit was met."""
    strategy: str
    executions: int
    steps: int
    """Scheduling points, over all executions."""
    seconds: float
    failures: list[Failure] = field(default_factory=list)
    warnings: list[Warning_] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    redundant: int = 0
    """How many of the executions were cut off because an earlier one covered them."""
    unexplored: str = ""
    """Why the verdict is unknown: which limit was met."""
    notes: list[str] = field(default_factory=list)
    """In what the check differs from what the program asks for, a sentence each."""
    remarks: list[Remark] = field(default_factory=list)
    """Blocks of shared memory that are never unlinked; changes to copies that reach nobody."""
    faults: int = 0
    """How many processes were killed in an execution at the most, anywhere."""

    @property
    def passed(self) -> bool:
        """Whether the program was proven right."""
        return self.verdict == "pass"

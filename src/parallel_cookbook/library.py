"""The verbs as functions, for programs and tests: `from parallel_cookbook import check`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from parallel_cookbook.check import DEFAULT_MAX_STEPS, DEFAULT_STALL_S, Budget, check_entry, result
from parallel_cookbook.check.function import entry_of
from parallel_cookbook.check.function import replay as replay_schedule
from parallel_cookbook.errors import UsageError
from parallel_cookbook.kernel import active_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType

    from parallel_cookbook.check import Entry, Failure
    from parallel_cookbook.check.function import Replayed


class CheckFailedError(AssertionError):
    """A check did not prove the function right. Its message shows the first counterexample."""

    def __init__(self, message: str, report: CheckReport) -> None:
        super().__init__(message)
        self.report = report


@dataclass(slots=True)
class CheckReport(result.CheckReport):
    """The result of a check of a function."""

    entry: Entry | None = field(default=None, repr=False, compare=False)
    include: Sequence[str] = field(default=(), repr=False, compare=False)
    max_steps: int = field(default=DEFAULT_MAX_STEPS, repr=False, compare=False)

    def raise_for_failure(self) -> None:
        """Return if the function was proven right.

        Raises CheckFailedError otherwise, with the first counterexample; also if nothing was found but
        not everything explored, which is no proof.
        """
        if not self.passed:
            raise CheckFailedError(self.text(), self)

    def text(self, width: int | None = None) -> str:
        """Return the verdict and the first counterexample, in lines of `width` (the terminal's)."""
        from parallel_cookbook.report.check import report_lines  # noqa: PLC0415 - rich takes 60 ms

        parts = [rendered(report_lines(self), width)]
        if self.failures and self.entry is not None:
            failure = self.failures[0]
            replayed = None
            if failure.schedule:
                replayed = replay_schedule(
                    self.entry, failure.schedule, include=self.include, max_steps=self.max_steps
                )
            parts.append(counterexample(failure, replayed, _as_argument, width))
        return "\n\n".join(parts)


def _as_argument(schedule: str) -> str:
    return f"check(…, replay={schedule!r})"


def check(
    function: Callable[..., object],
    *args: object,
    strategy: str = "auto",
    max_seconds: float | None = 60.0,
    max_executions: int | None = None,
    max_steps: int = DEFAULT_MAX_STEPS,
    seed: int = 0,
    races: str = "warn",
    include: Sequence[str] = (),
    keep_going: bool = False,
    max_stall_s: float = DEFAULT_STALL_S,
    faults: int = 0,
    replay: str | None = None,
) -> CheckReport:
    """Explore every interleaving of the threads that `function(*args)` starts, or the most that fits.

    The function may be any with a source file: of a module, of a class (a method gets a new instance),
    nested, or a lambda. Its module is loaded anew for each execution, and what the function is given, or
    holds in its closure, is copied for each. So nothing that it does can be seen outside.

    max_seconds, max_executions, max_steps: when to stop; the steps are those of one execution.
    races: "ignore", "warn" or "error", for accesses that nothing orders.
    include: installed packages to be explored as well.
    keep_going: look for all failures, not only the first.
    max_stall_s: how long it may be busy with what the check does not control, such as a call that blocks.
    faults: kill up to so many of its processes in an execution, anywhere: what if a worker dies here?
    replay: execute this schedule of an earlier report, and no other.

    Raises UsageError for a function without source, or a wrong option; UnsupportedError for what cannot
    be copied: a real lock, thread, file; ReplayMismatchError for a schedule that does not fit.
    """
    forbid_nesting()
    entry = entry_of(function, args, include=include)
    if replay is not None:
        return _replayed(entry, replay, include, max_steps)
    report = check_entry(
        entry,
        target=entry.function,
        strategy=strategy,
        seed=seed,
        budget=Budget(max_executions, max_seconds),
        max_steps=max_steps,
        include=include,
        races=races,
        keep_going=keep_going,
        max_stall_s=max_stall_s,
        faults=faults,
    )
    return extended(report, entry, include, max_steps)


def forbid_nesting() -> None:
    """Raise UsageError within a check."""
    try:
        active_kernel()
    except RuntimeError:
        return
    raise UsageError(
        "check() was called by a program that is under check itself: put the call under "
        '`if __name__ == "__main__":`, or into a function'
    )


def extended(
    report: result.CheckReport, entry: Entry, include: Sequence[str], max_steps: int
) -> CheckReport:
    """Return `report` with what is needed to show its counterexamples."""
    known = {one.name: getattr(report, one.name) for one in fields(report)}
    return CheckReport(**known, entry=entry, include=include, max_steps=max_steps)


def _replayed(entry: Entry, schedule: str, include: Sequence[str], max_steps: int) -> CheckReport:
    done = replay_schedule(entry, schedule, include=include, max_steps=max_steps)
    failures = [
        result.Failure(f.kind, f.message, f.task, f.location, done.story.preemptions, schedule)
        for f in done.faults
    ]
    return CheckReport(
        target=entry.function,
        verdict="fail" if failures else "unknown",
        exhaustive=False,
        strategy="replay",
        executions=1,
        steps=len(done.story.events),
        seconds=0.0,
        failures=failures,
        unexplored="one schedule",
        entry=entry,
        include=include,
        max_steps=max_steps,
    )


# --- text ---------------------------------------------------------------------------------------


def counterexample(
    failure: Failure,
    replayed: Replayed | None,
    command: Callable[[str], str],
    width: int | None = None,
    *,
    has_colour: bool = False,
) -> str:
    """Return what went wrong, as columns, a column a task, and why, and how to see it again.

    replayed: what its schedule does; None if it has none.
    command: returns what replays a schedule.
    """
    from parallel_cookbook.report.check import failure_lines  # noqa: PLC0415 - rich takes 60 ms

    story = None
    if replayed is not None:
        story = replayed.story
        for fault in replayed.faults:
            if (fault.kind, fault.location) == (failure.kind, failure.location):
                failure = replace(failure, message=fault.message)
                break
    return rendered(failure_lines(failure, story, command), width, has_colour=has_colour)


def rendered(
    lines: Iterator[RenderableType], width: int | None = None, *, has_colour: bool = False
) -> str:
    """Return what rich makes of the lines, without trailing space."""
    from parallel_cookbook.report.check import as_text  # noqa: PLC0415 - rich takes 60 ms

    return as_text(lines, width, has_colour=has_colour)

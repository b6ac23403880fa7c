"""Grade an answer to an exercise: whether it is proven right, and if not, which claim fails."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from parallel_cookbook.check import Budget, Entry, Tally, check_entry, replay_entry
from parallel_cookbook.practice.result import Grade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parallel_cookbook.practice.exercises import Exercise

DEFAULT_MAX_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a grading has come."""

    executions: int
    share_done: float
    """The estimated share of the interleavings that are explored, from 0 to 1."""
    seconds: float


def grade(
    exercise: Exercise,
    answer: Path,
    *,
    max_seconds: float = DEFAULT_MAX_SECONDS,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> Grade:
    """Return the grade of the file `answer` to `exercise`; block until it is known.

    Who grades often holds a `Grader` open, which is quicker by the time that it takes to start Python.

    max_seconds: how long the answer may be worked on in all; what is not known by then is "unknown".
    on_progress: called some ten times a second, whether or not there is news. What it raises ends the
        grading, and goes on to the caller.

    Whatever the file does, this process survives: it is executed in another one. What is wrong with the
    file, even that it is not there, raises no error: the grade says so.
    """
    with Grader() as grader:
        return grader.grade(exercise, answer, max_seconds=max_seconds, on_progress=on_progress)


class Grader:
    """Grades answers, one after the other; as a context manager it leaves no process behind.

    Between two grades a child process stands ready that has imported all that a grade needs.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child processes. May be called twice."""

    def grade(
        self,
        exercise: Exercise,
        answer: Path,
        *,
        max_seconds: float = DEFAULT_MAX_SECONDS,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> Grade:
        """Return the grade of the file `answer` to `exercise`, as the function `grade` does."""
        began = time.monotonic()

        def tell(tally: Tally) -> None:
            on_progress(Progress(tally.executions, tally.share_done, tally.seconds))

        report = check_entry(
            Entry(answer),
            target=answer.name,
            budget=Budget(None, max_seconds),
            races=exercise.races,
            on_progress=tell,
        )
        failure = report.failures[0] if report.failures else None
        story = None
        if failure is not None and failure.schedule:
            story, _, _ = replay_entry(Entry(answer), failure.schedule)
        file, _, line = failure.location.rpartition(":") if failure else ("", "", "")
        return Grade(
            exercise=exercise.id,
            verdict=report.verdict,
            claim=exercise.must_hold,
            kind=failure.kind if failure else "",
            message=failure.message if failure else "",
            file=file or str(answer),
            line=int(line or 0),
            executions=report.executions,
            is_exhaustive=report.exhaustive,
            seconds=time.monotonic() - began,
            report=report,
            story=story,
            schedule=failure.schedule if failure else "",
        )

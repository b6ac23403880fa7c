"""Grading without a window: `practice check`, and `practice grade` for a classroom."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from parallel_cookbook.cli.console import new_console
from parallel_cookbook.cli.options import print_json
from parallel_cookbook.errors import UsageError
from parallel_cookbook.practice.classroom import find_answers
from parallel_cookbook.practice.folder import digest_of
from parallel_cookbook.practice.grade import Grader
from parallel_cookbook.report.junit import junit_xml
from parallel_cookbook.report.practice import grade_as_json, grade_lines
from parallel_cookbook.report.practice_pages import (
    brief_line,
    classroom_as_json,
    learner_line,
    page_text,
    worst_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console, RenderableType

    from parallel_cookbook.practice.exercises import Exercise
    from parallel_cookbook.practice.folder import Folder
    from parallel_cookbook.practice.result import Grade


def check_folder(
    folder: Folder,
    exercises: Sequence[Exercise],
    max_seconds: float,
    *,
    as_json: bool,
    is_brief: bool,
) -> list[Grade]:
    """Grade a learner's answers, note what has passed, and print the grades.

    is_brief: a line for each, and how many have passed.
    """
    console = new_console(quiet=as_json)
    grades = []
    with Grader() as grader:
        for exercise in exercises:
            answer = folder.path(exercise)
            digest = digest_of(answer)
            with _waiting(exercise):
                grade = grader.grade(exercise, answer, max_seconds=max_seconds)
            if grade.passed and digest_of(answer) == digest:
                folder.note_pass(exercise, digest)
            grades.append(grade)
            _print(console, [brief_line(grade)] if is_brief else grade_lines(grade))
    if as_json:
        objects = [grade_as_json(grade) for grade in grades]
        print_json({"schema": 1, "verdict": worst_verdict(grades), "grades": objects})
    elif is_brief:
        _sum_up(grades)
    return grades


def grade_classroom(
    root: Path,
    exercises: Sequence[Exercise],
    chosen: Sequence[Exercise],
    *,
    max_seconds: float,
    junit: Path | None,
    as_json: bool,
) -> dict[str, list[Grade]]:
    """Grade what the learners' folders in `root` hold; print the grades, and write them to `junit`."""
    if junit is not None:
        _check_writable(junit)
    console = new_console(quiet=as_json)
    suites: dict[str, list[Grade]] = {}
    with Grader() as grader:
        for learner, answers in find_answers(root, exercises, chosen).items():
            _print(console, [learner_line(learner)])
            grades = suites[learner] = []
            for exercise, answer in answers.items():
                with _waiting(exercise):
                    grade = grader.grade(exercise, answer, max_seconds=max_seconds)
                grades.append(grade)
                _print(console, [brief_line(grade)])
    if junit is not None:
        _write(junit, junit_xml(suites))
    everything = [grade for grades in suites.values() for grade in grades]
    if as_json:
        print_json(classroom_as_json(suites))
    else:
        _sum_up(everything)
    return suites


def _print(console: Console, lines: Iterable[RenderableType]) -> None:
    if not console.quiet:
        click.echo(page_text(console, lines), nl=False)


def _sum_up(grades: Sequence[Grade]) -> None:
    passed = sum(grade.passed for grade in grades)
    click.echo(f"\n{passed} of {len(grades)} proven right")


@contextlib.contextmanager
def _waiting(exercise: Exercise) -> Iterator[None]:
    """Show on a terminal what is being graded."""
    console = new_console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"grading {exercise.id} …"):
        yield


def _check_writable(path: Path) -> None:
    """Raise UsageError if the file cannot be written, before much is graded."""
    try:
        with path.open("ab"):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write {str(path)!r}: {error.strerror}; name another file"
        ) from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {str(path)!r}: {error.strerror}") from None

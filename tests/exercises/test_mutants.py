"""How much the exercises' promises demand: mistakes, made one by one in each solution, are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graded import EXERCISES
from mutants import mutants
from parallel_cookbook.practice.grade import Grader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from parallel_cookbook.practice.exercises import Exercise

MUTANTS = [
    pytest.param(exercise, text, id=f"{exercise.id}: {what}")
    for exercise in EXERCISES
    for what, text in mutants(exercise.solution.read_text(encoding="utf-8"), exercise.may_change)
]
HARMLESS = {
    "threads/stock_level: bare: with self.lock:0",  # the level is only read when all sales are done
}
"""Mistakes that are none: what is left is right as well, for the reason that stands beside each."""


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        yield grader


def test_there_are_mistakes_enough() -> None:
    """Some in most of the exercises."""
    assert len(MUTANTS) > 80


@pytest.mark.parametrize(("exercise", "text"), MUTANTS)
def test_a_mistake_in_a_solution_is_found(
    request: pytest.FixtureRequest, grader: Grader, tmp_path: Path, exercise: Exercise, text: str
) -> None:
    """It is rejected, or at least not proven; but for those known to be harmless."""
    answer = tmp_path / exercise.path.name
    answer.write_text(text, encoding="utf-8")
    grade = grader.grade(exercise, answer, max_seconds=60)
    is_harmless = request.node.callspec.id in HARMLESS
    assert grade.passed == is_harmless, grade

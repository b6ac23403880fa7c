"""Answers to grade: a solution of the book, with changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.practice.exercises import Exercise, find_exercise, load_exercises

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EXERCISES = load_exercises()


def exercise_named(name: str) -> Exercise:
    """Return the book's exercise of that name."""
    return find_exercise(EXERCISES, name)


def changed(name: str, folder: Path, changes: Sequence[tuple[str, str]]) -> tuple[Exercise, Path]:
    """Write the solution of an exercise, with pieces of its text replaced; return both."""
    exercise = exercise_named(name)
    text = exercise.solution.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    answer = folder / exercise.path.name
    answer.write_text(text, encoding="utf-8")
    return exercise, answer

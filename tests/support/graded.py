"""Answers to grade: a solution of the book, with changes."""

from __future__ import annotations

import ast
import textwrap
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


def with_parts(name: str, folder: Path, code: str) -> tuple[Exercise, Path]:
    """Write the solution of an exercise with other parts: those functions and classes that `code` defines.

    What else is in `code` stands before the first of them, its imports before everything.
    """
    exercise = exercise_named(name)
    source = exercise.solution.read_text(encoding="utf-8")
    places = {
        node.name: (node.lineno - 1, node.end_lineno)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    tree = ast.parse(textwrap.dedent(code))
    imports = [ast.unparse(n) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    lines = source.splitlines()
    parts = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
    known = [n for n in parts if getattr(n, "name", "") in places]
    new = "\n\n\n".join(ast.unparse(n) for n in parts)
    starts = sorted((places[n.name] for n in known), reverse=True)  # type: ignore[attr-defined]
    for first, last in starts:
        lines[first:last] = []
    lines[starts[-1][0] : starts[-1][0]] = ["", "", *new.splitlines()]
    docstring = ast.parse(source).body[0].end_lineno
    lines[docstring:docstring] = ["", *imports]
    answer = folder / exercise.path.name
    answer.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return exercise, answer

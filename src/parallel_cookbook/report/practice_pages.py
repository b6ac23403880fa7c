"""The pages of `cookbook practice` besides the grades: tasks, hints, lists, solutions, keys."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from rich.markdown import Markdown
from rich.padding import Padding
from rich.style import Style
from rich.syntax import Syntax
from rich.text import Text

from parallel_cookbook.practice.exercises import HINTS
from parallel_cookbook.report.check import show
from parallel_cookbook.report.practice import grade_as_json, kind_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console, RenderableType

    from parallel_cookbook.practice.exercises import Exercise
    from parallel_cookbook.practice.folder import Folder, Status
    from parallel_cookbook.practice.progress import Entry
    from parallel_cookbook.practice.result import Grade

_MARKS: dict[Status, tuple[str, str]] = {
    "passed": ("✓", "green"),
    "begun": ("…", "yellow"),
    "untouched": (" ", ""),
    "missing": ("!", "yellow"),
}
_GRADE_MARKS = {
    "pass": ("✓", "green"),
    "fail": ("✗", "red"),
    "unknown": ("?", "yellow"),
    "error": ("!", "yellow"),
}
_BAR_CELLS = 28
_LINK_ID = re.compile(r"\x1b\]8;id=[^;]*;")
"""rich numbers links at random, and no page would be the same as before."""


def page_text(console: Console, lines: Iterable[RenderableType]) -> str:
    """Return a page as `console` would print it. In a pipe, no line ends with blanks.

    A line that is to stay one, such as an entry of a list, is cut off at the terminal's edge.
    """
    with console.capture() as captured:
        for line in lines:
            is_entry = isinstance(line, Text) and line.overflow == "ellipsis"
            if is_entry and console.is_terminal:
                console.print(line, no_wrap=True, overflow="ellipsis")
            else:
                show(console, iter([line]))
    text = _LINK_ID.sub("\x1b]8;;", captured.get())
    if console.is_terminal:
        return text
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def heading(folder: Folder, exercise: Exercise) -> Text:
    """Return the line that says which exercise this is, and whether it was passed."""
    number = folder.exercises.index(exercise) + 1
    has_passed = folder.progress.has_passed(exercise.id)
    return Text.assemble(
        (f"Exercise {number} of {len(folder.exercises)}", "dim"),
        "  ",
        (exercise.id, "bold cyan"),
        ("  ✓ passed" if has_passed else "", "green"),
    )


def task_page(folder: Folder, exercise: Exercise) -> Iterator[RenderableType]:
    """Yield an exercise's task: title, story, what must hold, what may be changed, where the file is."""
    yield heading(folder, exercise)
    yield Text(exercise.title, style="bold")
    yield Text()
    yield Markdown(exercise.story)
    yield Text()
    yield from _section("What must hold", exercise.must_hold)
    yield from _section("What you may change", exercise.what_may_change)
    yield file_line(folder, exercise)


def _section(title: str, text: str) -> Iterator[RenderableType]:
    yield Text(title, style="bold")
    yield Padding(Markdown(text), (0, 0, 1, 2), expand=False)


def file_line(folder: Folder, exercise: Exercise, line: int = 0) -> Text:
    """Return the line that says where the learner's file is; a link on a terminal that knows links.

    line: the line to go to; by default that of the TODO, and none where that is gone.
    """
    path = folder.path(exercise).absolute()
    line = line or todo_line(path)
    place = f"{_shown(path)}:{line}" if line else _shown(path)
    link = f"{path.as_uri()}#{line}" if line else path.as_uri()
    return Text.assemble(
        ("Your file  ", "bold"),
        (place, Style(color="cyan", underline=True, link=link)),
    )


def todo_line(path: Path) -> int:
    """Return the number of the line with the TODO in a learner's file, from 1; 0 if there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if "# TODO" in line), 0)


def _shown(path: Path) -> str:
    """Return a path as it is typed from here: relative, if it is not far away."""
    try:
        shown = os.path.relpath(path)
    except (OSError, ValueError):  # the current folder is gone
        return str(path)
    return str(path) if shown.startswith("../..") else shown


def hint_page(exercise: Exercise, number: int) -> Iterator[RenderableType]:
    """Yield the first `number` hints of an exercise."""
    for title, hint in zip(HINTS, exercise.hints[:number], strict=False):
        yield Text(title, style="bold")
        yield Padding(Markdown(hint), (0, 0, 1, 2), expand=False)
    left = len(exercise.hints) - number
    yield Text(f"{left} more" if left else "There are no more hints.", style="dim")


def list_page(
    folder: Folder, current: Exercise, *, exists: bool = True, height: int | None = None
) -> Iterator[RenderableType]:
    """Yield the exercises, a line each, with how far each has come.

    exists: whether the folder was made already; else nothing was begun. height: how many lines there is
        room for; then those around the current exercise are shown.
    """
    widest = max(len(exercise.id) for exercise in folder.exercises)
    shown = _around(folder.exercises.index(current), len(folder.exercises), height)
    if shown.start:
        yield Text(f"     … {shown.start} before", style="dim")
    for number in shown:
        exercise = folder.exercises[number]
        mark, style = _MARKS[folder.status(exercise) if exists else "untouched"]
        is_current = exercise == current
        yield Text.assemble(
            ("▸" if is_current else " ", "bold cyan"),
            f"{number + 1:3} ",
            (mark, style),
            " ",
            (exercise.id.ljust(widest), "bold cyan" if is_current else "cyan"),
            f"  {exercise.title}",
            no_wrap=True,
            overflow="ellipsis",
        )
    if left := len(folder.exercises) - shown.stop:
        yield Text(f"     … {left} after", style="dim")
    yield Text()
    yield Text("▸ the current one  ✓ passed  … begun  ! its file is missing", style="dim")


def _around(place: int, total: int, height: int | None) -> range:
    """Return which of `total` lines to show if there is room for `height`: those around `place`."""
    if height is None or height >= total:
        return range(total)
    room = max(height - 2, 1)
    start = min(max(place - room // 2, 0), total - room)
    return range(start, start + room)


def progress_line(folder: Folder) -> Text:
    """Return the bar that says how many exercises were passed."""
    total = len(folder.exercises)
    filled = round(folder.passed / total * _BAR_CELLS)
    return Text.assemble(
        ("█" * filled, "green"),
        ("░" * (_BAR_CELLS - filled), "dim"),
        f" {folder.passed} of {total} passed",
    )


def solution_page(exercise: Exercise) -> Iterator[RenderableType]:
    """Yield the book's solution, highlighted."""
    text = exercise.solution.read_text(encoding="utf-8")
    yield Syntax(text, "python", theme="ansi_dark", background_color="default", word_wrap=True)


def keys_page(keys: Mapping[str, str]) -> Iterator[RenderableType]:
    """Yield the keys, a line each."""
    yield Text("While this window waits, you edit your file in another one, and save it.")
    yield Text("Each time you save it, it is graded: in every order in which its tasks may run.")
    yield Text()
    for key, purpose in keys.items():
        yield Text.assemble("  ", (key, "bold green"), f"  {purpose}")


def learner_line(name: str) -> Text:
    """Return the heading of a learner's grades."""
    return Text(f"\n{name}", style="bold")


def brief_line(grade: Grade) -> Text:
    """Return a grade in a line."""
    mark, style = _GRADE_MARKS[grade.verdict]
    where = f" in line {grade.line}" if grade.line else ""
    kind = f"  {kind_in_words(grade)}{where}: {grade.message}" if grade.kind else ""
    spent = f"  {grade.seconds:.2f} s"
    return Text.assemble(
        (f"{mark} {grade.exercise}", style), (spent, "dim"), kind, no_wrap=True, overflow="ellipsis"
    )


def worst_verdict(grades: Sequence[Grade]) -> str:
    """Return the verdict on all grades together: a wrong answer tells more than an unproven one."""
    verdicts = {grade.verdict for grade in grades}
    return next(
        (verdict for verdict in ("fail", "error", "unknown") if verdict in verdicts), "pass"
    )


def classroom_as_json(suites: Mapping[str, Sequence[Grade]]) -> dict[str, Any]:
    """Return the grades of a classroom as an object for JSON. Fields may be added later."""
    everything = [grade for grades in suites.values() for grade in grades]
    return {
        "schema": 1,
        "verdict": worst_verdict(everything),
        "learners": [
            {"name": name, "grades": [grade_as_json(grade) for grade in grades]}
            for name, grades in suites.items()
        ],
    }


def list_as_json(folder: Folder, *, exists: bool) -> dict[str, Any]:
    """Return all exercises with their progress as an object for JSON. Fields may be added later.

    exists: whether the folder was made already; else nothing was begun.
    """
    return {
        "schema": 1,
        "folder": str(folder.root.absolute()) if exists else None,
        "passed": folder.passed,
        "exercises": [
            {
                "number": number,
                "id": exercise.id,
                "chapter": exercise.chapter,
                "title": exercise.title,
                "file": str(folder.path(exercise).absolute()) if exists else None,
                "status": folder.status(exercise) if exists else "untouched",
                **_known(folder.progress.of(exercise.id)),
            }
            for number, exercise in enumerate(folder.exercises, 1)
        ],
    }


def _known(entry: Entry) -> dict[str, Any]:
    return {"passed_at": entry.passed_at or None, "hints": entry.hints}

"""How a failure that a check has found is told in a grade: its kind, its words, its line, its story."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from parallel_cookbook.practice.judge import HERE, MISCOUNT, NOT_RUN, POLLS

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import Failure
    from parallel_cookbook.events import Interleaving

_TURNS = 2
"""So many turns of a loop are shown of one who waits by looking."""
_KINDS = {
    HERE: "not-concurrent",
    NOT_RUN: "not-run",
    MISCOUNT: "not-run",
    POLLS: "busy-wait",
}
"""What the judge's own faults are called."""


def until_it_repeats(story: Interleaving, line: int) -> Interleaving:
    """Return the beginning of a story: two turns of the loop in `line`."""
    times: Counter[tuple[int, str]] = Counter()
    for number, event in enumerate(story.events):
        times[event.task, event.kind] += event.line == line
        if times[event.task, event.kind] > _TURNS:
            return replace(story, events=story.events[:number])
    return story


def kind_and_message(failure: Failure) -> tuple[str, str]:
    """Return what a failure of the check is called in a grade, and what is said of it."""
    message = _first_line(failure.message)
    for mark, kind in _KINDS.items():
        if mark in message:
            return kind, message
    if failure.kind == "exception" and message.startswith(("ImportError", "ModuleNotFoundError")):
        return "import", message.partition(": ")[2].partition(" (/")[0]
    if failure.kind == "unsupported":
        return "unsupported", message.partition(" If it only takes long")[0]
    if failure.kind == "assertion":
        return "assertion", message.removeprefix("AssertionError").removeprefix(": ")
    return failure.kind, message


def asserted(source: str, failure: Failure, answer: Path) -> str:
    """Return what is claimed by the `assert` that fails, as the answer has it; empty if that is not known."""
    file, line = place(failure.location)
    if file != str(answer):
        return ""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or node.lineno):
            return " ".join((ast.get_source_segment(source, node.test) or "").split())
    return ""


def _first_line(message: str) -> str:
    return " ".join(message.split("\n\n", maxsplit=1)[0].split())


def line_to_blame(failure: Failure, story: Interleaving | None, answer: Path) -> int:
    """Return the line in which it went wrong; where nobody can go on, one in which somebody waits."""
    file, line = place(failure.location)
    if line and file == str(answer):
        return line
    waiting = [blocked for blocked in story.blocked if blocked.task] if story else []
    return next((blocked.line for blocked in waiting if blocked.file == str(answer)), 0)


def place(location: str) -> tuple[str, int]:
    """Return the file and the line of a `file:line`; 0 where there is none."""
    file, _, line = location.rpartition(":")
    return file, int(line) if line.isdigit() else 0

"""A grade for a learner in a terminal or a pipe, and as an object for JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from parallel_cookbook.report.check import as_text, story_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from parallel_cookbook.check import Failure
    from parallel_cookbook.events import Interleaving
    from parallel_cookbook.practice.result import Grade

_MARKS = {
    "pass": ("✓", "bold green"),
    "fail": ("✗", "bold red"),
    "unknown": ("?", "bold yellow"),
    "error": ("!", "bold yellow"),
}
_MEANINGS = {
    "pass": "proven right",
    "fail": "not right yet",
    "unknown": "not proven",
    "error": "cannot be graded yet",
}
_NEXT_STEPS = {
    "syntax": "Correct that line, and save the file again.",
    "import": "Correct the import, and save the file again.",
    "missing-file": "Put the file back; `cookbook practice reset` makes a new one.",
    "harness-changed": "Take that back: what surrounds your part is the judge of it.",
    "not-run": "Let main() run to its end, whatever happens.",
    "not-concurrent": "Let the tasks work at the same time again; then see what goes wrong between them.",
    "busy-wait": "Let whoever waits sleep until somebody wakes him: on a lock, a Condition, a queue.",
    "budget": "Less code that runs, fewer locks or fewer turns make it easier to prove.",
    "unsupported": "Leave that call out; the task can be done without it.",
    "deadlock": "Ask of each task that waits: who was to wake it, and why does nobody?",
    "livelock": "Ask what would have to change for the loop to end, and who changes it.",
    "data-race": "Let one lock guard both accesses, or hand the value over through a queue.",
    "assertion": "Find the step at which it went wrong; what should nobody have been able to do there?",
    "exception": "Find the step before the exception; what should nobody have been able to do there?",
    "leaked-task": "Wait for whatever you have started.",
}


_NAMES = {
    "harness-changed": "not yours to change",
    "budget": "too much to prove",
}
"""Kinds that say more in other words."""


def grade_lines(grade: Grade) -> Iterator[RenderableType]:
    """Yield a grade: the verdict; which claim failed, how and where; what to do next."""
    mark, style = _MARKS[grade.verdict]
    yield Text.assemble(
        (f"{mark} {grade.exercise}", style),
        f"  {_MEANINGS[grade.verdict]}  ",
        (_spent(grade), "dim"),
    )
    yield Text(_claim(grade), style="italic")
    if grade.passed:
        yield Text(_proof(grade))
        return
    yield Text()
    yield Text.assemble((kind_in_words(grade), style), f"{_where(grade)}: {_message(grade)}")
    failure = next(iter(grade.report.failures), None) if grade.report else None
    if grade.story is not None and failure is not None:
        yield from story_lines(grade.story, failure)
        if sentence := _who_came_too_late(grade.story, failure):
            yield Text()
            yield Text(sentence)
    if grade.output.strip():
        yield Text()
        yield Text("It printed:", style="dim")
        for line in grade.output.strip().splitlines():
            yield Text(f"  {line}", style="dim")
    yield Text()
    yield Text(next_step(grade))


def next_step(grade: Grade) -> str:
    """Return what to do next, in a sentence; empty after a pass."""
    return "" if grade.passed else _NEXT_STEPS.get(grade.kind, "")


def grade_text(grade: Grade, width: int | None = None, *, has_colour: bool = False) -> str:
    """Return `grade_lines` as text, in lines of `width` (by default the terminal's)."""
    return as_text(grade_lines(grade), width, has_colour=has_colour)


def grade_as_json(grade: Grade) -> dict[str, Any]:
    """Return a grade as an object for JSON. Fields may be added later, and are never changed."""
    return {
        "exercise": grade.exercise,
        "verdict": grade.verdict,
        "kind": grade.kind,
        "claim": grade.claim,
        "message": grade.message,
        "location": f"{grade.file}:{grade.line}" if grade.line else grade.file,
        "executions": grade.executions,
        "exhaustive": grade.is_exhaustive,
        "seconds": round(grade.seconds, 3),
        "schedule": grade.schedule,
        "counterexample": list(_steps(grade)),
        "output": grade.output,
    }


def _steps(grade: Grade) -> Iterator[dict[str, Any]]:
    story = grade.story
    if story is None:
        return
    for event in story.events:
        yield {
            "task": story.tasks[event.task],
            "did": event.kind,
            "what": event.subject,
            "line": event.line,
            "source": event.source,
            "detail": event.detail,
        }
    for blocked in story.blocked:
        yield {
            "task": story.tasks[blocked.task],
            "did": "waits",
            "what": blocked.subject,
            "line": blocked.line,
            "source": blocked.source,
            "detail": blocked.kind,
        }


def _who_came_too_late(story: Interleaving, failure: Failure) -> str:
    """Return a sentence on who does something after the first task's assertion has failed; else nothing."""
    first = story.tasks[0]
    if failure.kind != "assertion" or failure.task != first:
        return ""
    end = max((number for number, event in enumerate(story.events) if not event.task), default=0)
    late = dict.fromkeys(event.task for event in story.events[end + 1 :] if event.line)
    if not late:
        return ""
    names = " and ".join(story.tasks[task] for task in late)
    was, its = ("were", "their") if len(late) > 1 else ("was", "its")
    return (
        f"{names} {was} still under way when the assertion failed: {first} had not waited for {its} end, "
        "and the steps after that come too late."
    )


def _claim(grade: Grade) -> str:
    """Return the claim; one that failed is not to be read as if it held.

    What may be changed is a rule already.
    """
    is_plain = grade.passed or grade.kind == "harness-changed"
    return grade.claim if is_plain else f"What must hold: {grade.claim}"


def _where(grade: Grade) -> str:
    return f" ({Path(grade.file).name}:{grade.line})" if grade.line else ""


def kind_in_words(grade: Grade) -> str:
    """Return what went wrong in a word or a few; empty after a pass."""
    return _NAMES.get(grade.kind, grade.kind.replace("-", " "))


def _message(grade: Grade) -> str:
    """Return what went wrong; who waits for what is seen better in the story, where there is one."""
    if grade.kind == "deadlock" and grade.story is not None:
        return "nobody can go on"
    return grade.message


def _spent(grade: Grade) -> str:
    return f"{grade.seconds:.2f} s"


def _proof(grade: Grade) -> str:
    if grade.executions == 1:
        return "It holds in the one interleaving that there is."
    return f"It holds in all of {grade.executions:,} interleavings that can make a difference."

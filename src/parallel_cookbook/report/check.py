"""A check's report for a person in a terminal or a pipe: verdict, counterexample, outcomes, warnings."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from parallel_cookbook.report.check_columns import Columns, legend
from parallel_cookbook.report.check_outcomes import MAX_SHOWN, outcome_table, title
from parallel_cookbook.report.check_rows import story_rows
from parallel_cookbook.report.check_why import why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType

    from parallel_cookbook.check.result import CheckReport, Failure
    from parallel_cookbook.events import Interleaving

_MEANINGS = {
    "pass": "no interleaving goes wrong",
    "fail": "this program can go wrong",
    "unknown": "nothing found, and not everything explored",
    "error": "this program cannot be checked",
}
"""What each verdict means, in a few words."""


def meaning(report: CheckReport) -> str:
    """Return what the verdict means, in a few words; a pass beside a data race says that it is not all."""
    races = sum(warning.kind == "data-race" for warning in report.warnings)
    if report.verdict == "pass" and races:
        return f"no assertion fails; but see the {'warning' if races == 1 else 'warnings'}"
    return _MEANINGS[report.verdict]


def show(console: Console, lines: Iterator[RenderableType]) -> None:
    """Print a report. A line that is to be copied is never wrapped; in a pipe, no sentence is."""
    for line in lines:
        is_prose = isinstance(line, Text)
        is_whole = isinstance(line, Text) and line.no_wrap is True
        console.print(
            line, soft_wrap=is_whole or (is_prose and not console.is_terminal), highlight=False
        )


def as_text(
    lines: Iterator[RenderableType], width: int | None = None, *, has_colour: bool = False
) -> str:
    """Return what rich makes of the lines, without trailing space."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width or shutil.get_terminal_size().columns,
        force_terminal=True,
        color_system="standard" if has_colour else None,
        no_color=not has_colour,
        legacy_windows=False,
    )
    show(console, lines)
    text = stream.getvalue() if has_colour else re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def report_lines(report: CheckReport) -> Iterator[RenderableType]:
    """Yield the verdict, and what was explored."""
    style = {"pass": "bold green", "fail": "bold red"}.get(report.verdict, "bold yellow")
    yield Text.assemble((report.verdict.upper(), style), f"  {report.target}: {meaning(report)}")
    yield Text(explored(report))
    for note in report.notes:
        yield Text.assemble(("note: ", "yellow"), note)


def aside_lines(report: CheckReport) -> Iterator[RenderableType]:
    """Yield what can come out, and the warnings."""
    table = outcome_table(report)
    if table is not None:
        yield Text()
        yield Text(f"{title(report)}:", style="bold")
        yield table
        left_out = len(report.outcomes) - MAX_SHOWN
        if left_out > 0:
            yield Text(f"… and {left_out:,} more", style="dim")
    for remark in report.remarks:
        if remark.kind == "lost-change" and report.failures:
            continue  # told with the failure
        yield Text()
        name = remark.kind.replace("-", " ")
        place = f"{short_place(remark.location)}: " if remark.location else ""
        yield Text.assemble((f"{name}: ", "yellow"), f"{place}{remark.message}")
    for warning in report.warnings:
        yield Text()
        name = warning.kind.replace("-", " ")
        yield Text.assemble((f"warning: {name}: ", "yellow"), warning.message)


def explored(report: CheckReport) -> str:
    """Say how many executions there were, and whether that was all."""
    rate = report.executions / report.seconds if report.seconds else 0
    count = f"{report.executions:,} execution{'s' * (report.executions != 1)}"
    spent = f"{report.seconds:.2f} s"
    if report.executions >= _MIN_FOR_RATE:
        spent += f" ({rate:,.0f} a second)"
    if report.exhaustive and report.faults:
        victims = "one process" if report.faults == 1 else f"up to {report.faults} processes"
        return (
            f"Explored {count} in {spent}: every order that can make a difference, "
            f"with none and with {victims} killed at any step."
        )
    if report.exhaustive and report.executions == 1:
        return f"Explored the one execution that there is, in {spent}."
    if report.exhaustive:
        return f"Explored {count} in {spent}: every order that can make a difference."
    if report.unexplored:
        return f"Explored {count} in {spent}, then stopped at the limit of {report.unexplored}."
    if report.verdict == "unknown":
        return f"Cut off in execution {report.executions:,}, after {spent}; the rest is unexplored."
    return f"Found in execution {report.executions:,}, after {spent}; the rest is unexplored."


_MIN_FOR_RATE = 100
_MAX_SCHEDULE = 2000
"""Characters: a longer one floods the terminal."""


def _replay_lines(schedule: str, command: Callable[[str], str]) -> Iterator[RenderableType]:
    """Yield the command that replays `schedule`; if that is too long to be copied, where to find it."""
    if len(schedule) <= _MAX_SCHEDULE:
        yield Text(f"replay: {command(schedule)}", no_wrap=True, overflow="ignore")
        return
    yield Text(
        f"replay: {command(f'{schedule[:20]}…{schedule[-10:]}')}", no_wrap=True, overflow="ignore"
    )
    yield Text(
        f"The schedule has {len(schedule):,} characters: --json prints it whole. A program whose loops turn "
        "less often has a shorter one."
    )


def interrupted_lines(
    executions: int, seconds: float, failures: Sequence[Failure], command: Callable[[str], str]
) -> Iterator[RenderableType]:
    """Yield what a check had found when it was interrupted.

    command: returns what replays a schedule.
    """
    count = f"{executions:,} execution{'s' * (executions != 1)}"
    found = f"{len(failures)} failure{'s' * (len(failures) != 1)}" if failures else "nothing"
    yield Text.assemble(
        ("interrupted: ", "yellow"),
        f"found {found} in {count}, after {seconds:.2f} s; the rest is unexplored",
    )
    for failure in failures:
        yield Text.assemble((failure.kind.replace("-", " "), "bold red"), headline(failure))
        if failure.schedule:
            yield from _replay_lines(failure.schedule, command)


def all_failure_lines(
    failures: Sequence[Failure],
    story_of: Callable[[str], Interleaving],
    command: Callable[[str], str],
) -> Iterator[RenderableType]:
    """Yield each failure; one of an order that has been shown already, in one line.

    story_of: returns what a schedule does.
    command: returns what replays it.
    """
    shown: set[str] = set()
    for failure in failures:
        schedule = failure.schedule
        if schedule in shown:
            yield Text()
            yield Text.assemble(
                "and then, in the same order: ",
                (failure.kind.replace("-", " "), "bold red"),
                headline(failure),
            )
            continue
        yield from failure_lines(failure, story_of(schedule) if schedule else None, command)
        shown |= {schedule} - {""}


def failure_lines(
    failure: Failure, story: Interleaving | None, command: Callable[[str], str]
) -> Iterator[RenderableType]:
    """Yield one failure: what went wrong, the interleaving that does it, why, and how to see it again.

    command: returns what replays a schedule.
    """
    yield Text()
    yield Text.assemble((failure.kind.replace("-", " "), "bold red"), headline(failure))
    if story is None:
        return
    yield from story_lines(story, failure)
    yield Text()
    yield from _replay_lines(failure.schedule, command)


def headline(failure: Failure) -> str:
    """Return what went wrong where, without its kind."""
    where = f" in {failure.task}" if failure.task else ""
    place = f" ({short_place(failure.location)})" if failure.location else ""
    if failure.kind == "deadlock":
        return ": nobody can go on"
    if failure.kind == "livelock":
        if failure.location:
            return f": {failure.message}"
        return ": whoever is left only waits for a change, and nobody makes one"
    return f"{where}{place}: {_first_paragraph(failure.message)}"


def _first_paragraph(message: str) -> str:
    """Return a message of several paragraphs without all but the first, on one line."""
    first, *others = message.split("\n\n")
    return f"{' '.join(first.split())} …" if others else message


def columns(story: Interleaving, failure: Failure | None = None) -> Columns:
    """Return the interleaving as a table: a column a task, a row a source line, in the order of time."""
    return Columns(story_rows(story, failure), story.tasks)


def story_lines(story: Interleaving, failure: Failure) -> Iterator[RenderableType]:
    """Yield an interleaving as columns, and why it ends badly."""
    rows = story_rows(story, failure)
    if len(rows) > 1 or (rows and rows[0].kind != "failed"):
        yield Text()
        yield Columns(rows, story.tasks)
        marks = legend(rows)
        if marks:
            yield Text(f" {marks}", style="dim")
    reason = why(failure, story, rows)
    if reason:
        yield Text()
        yield Text(reason, style="bold")


def short_place(location: str) -> str:
    """Return `file:line` without the folder."""
    file, _, line = location.rpartition(":")
    return f"{Path(file).name}:{line}"

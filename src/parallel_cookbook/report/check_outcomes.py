"""The table of what a program can come to, and how often it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from parallel_cookbook.check.result import CheckReport, Outcome

MAX_SHOWN = 10
_MAX_PRINTED_LINES = 6
_MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One outcome as a reader sees it."""

    executions: int
    printed: str
    ending: str
    failure: int | None
    """Which of the report's failures it is."""
    schedule: str


def outcome_rows(report: CheckReport) -> list[OutcomeRow]:
    """Return the outcomes, the most frequent first."""
    ordered = sorted(report.outcomes, key=lambda outcome: -outcome.executions)
    return [_row(outcome, report) for outcome in ordered]


def is_worth_showing(report: CheckReport) -> bool:
    """Whether the outcomes say more than that the program can fail."""
    if len(report.outcomes) < 2:  # noqa: PLR2004 - one outcome is no choice
        return False
    stopped_early = bool(report.failures) and not report.exhaustive
    return not stopped_early or len({outcome.stdout for outcome in report.outcomes}) > 1


def title(report: CheckReport) -> str:
    """Return the heading: what can come out, or only what came out."""
    return "What can come out" if report.exhaustive else "What came out so far"


def outcome_table(report: CheckReport) -> Table | None:
    """Return the table; None where it would say nothing."""
    if not is_worth_showing(report):
        return None
    rows = outcome_rows(report)
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("times", justify="right", header_style="dim")
    has_output = any(row.printed for row in rows)
    has_endings = len({row.ending for row in rows}) > 1 or not has_output
    if has_output:
        table.add_column("printed", header_style="dim", overflow="fold")
    if has_endings:
        table.add_column("ending", header_style="dim", overflow="fold")
    has_many_lines = any("\n" in row.printed for row in rows[:MAX_SHOWN])
    for row in rows[:MAX_SHOWN]:
        if has_many_lines and table.row_count:
            table.add_row()  # else nobody sees where an outcome ends and the next begins
        cells = [Text(f"{row.executions:,}")]
        if has_output:
            cells.append(Text(row.printed or "nothing", style="" if row.printed else "dim"))
        if has_endings:
            cells.append(Text(row.ending, style="red" if row.failure is not None else ""))
        table.add_row(*cells)
    return table


def _row(outcome: Outcome, report: CheckReport) -> OutcomeRow:
    for number, failure in enumerate(report.failures):
        if failure.message and failure.message in outcome.result:
            same = ": nobody can go on" if failure.kind == "deadlock" else f": {failure.message}"
            ending = failure.kind.replace("-", " ") + same
            return OutcomeRow(
                outcome.executions, _printed(outcome), _short(ending), number, outcome.schedule
            )
    ending = "ends well" if outcome.result in {"None", "finished"} else outcome.result
    return OutcomeRow(outcome.executions, _printed(outcome), _short(ending), None, outcome.schedule)


def _printed(outcome: Outcome) -> str:
    lines = outcome.stdout.rstrip().splitlines()
    if len(lines) > _MAX_PRINTED_LINES:
        left_out = len(lines) - _MAX_PRINTED_LINES + 1
        lines[_MAX_PRINTED_LINES - 1 :] = [f"… and {left_out} more lines"]
    return "\n".join(_short(line) for line in lines)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"

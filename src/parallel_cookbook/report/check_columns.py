"""Rows of a story as columns of text, a column a task; as a list if the terminal is too narrow for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.text import Text

from parallel_cookbook.report.check_rows import has_epilogue, shown_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from parallel_cookbook.report.check_rows import Row

MAX_COLUMNS = 5
"""With more tasks than that, a list is easier to follow."""
MAX_ROWS = 60
"""More rows than that nobody reads; the ones in the middle are left out."""
_MIN_COLUMN = 19
_GAP = 3
_MAX_LINES = 4
"""Of one piece of text; the rest is replaced with …"""
SWITCH, STUCK, FAILED = "⇄", "■", "✗"
_STYLES = {"step": "", "blocked": "bold red", "failed": "bold red"}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a cell, not wrapped yet."""

    text: str
    style: str
    indent: int


class Columns:
    """Renders rows in whatever width the console has."""

    def __init__(self, rows: Sequence[Row], tasks: Sequence[str]) -> None:
        self._rows = list(rows)
        self._names = tasks
        tasks_shown = shown_tasks(self._rows)
        self._has_epilogue = has_epilogue(self._rows)
        """Whether the main flow only comes when all others are done; its rows have the whole width."""
        self._shown = [task for task in tasks_shown if task or not self._has_epilogue]
        files = {row.file for row in self._rows if row.file}
        self._has_many_files = len(files) > 1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        del console
        for line in self.lines(options.max_width):
            line.no_wrap = True
            line.overflow = "ignore"
            yield line

    def lines(self, width: int) -> Iterator[Text]:
        """Yield one text for each line, none wider than `width` if that can be."""
        if not self._rows:
            return
        places = [self._place(row) for row in self._rows]
        steps = max(len("step"), len(str(self._rows[-1].number)))
        place_width = max(cell_len("line"), *(cell_len(place) for place in places))
        margin = 1 + steps + 2 + place_width + _GAP
        widths = self._column_widths(width - margin)
        if widths:
            yield from self._as_columns(places, steps, place_width, widths, width - margin)
        else:
            yield from self._as_list(places, steps, place_width, max(width - margin, 16))

    def _place(self, row: Row) -> str:
        if not row.line:
            return ""
        name = row.file.replace("\\", "/").rpartition("/")[2]
        return f"{name}:{row.line}" if self._has_many_files else str(row.line)

    def _kept(self) -> Iterator[tuple[int, Row] | None]:
        """Yield the rows to show, by index; None where some are left out."""
        total = len(self._rows)
        half = MAX_ROWS // 2
        for index, row in enumerate(self._rows):
            if total <= MAX_ROWS or index < half or index >= total - half:
                yield index, row
            elif index == half:
                yield None

    # --- columns --------------------------------------------------------------------------------

    def _column_widths(self, room: int) -> list[int]:
        """Return how wide each column is; nothing if they do not fit."""
        count = len(self._shown)
        if count > MAX_COLUMNS or count * (_MIN_COLUMN + _GAP) - _GAP > max(room, 0):
            return [room] if count == 1 else []
        wanted = [cell_len(self._names[task]) for task in self._shown]
        for row in self._rows:
            if self._has_epilogue and row.task == 0:
                continue
            column = self._shown.index(row.task)
            for line in _cell(row):
                wanted[column] = max(wanted[column], line.indent + cell_len(line.text))
        widths = [max(want, 1) for want in wanted]
        room -= _GAP * (count - 1)
        while sum(widths) > room:
            widest = widths.index(max(widths))
            widths[widest] -= 1
        return widths

    def _as_columns(
        self, places: list[str], steps: int, place_width: int, widths: list[int], room: int
    ) -> Iterator[Text]:
        head = Text(f" {'step'.rjust(steps)}  {'line'.rjust(place_width)}", style="dim")
        for task, width in zip(self._shown, widths, strict=True):
            head.append(" " * _GAP)
            head.append(_fit(self._names[task], width), style="bold")
        head.rstrip()
        yield head
        total_margin = 1 + steps + 2 + place_width + _GAP
        total = total_margin + sum(widths) + _GAP * (len(widths) - 1)
        last = -1
        yield Text(" " + "─" * (total - 1), style="dim")
        for item in self._kept():
            if item is None:
                yield self._omission(steps)
                continue
            index, row = item
            if self._has_epilogue and row.task == 0:
                before, width = _GAP, sum(widths) + _GAP * (len(widths) - 1)
                width = max(width, room)
                if row.task != last:
                    margin = " " * (total_margin)
                    yield Text(f"{margin}then {self._names[row.task]}:", style="bold")
            else:
                column = self._shown.index(row.task)
                before = sum(widths[:column]) + _GAP * (column + 1)
                width = widths[column]
            last = row.task
            for number, line in enumerate(_wrapped(_cell(row), width)):
                place = places[index].rjust(place_width) if number == 0 else " " * place_width
                step = str(row.number).rjust(steps) if number == 0 else " " * steps
                text = Text.assemble((f" {step}  {place}", "dim"), " " * before, line)
                yield text

    def _omission(self, steps: int) -> Text:
        left_out = len(self._rows) - MAX_ROWS
        return Text(f" {'⋮'.rjust(steps)}  ({left_out} steps are left out here)", style="dim")

    # --- a list ---------------------------------------------------------------------------------

    def _as_list(
        self, places: list[str], steps: int, place_width: int, room: int
    ) -> Iterator[Text]:
        margin = 1 + steps + 2 + place_width + _GAP
        yield Text(f" {'step'.rjust(steps)}  {'line'.rjust(place_width)}", style="dim")
        last = -1
        for item in self._kept():
            if item is None:
                yield self._omission(steps)
                last = -1
                continue
            index, row = item
            if row.task != last:
                yield Text(" " * margin + self._names[row.task] + ":", style="bold")
                last = row.task
            for number, line in enumerate(_wrapped(_cell(row), room - 2)):
                place = places[index].rjust(place_width) if number == 0 else " " * place_width
                step = str(row.number).rjust(steps) if number == 0 else " " * steps
                yield Text.assemble((f" {step}  {place}", "dim"), " " * (_GAP + 2), line)


def legend(rows: Sequence[Row]) -> str:
    """Explain the marks that these rows bear, in one line; empty if they bear none."""
    said = []
    if any(row.is_switch for row in rows):
        said.append(f"{SWITCH} switched here, although the task before could have gone on")
    if any(row.kind == "blocked" for row in rows):
        said.append(f"{STUCK} waits for ever")
    return "; ".join(said)


def _cell(row: Row) -> list[_Line]:
    mark = {"blocked": STUCK + " ", "failed": FAILED + " "}.get(row.kind, "")
    if row.is_switch:
        mark = SWITCH + " " + mark
    lines = [_Line(mark + row.source, _STYLES[row.kind] or "", 0)]
    last = len(row.details) - 1
    for index, detail in enumerate(row.details):
        is_end = row.kind != "step" and index == last
        lines.append(_Line(detail, "bold red" if is_end else "cyan", 2))
    return lines


def _wrapped(lines: list[_Line], width: int) -> Iterator[Text]:
    for line in lines:
        pieces = _break(line.text, width - line.indent, max(width - line.indent - 2, 1))
        for number, piece in enumerate(pieces):
            indent = line.indent + (2 if number else 0)
            yield Text(" " * indent + piece, style=line.style)


def _break(text: str, first: int, others: int) -> list[str]:
    """Break at spaces, and inside a word only if it is too long for a line."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        rest = word
        while True:
            room = first if not lines else others
            joined = f"{line} {rest}" if line else rest
            if cell_len(joined) <= room:
                line = joined
                break
            if line:
                lines.append(line)
                line = ""
                continue
            head = _head(rest, max(room, 1))
            lines.append(head)
            rest = rest[len(head) :]
    lines.append(line)
    if len(lines) > _MAX_LINES:
        cut = chop_cells(lines[_MAX_LINES - 1], max(others - 1, 1))[0]
        lines[_MAX_LINES - 1 :] = [cut + "…"]
    return lines


def _head(word: str, room: int) -> str:
    """Return as much of a word as has room, up to a bracket, comma or dot if one is near the end."""
    head = chop_cells(word, room)[0]
    cut = max(head.rfind(mark) for mark in "([{,=.") + 1
    return head[:cut] if 2 * cut > len(head) else head


def _fit(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells: padded, or cut off with …."""
    length = cell_len(text)
    if length <= width:
        return text + " " * (width - length)
    return chop_cells(text, max(width - 1, 1))[0] + "…"

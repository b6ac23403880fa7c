"""A table of a trace that stays tidy on a narrow terminal: a row is a line, whatever the width.

Figures are never cut. Where there is no room, the note behind them gives way first, then it and the name are
cut, with an ellipsis.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions

_GAP = "  "
_LEAST_NAME = 16
"""Also what short names are padded to, so that the tables of a summary stand alike."""
_LEAST_NOTE = 18
"""Room for a file and a line, for which a name is cut."""


@dataclass
class TraceTable:
    """A name, figures, and a note in each row; rich prints it as wide as the console allows."""

    name: str
    """The heading of the names."""
    figures: Sequence[str]
    """The headings of the figures, which stand to the right in their columns."""
    note: str = ""
    """The heading of the notes."""
    more: str = ""
    """What is not in the table, in a line below."""
    is_place: bool = False
    """The notes are files with lines: cut at their beginnings, so that the line is left."""
    rows: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    def add(self, name: str, *figures: str, notes: tuple[str, ...] = ("",)) -> None:
        """Add a row. notes: the same note in ever fewer words; the first that has room is shown."""
        assert len(figures) == len(self.figures)  # noqa: S101 - else columns would shift
        self.rows.append((name, figures, notes))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield a line for the headings and for each row."""
        widths = [
            max(cell_len(row[place]) for row in (self.figures, *(row[1] for row in self.rows)))
            for place in range(len(self.figures))
        ]
        taken = sum(widths) + len(_GAP) * len(widths)
        names = max(cell_len(name) for name in (self.name, *(row[0] for row in self.rows)))
        shortest = max((cell_len(row[2][-1]) for row in self.rows), default=0)
        needed = min(shortest, _LEAST_NOTE) + len(_GAP) if shortest else 0
        name_room = max(min(names, options.max_width - taken - needed), _LEAST_NAME)
        room = options.max_width - taken - name_room - len(_GAP)
        for name, figures, notes in ((self.name, self.figures, (self.note,)), *self.rows):
            cells = [_cut(name, name_room).ljust(name_room - cell_len(name) + len(name))]
            cells += [figure.rjust(width) for figure, width in zip(figures, widths, strict=True)]
            note = next((note for note in notes if cell_len(note) <= room), notes[-1])
            cut = _cut_before if self.is_place and note != self.note else _cut
            cells.append(cut(note, room) if room > 0 else "")
            style = "dim" if figures is self.figures else ""
            yield Text(_GAP.join(cells).rstrip(), style, no_wrap=True, overflow="ellipsis")
        if self.more:
            yield Text(self.more, "dim italic")


def _cut(text: str, width: int) -> str:
    """Return the text, cut with an ellipsis if it is wider."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…"


def _cut_before(text: str, width: int) -> str:
    """Return the text's end, behind an ellipsis if it is wider."""
    return _cut(text[::-1], width)[::-1]

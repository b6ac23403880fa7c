"""Check a program and render the report, without anything that differs from run to run."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from parallel_cookbook.check import Budget, Entry, check_entry, replay_entry
from parallel_cookbook.report.check import all_failure_lines, aside_lines, report_lines, show
from parallel_cookbook.report.check_html import html_page, schedules

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import CheckReport
    from parallel_cookbook.events import Interleaving


@dataclass(frozen=True)
class Checked:
    """A program, its report, and the story of each schedule that a page shows."""

    file: Path
    report: CheckReport
    stories: dict[str, Interleaving]

    def replay(self, schedule: str) -> str:
        """Return the command that replays a schedule."""
        return f"cookbook check {self.file.name} --replay {schedule}"

    def text(self, width: int, *, is_terminal: bool = False) -> str:
        """Return what `cookbook check` prints in a terminal or a pipe of that width."""
        output = io.StringIO()
        console = Console(
            file=output,
            width=width,
            force_terminal=is_terminal,
            color_system=None,
            legacy_windows=False,
        )
        show(console, report_lines(self.report))
        stories = self.stories.__getitem__
        show(console, all_failure_lines(self.report.failures, stories, self.replay))
        show(console, aside_lines(self.report))
        return "\n".join(line.rstrip() for line in output.getvalue().splitlines()) + "\n"

    def page(self) -> str:
        """Return the HTML page."""
        return html_page(self.report, self.stories, self.replay)


def check_file(file: Path) -> Checked:
    """Check a file to the end, or to its first failure."""
    entry = Entry(file)
    report = check_entry(entry, target=file.name, strategy="dpor", budget=Budget(None, 60))
    report.seconds = 0.0
    stories = {schedule: replay_entry(entry, schedule)[0] for schedule in schedules(report)}
    return Checked(file, report, stories)

"""What `cookbook run` shows while programs run: their output as it comes, and a line of progress.

One target: its output goes to standard output and standard error untouched, the verdict to
standard error, so that it can be piped on. Several: everything to standard output, each target's
lines under its heading, and on a terminal a progress bar at the bottom.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from parallel_cookbook.cli.console import new_console
from parallel_cookbook.cli.options import command_name
from parallel_cookbook.report import run as report
from parallel_cookbook.report.book import try_next_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.content import Book
    from parallel_cookbook.report.run import Finished, Target
    from parallel_cookbook.run.output import Stream


class Display:
    """Shows a run of `targets`; quiet shows nothing (for JSON)."""

    def __init__(
        self, book: Book, targets: list[Target], start_method: str | None, *, quiet: bool
    ) -> None:
        self._book = book
        self._start_method = start_method
        self._quiet = quiet
        self._planned = len(targets)
        self._single = len(targets) == 1
        self._console = new_console(quiet=quiet, soft_wrap=True, stderr=self._single)
        # Less than 80 columns: the ^C that a terminal shows would else begin a line of its own, and
        # the wrong line would be cleared.
        self._progress = Progress(
            TextColumn("{task.description:38}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=quiet or self._single or not self._console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=len(targets))
        self._chapter = 0
        self._unfinished_lines: dict[Stream, str] = {}
        self._cursor_in_line = False
        self._all_finished: list[Finished] = []

    def __enter__(self) -> Self:
        """Start the progress line."""
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Take the progress line away, and sum up a run of several."""
        if kind is None or issubclass(kind, KeyboardInterrupt):
            self._progress.stop()
            if not self._single:
                self._sum_up(interrupted=kind is not None)
            return
        with contextlib.suppress(OSError):  # the terminal may be gone, which is why we end
            self._progress.stop()

    def _sum_up(self, *, interrupted: bool) -> None:
        if interrupted:
            self._console.print(report.interruption(self._all_finished, self._planned))
            return
        for line in report.summary(self._book, self._all_finished, self._start_method):
            self._console.print(line)
        self._console.print()
        for text in try_next_lines(self._book, command_name()):
            self._console.print(Text.from_ansi(text))

    @contextlib.contextmanager
    def showing(self, target: Target) -> Iterator[None]:
        """Show the heading of `target`; what is printed until the end belongs to it."""
        self._progress.update(self._bar, description=target.name)
        if not self._single:
            self._open_chapter(target)
            # In a pipe a line stays a line; on a terminal a long title breaks between words.
            self._console.print(report.heading(target), soft_wrap=not self._console.is_terminal)
        yield
        self._progress.advance(self._bar)

    def output(self, stream: Stream, text: str) -> None:
        """Pass on what the program printed."""
        if self._quiet:
            return
        if self._single:
            file = sys.stdout if stream == "stdout" else sys.stderr
            file.write(text)
            file.flush()
            if file.isatty():
                self._cursor_in_line = not text.endswith("\n")
            return
        *lines, rest = (self._unfinished_lines.pop(stream, "") + text).split("\n")
        self._unfinished_lines[stream] = rest
        if lines:  # all at once: rich takes its time for each call
            self._console.print(report.output_lines(lines, is_error=stream == "stderr"))

    def finished(self, item: Finished) -> None:
        """Show how it ended."""
        for stream, rest in self._unfinished_lines.items():
            if rest:
                self._console.print(report.output_lines([rest], is_error=stream == "stderr"))
        self._unfinished_lines.clear()
        if self._cursor_in_line:
            self._console.print()
        self._all_finished.append(item)
        self._console.print(report.verdict_line(item.result))
        if lucky := report.lucky_line(item, command_name()):
            self._console.print(lucky)

    def _open_chapter(self, target: Target) -> None:
        number = target.recipe.chapter if target.recipe else 0
        if number not in {0, self._chapter}:
            self._chapter = number
            self._console.print(report.chapter_heading(self._book.chapter(number)))

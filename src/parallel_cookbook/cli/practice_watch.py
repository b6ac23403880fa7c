"""`cookbook practice` on a terminal: shows an exercise, grades at each save, and listens to keys."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from rich.text import Text

from parallel_cookbook.cli.console import new_console
from parallel_cookbook.cli.practice_screen import Terminal
from parallel_cookbook.practice.background import BackgroundGrader
from parallel_cookbook.practice.folder import MARKER
from parallel_cookbook.practice.session import KEYS, Session
from parallel_cookbook.practice.watch import Watch
from parallel_cookbook.report import practice_pages as pages
from parallel_cookbook.report.practice import grade_lines, kind_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from parallel_cookbook.practice.exercises import Exercise
    from parallel_cookbook.practice.folder import Folder

_FOOT = {
    "n": "next",
    "p": "previous",
    "t": "task",
    "r": "check",
    "h": "hint",
    "l": "list",
    "x": "reset",
    "?": "help",
    "q": "quit",
}


_AROUND_LIST = 9
"""How many lines there are above and below the list of exercises, at most."""


def practise(
    folder: Folder, exercise: Exercise | None, notices: Sequence[str], max_seconds: float
) -> None:
    """Practise in `folder` until the learner quits.

    exercise: which to begin with; None for the one that is next. notices: to be shown at first.
    """
    with (
        Terminal() as terminal,
        Watch(_folders(folder), terminal.wake) as watch,
        BackgroundGrader(terminal.wake, max_seconds=max_seconds) as grader,
    ):
        _Window(terminal, watch, grader, Session(folder, exercise), notices).run()


def _folders(folder: Folder) -> list[Path]:
    """Return the folders in which something may change: those of the answers, and that of the progress."""
    places = {folder.path(exercise).parent for exercise in folder.exercises}
    return [place for place in sorted({*places, folder.root / MARKER}) if place.is_dir()]


class _Window:
    """What a learner sees and types."""

    def __init__(
        self,
        terminal: Terminal,
        watch: Watch,
        grader: BackgroundGrader,
        session: Session,
        notices: Sequence[str],
    ) -> None:
        self._terminal = terminal
        self._watch = watch
        self._grader = grader
        self._session = session
        self._notices = list(notices)
        self._shown: tuple[str, str] = ("", "")

    def run(self) -> None:
        """Show and listen until the learner quits, or nobody is there any more."""
        session = self._session
        while not session.is_over:
            if session.wants_grade:
                session.wants_grade = False
                self._grader.request(session.exercise, session.folder.path(session.exercise))
            self._draw()
            keys = self._terminal.wait()
            if keys is None:
                return
            for key in keys:
                self._notices.clear()
                session.press(key)
            session.look()
            if session.wants_grade:  # a save: what was told before has been read
                self._notices.clear()
            self._take_grade()
            self._notices += session.folder.take_notices()

    def _take_grade(self) -> None:
        try:
            outcome = self._grader.take()
        except OSError as error:
            self._session.message = f"cannot grade: {error.strerror or error}; r tries again"
            return
        if outcome is not None:
            self._session.graded(outcome)

    # --- drawing --------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Draw what has changed: the whole page, its last line, or nothing."""
        page = self._text(self._page())
        is_long = page.count("\n") >= shutil.get_terminal_size().lines
        status = self._text([self._status(is_long=is_long)]).rstrip("\n")
        shown, self._shown = self._shown, (page, status)
        if self._terminal.take_redraw() or page != shown[0]:
            self._terminal.show(page, status)
        elif status != shown[1]:
            self._terminal.show_status(status)

    def _text(self, lines: Iterator[RenderableType] | list[Text]) -> str:
        return pages.page_text(new_console(), lines)

    def _page(self) -> Iterator[RenderableType]:
        for notice in self._notices:
            yield Text(f"! {notice}", style="yellow")
        if self._notices:
            yield Text()
        yield from self._view()
        yield Text()
        yield pages.progress_line(self._session.folder)
        yield Text("  ").join(
            Text.assemble((key, "bold green"), " ", what) for key, what in _FOOT.items()
        )

    def _view(self) -> Iterator[RenderableType]:
        session = self._session
        folder, exercise = session.folder, session.exercise
        match session.view:
            case "task" | "reset?":
                yield from pages.task_page(folder, exercise)
                yield from self._first_steps()
            case "grade":
                yield from self._grade()
            case "hint":
                yield pages.heading(folder, exercise)
                yield Text()
                yield from pages.hint_page(exercise, session.hints)
                yield pages.file_line(folder, exercise)
            case "list":
                height = shutil.get_terminal_size().lines - _AROUND_LIST
                yield from pages.list_page(folder, exercise, height=height)
                yield Text("To go to one, type its number and press Return.")
            case "solution":
                yield from pages.solution_page(exercise)
            case "help":
                yield from pages.keys_page(KEYS)

    def _first_steps(self) -> Iterator[RenderableType]:
        """Yield what to do with a task, and how the file fares as it stands."""
        grade = self._session.grade
        yield Text(
            "Open it in your editor, in another window. Each time you save it, it is graded here."
        )
        if grade is None:
            return
        yield Text()
        if grade.passed:
            yield Text("As it stands, it is proven right. n goes on.", style="green")
        else:
            where = f" in line {grade.line}" if grade.line else ""
            yield Text.assemble(
                "As it stands, it goes wrong: ",
                (kind_in_words(grade), "bold red"),
                f"{where}. ",
                ("r", "bold green"),
                " shows how.",
            )

    def _grade(self) -> Iterator[RenderableType]:
        session = self._session
        grade = session.grade
        if grade is None:
            yield pages.heading(session.folder, session.exercise)
            return
        yield from grade_lines(grade)
        yield Text()
        yield pages.file_line(session.folder, session.exercise, grade.line)
        if grade.passed and session.is_all_passed:
            yield Text()
            yield Text(
                f"That was the last: all {len(session.folder.exercises)} are passed.", style="bold"
            )
        elif grade.passed:
            yield Text.assemble(
                ("n", "bold green"),
                " goes on to the next exercise, ",
                ("s", "bold green"),
                " shows the book's solution.",
            )

    def _status(self, *, is_long: bool) -> Text:
        session = self._session
        if session.view == "reset?":
            text = Text(
                "Put your file aside, and begin with the book's again? y or n ", style="bold yellow"
            )
        elif session.view == "list" and session.typed:
            text = Text(f"go to {session.typed}")
        elif session.message:
            text = Text(session.message, style="yellow")
        elif (progress := self._grader.progress) is not None:
            text = Text("grading …", style="dim")
            if progress.executions and self._terminal.can_move:
                text.append(
                    f" {progress.executions:,} interleavings, about {progress.share_done:.0%}"
                )
        else:
            text = Text(f"watching {session.folder.path(session.exercise).name}", style="dim")
            if is_long:
                text.append("  (the page is longer than the window: scroll up)")
            if not self._watch.is_watching:
                text.append(" (looking once a second: this system reports no changes)")
        text.no_wrap, text.overflow = True, "crop"
        return text

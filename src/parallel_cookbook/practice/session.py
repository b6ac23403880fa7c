"""What goes on while a learner practises: which exercise, what is shown, what a key does. Knows no terminal.

Who drives a session tells it of keys, of saved files and of grades; it says what is to be shown (`view` and
the fields beside it) and whether a grade is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from parallel_cookbook.errors import CookbookError
from parallel_cookbook.practice.folder import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.practice.background import Outcome
    from parallel_cookbook.practice.exercises import Exercise
    from parallel_cookbook.practice.folder import Folder
    from parallel_cookbook.practice.result import Grade

View = Literal["task", "grade", "hint", "list", "solution", "help", "reset?"]

KEYS = {
    "n": "the next exercise that is open",
    "p": "the exercise before",
    "t": "the task again",
    "r": "check again (also c)",
    "h": "a hint; once more, a larger one",
    "l": "the list of all exercises",
    "s": "the book's solution, after a pass",
    "x": "start afresh; your file is kept aside",
    "?": "these keys",
    "q": "quit (also Ctrl-C); what you have done is kept",
}
"""The keys, and what they show or do."""


class Session:
    """One window in which a learner practises.

    wants_grade: whether the current answer is to be graded; who takes the wish sets it to False.
    """

    def __init__(self, folder: Folder, exercise: Exercise | None = None) -> None:
        self.folder = folder
        self.exercise = exercise or folder.current
        self.view: View = "task"
        self.grade: Grade | None = None
        """Of the current answer; None as long as there is none."""
        self.message = ""
        """What came of the last key, in a sentence."""
        self.hints = 0
        """How many hints are to be shown."""
        self.typed = ""
        """The digits that were typed in the list."""
        self.wants_grade = True
        self.is_over = False
        self._digest = ""
        self._was_saved = False
        self._keys: dict[str, Callable[[], None]] = {
            "n": self._next,
            "p": self._previous,
            "t": self._show_task,
            "r": self._grade_again,
            "c": self._grade_again,
            "h": self._hint,
            "l": self._show_list,
            "s": self._show_solution,
            "x": self._ask_reset,
            "?": self._show_help,
            "q": self._quit,
            "\x04": self._quit,
        }
        self._open(self.exercise)

    @property
    def has_passed(self) -> bool:
        """Whether the current exercise was passed, now or earlier."""
        return self.folder.progress.has_passed(self.exercise.id)

    @property
    def is_all_passed(self) -> bool:
        """Whether every exercise was passed."""
        return self.folder.passed == len(self.folder.exercises)

    # --- what happens ---------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """Do what a key is for; another key changes nothing but the message."""
        self.message = ""
        try:
            if self.view == "reset?":
                self._answer_reset(key)
            elif self.view == "list" and (key.isdigit() or key in "\r\n\x7f\b"):
                self._type(key)
            elif action := self._keys.get(key.lower()):
                action()
            elif key.isprintable():
                self.message = f"{key!r} does nothing; ? shows the keys"
        except CookbookError as error:
            self.message = str(error)

    def look(self) -> None:
        """See whether the answer was saved since the last look, or another window has made progress."""
        self.folder.reload()
        digest = digest_of(self.folder.path(self.exercise))
        if digest != self._digest:
            self._note_save(digest)
            self.wants_grade = True

    def graded(self, outcome: Outcome) -> None:
        """Take note of a grade; of one for another exercise than the current one, too."""
        if outcome.grade.passed:
            self.folder.note_pass(outcome.exercise, outcome.digest)
        if outcome.exercise != self.exercise:
            return
        if outcome.digest != self._digest:
            if self.wants_grade:  # it is of an answer before this one
                return
            self._note_save(outcome.digest)
        self.grade = outcome.grade
        if self._was_saved and self.view != "reset?":
            self.view = "grade"

    def _note_save(self, digest: str) -> None:
        self._digest = digest
        self._was_saved = True
        self.message = ""  # what came of a key before says nothing of this answer

    # --- keys -----------------------------------------------------------------------------------

    def _open(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.folder.choose(exercise)
        self.view = "task"
        self.grade = None
        self.hints = 0
        self.typed = ""
        self._digest = digest_of(self.folder.path(exercise))
        self._was_saved = False
        self.wants_grade = True

    def _next(self) -> None:
        self._open(self.folder.next_open(self.exercise))

    def _previous(self) -> None:
        self._open(self.folder.previous(self.exercise))

    def _show_task(self) -> None:
        self.view = "task"

    def _grade_again(self) -> None:
        self.view = "grade"
        self.wants_grade = True

    def _hint(self) -> None:
        """Show the hints that were shown before; if they are on the screen, one more."""
        known = self.folder.progress.of(self.exercise.id).hints
        more = 1 if self.view == "hint" or not known else 0
        self.hints = min(known + more, len(self.exercise.hints))
        if self.hints > known:
            self.folder.note_hints(self.exercise, self.hints)
        self.view = "hint"

    def _show_list(self) -> None:
        self.view = "list"
        self.typed = ""

    def _show_solution(self) -> None:
        if self.has_passed:
            self.view = "solution"
        else:
            self.message = "the book's solution is for after your own; h gives a hint"

    def _show_help(self) -> None:
        self.view = "help"

    def _ask_reset(self) -> None:
        if self.folder.status(self.exercise) == "untouched":
            self.message = "your file is as the book has it: nothing to start afresh"
        else:
            self.view = "reset?"

    def _answer_reset(self, key: str) -> None:
        self.view = "task"
        if key.lower() != "y":
            self.message = "nothing was changed"
            return
        kept = self.folder.reset(self.exercise)
        self._open(self.exercise)
        self.message = "the file is as the book has it"
        if kept is not None:
            self.message += f"; yours is kept as {kept.relative_to(self.folder.root)}"

    def _quit(self) -> None:
        self.is_over = True

    def _type(self, key: str) -> None:
        """Type the number of an exercise in the list, and go there."""
        if key.isdigit():
            self.typed = (self.typed + key)[-3:]
        elif key in "\x7f\b":
            self.typed = self.typed[:-1]
        elif self.typed:
            number, self.typed = int(self.typed), ""
            if 1 <= number <= len(self.folder.exercises):
                self._open(self.folder.exercises[number - 1])
            else:
                self.message = f"there is no exercise {number}"

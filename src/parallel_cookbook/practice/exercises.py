"""Find, order and read the exercises: straight from their files, as recipes are.

An exercise is a file `exercises/chNN_topic/NN_slug.py`, with its hints beside it; the same place under
`solutions/` holds what passes, and under `wrong/` answers that tempt. Nothing here executes any of them.
exercises/README.md says what their docstrings hold.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from parallel_cookbook.content import book_folder, find_item, item_at, nearest
from parallel_cookbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

MUST_HOLD, MAY_CHANGE = "What must hold", "What you may change"
"""The sections of an exercise's docstring."""
HINTS = ("A nudge", "Where to look", "The idea")
"""The headings of the hints, from the smallest to the largest."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: a program to mend, and the files that belong to it."""

    root: Path
    """The folder that holds the three trees."""
    topic: str
    slug: str
    chapter: int
    number: int
    """Its place in the chapter, from 1."""

    @property
    def id(self) -> str:
        """The name it is asked for by: `topic/slug`."""
        return f"{self.topic}/{self.slug}"

    @property
    def place(self) -> str:
        """Where it stands in each of the trees, without ending: `ch02_threads/01_visitor_count`."""
        return f"ch{self.chapter:02}_{self.topic}/{self.number:02}_{self.slug}"

    @property
    def path(self) -> Path:
        """The broken program, as the book has it."""
        return self.root / "exercises" / f"{self.place}.py"

    @property
    def hints_file(self) -> Path:
        """The file with its hints."""
        return self.root / "exercises" / f"{self.place}.hints.md"

    @property
    def solution(self) -> Path:
        """A program that passes."""
        return self.root / "solutions" / f"{self.place}.py"

    @property
    def wrong_answers(self) -> tuple[Path, ...]:
        """Answers that must be rejected."""
        return tuple(sorted((self.root / "wrong" / self.place).glob("*.py")))

    @cached_property
    def source(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def docstring(self) -> str:
        """The text at its head: title, story, sections, facts."""
        return docstring_of(self.source)

    @property
    def title(self) -> str:
        """The docstring's first line, without the full stop."""
        return self.docstring.partition("\n")[0].rstrip(".")

    @property
    def story(self) -> str:
        """What happened: the paragraphs between the title and the first section."""
        text = self.docstring.partition("\n")[2]
        return _SECTION.split(text, maxsplit=1)[0].strip()

    @property
    def must_hold(self) -> str:
        """What an answer has to fulfil, in words."""
        return " ".join(sections(self.docstring).get(MUST_HOLD, "").split())

    @property
    def what_may_change(self) -> str:
        """What an answer may change, in words."""
        text = sections(self.docstring).get(MAY_CHANGE, "")
        return " ".join(_FACT.sub("", text).split())

    @cached_property
    def may_change(self) -> frozenset[str]:
        """The names of what an answer may change: see `kept_parts`."""
        return names_to_change(self.docstring)

    @cached_property
    def facts(self) -> dict[str, str]:
        """The lines `Name: value` at the end of the docstring."""
        return facts_in(self.docstring)

    @property
    def races(self) -> str:
        """How the check is to take data races: "warn" or "error"."""
        return self.facts.get("Races", "warn")

    @property
    def other_calls(self) -> tuple[str, ...]:
        """Other calls of `main` that must come off well: no answer can know what is asked for."""
        return tuple(call.strip() for call in self.facts.get("Also", "").split(";") if call.strip())

    @property
    def forbids_polling(self) -> bool:
        """Whether nobody may wait by looking again and again."""
        return self.facts.get("Busy-wait") == "rejected"

    @property
    def needs_real_run(self) -> bool:
        """Whether an answer is run for real besides."""
        return self.facts.get("Run") == "for real"

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """The hints, from a nudge to the idea; Markdown."""
        found = hints_in(self.hints_file.read_text(encoding="utf-8"))
        return tuple(found[title] for title in HINTS if title in found)

    @property
    def todo_line(self) -> int:
        """The number of the line with the TODO, from 1; 1 if there is none."""
        for number, line in enumerate(self.source.splitlines(), 1):
            if "# TODO" in line:
                return number
        return 1

    @property
    def uses_processes(self) -> bool:
        """Whether it is about processes."""
        return "multiprocessing" in self.source


def load_exercises(root: Path | None = None) -> tuple[Exercise, ...]:
    """Return the exercises in the order in which they are to be done.

    root: the folder that holds `exercises/`, `solutions/` and `wrong/`; by default those that came with
    this package. Cost: lists the folders and reads nothing; texts are read when asked for.

    Raises UsageError if the exercises are missing (a broken installation).
    """
    root = root or book_folder().parent
    found = []
    for path in sorted((root / "exercises").glob("ch[0-9][0-9]_*/[0-9][0-9]_*.py")):
        chapter, topic = path.parent.name[2:4], path.parent.name[5:]
        found.append(Exercise(root, topic, path.stem[3:], int(chapter), int(path.stem[:2])))
    if not found:
        raise UsageError(f"there are no exercises in {str(root)!r}; install the package again")
    return tuple(found)


def find_exercise(exercises: Sequence[Exercise], name: str) -> Exercise:
    """Return the exercise that `name` means.

    `name` is an id (`threads/visitor_count`), any part of an id that only one exercise has, a path to the
    book's file, or to a learner's copy that still bears its name (`…/ch02_threads/01_visitor_count.py`).

    Raises UsageError, with the candidates or the nearest names, if it means none or several.
    """
    if exercise := find_item(exercises, name):
        return exercise
    path = Path(name)
    for exercise in exercises:
        if path.parts[-2:] == tuple(f"{exercise.place}.py".split("/")):
            return exercise
    if exercise := item_at(exercises, path):
        return exercise
    if path.suffix == ".py" and (exercise := find_item(exercises, path.name, by_part=False)):
        return exercise
    near = nearest(exercises, name) or "`cookbook practice list` shows them all"
    raise UsageError(f"there is no exercise {name!r}; {near}")


# --- what a docstring says --------------------------------------------------------------------------

_SECTION = re.compile(r"^([A-Z][\w ]*)\n-+\n", flags=re.MULTILINE)
_FACT = re.compile(r"^([A-Z][a-z-]+): (\S.*)$", flags=re.MULTILINE)


def docstring_of(source: str) -> str:
    """Return the docstring of a module; empty if there is none. Raises SyntaxError for what is no Python."""
    return ast.get_docstring(ast.parse(source)) or ""


def facts_in(docstring: str) -> dict[str, str]:
    """Return what stands in the last paragraph of a docstring on lines `Name: value`."""
    last = docstring.rstrip().rpartition("\n\n")[2]
    return dict(_FACT.findall(last))


def sections(docstring: str) -> dict[str, str]:
    """Return the underlined sections of a docstring: title and text."""
    pieces = _SECTION.split(docstring)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def names_to_change(docstring: str) -> frozenset[str]:
    """Return the names between backticks in the section "What you may change"."""
    return frozenset(re.findall(r"`([\w.]+)`", sections(docstring).get(MAY_CHANGE, "")))


def hints_in(text: str) -> dict[str, str]:
    """Return the hints of a file of hints, by their headings."""
    pieces = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return {title: body.strip() for title, body in zip(pieces[1::2], pieces[2::2], strict=True)}

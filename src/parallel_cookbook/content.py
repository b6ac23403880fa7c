"""Find, order and read the book: chapters and recipes, straight from their files.

The files are the only source. A chapter is a folder `chNN_topic` with a README.md; a recipe is a
file `NN_slug.py` in it, named `topic/slug`. Nothing here imports a recipe or keeps an index.
"""

from __future__ import annotations

import ast
import difflib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from parallel_cookbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PACKAGE = Path(__file__).parent
_SHOWN_NAMES = 5
"""How many names a message lists: more would hide what it says."""


class Named(Protocol):
    """What can be asked for by name: a recipe, an exercise."""

    @property
    def slug(self) -> str:
        """The last part of its id."""

    @property
    def id(self) -> str:
        """`topic/slug`."""

    @property
    def path(self) -> Path:
        """Its file."""


_Named = TypeVar("_Named", bound=Named)


@dataclass(frozen=True)
class Recipe:
    """One recipe: a file that a reader can copy and run."""

    topic: str
    slug: str
    chapter: int
    path: Path

    @property
    def id(self) -> str:
        """The name it is asked for by: `topic/slug`."""
        return f"{self.topic}/{self.slug}"

    @cached_property
    def title(self) -> str:
        """The docstring's first line, without the full stop. Reads one line of the file."""
        with self.path.open(encoding="utf-8") as file:
            return file.readline().strip().strip('"').rstrip(".")

    @cached_property
    def source(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The module's docstring without its title: Markdown."""
        docstring = ast.get_docstring(ast.parse(self.source)) or ""
        return docstring.partition("\n")[2].strip()

    @cached_property
    def code(self) -> str:
        """The file's text behind its docstring."""
        body = ast.parse(self.source).body
        lines = self.source.splitlines(keepends=True)
        return "".join(lines[body[0].end_lineno :]).lstrip("\n")

    @cached_property
    def pitfalls(self) -> tuple[str, ...]:
        """The names of its wrong twins, in the file's order."""
        return tuple(name for name in functions_in(self.source) if name.startswith("pitfall_"))


@dataclass(frozen=True)
class Chapter:
    """A chapter: a folder of recipes in the order of their numbers."""

    number: int
    topic: str
    path: Path
    recipes: tuple[Recipe, ...]

    @property
    def readme(self) -> Path:
        """The file that introduces it."""
        return self.path / "README.md"

    @cached_property
    def introduction(self) -> str:
        """The chapter's README.md: Markdown."""
        return self.readme.read_text(encoding="utf-8")

    @cached_property
    def title(self) -> str:
        """What follows `# Chapter N:` in its README.md."""
        return self.introduction.partition("\n")[0].partition(":")[2].strip()

    @cached_property
    def summary(self) -> str:
        """The first paragraph of its README.md, as one line."""
        paragraphs = self.introduction.split("\n\n")
        return " ".join(paragraphs[1].split())


@dataclass(frozen=True)
class Book:
    """All chapters, in order."""

    chapters: tuple[Chapter, ...]

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """All recipes, in the order of the book."""
        return tuple(recipe for chapter in self.chapters for recipe in chapter.recipes)

    def chapter(self, number: int) -> Chapter:
        """Return chapter `number`; UsageError if the book has none."""
        for chapter in self.chapters:
            if chapter.number == number:
                return chapter
        numbers = ", ".join(str(chapter.number) for chapter in self.chapters)
        raise UsageError(f"there is no chapter {number}; the chapters are {numbers}")

    def find_chapter(self, name: str) -> Chapter | None:
        """Return the chapter that `name` means (`2`, `threads`, `ch02_threads`), or None."""
        for chapter in self.chapters:
            if name in {str(chapter.number), chapter.topic, chapter.path.name}:
                return chapter
        return None

    def recipe_at(self, path: Path) -> Recipe | None:
        """Return the recipe whose file stands at `path`, however that is written, or None."""
        return item_at(self.recipes, path)

    def find(self, name: str) -> Recipe:
        """Return the recipe that `name` means.

        `name` is an id (`threads/lock`), any path to the recipe's file, or any part of an id that
        only one recipe has; `-` stands for `_`. An exact id or slug wins over a part.

        Raises UsageError, with the candidates or the nearest names, if it means none or several.
        """
        chapter = self.find_chapter(name)
        if recipe := find_item(self.recipes, name, by_part=chapter is None):
            return recipe
        if chapter:
            number = chapter.number
            raise UsageError(
                f"{name!r} is chapter {number}; run it with `cookbook run --chapter {number}`, "
                f"or name one of its recipes"
            )
        if recipe := self.recipe_at(Path(name)):
            return recipe
        if is_file(name):
            raise UsageError(
                f"the file {name!r} is no recipe of the book; `cookbook list` shows them"
            )
        near = nearest(self.recipes, name) or "`cookbook list` shows them all"
        raise UsageError(f"there is no recipe {name!r}; {near}")


def find_item(items: Sequence[_Named], name: str, *, by_part: bool = True) -> _Named | None:
    """Return what `name` means: an id, a slug, the name of a file, or a part of one id alone.

    An exact id or slug wins over a part; `-` stands for `_`. None if it means nothing.

    Raises UsageError, with the candidates, if it means several.
    """
    wanted = _as_id(name)
    for matches in (
        [item for item in items if item.id == wanted],
        [item for item in items if item.slug == wanted],
        [item for item in items if by_part and wanted and wanted in item.id],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            names = some([item.id for item in matches])
            raise UsageError(f"{name!r} may mean {names}; name one of them")
    return None


def item_at(items: Sequence[_Named], path: Path) -> _Named | None:
    """Return the item whose file stands at `path`, however that is written, or None."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # not there, or nothing that could be
        return None
    for item in items:
        if os.path.samestat(status, item.path.stat()):
            return item
    return None


def nearest(items: Sequence[_Named], name: str) -> str:
    """Return "the nearest are …", with the ids that resemble `name`; empty if none does.

    If one alone does, "the nearest is …".
    """
    names = {item.slug: item.id for item in items}
    names.update({item.id: item.id for item in items})
    near = difflib.get_close_matches(_as_id(name), names, n=_SHOWN_NAMES, cutoff=0.5)
    if not near:
        return ""
    found = list(dict.fromkeys(names[match] for match in near))
    return f"the nearest {'are' if len(found) > 1 else 'is'} {', '.join(found)}"


def is_file(name: str) -> bool:
    """Whether a file of this name is there; a name that none can have is no error."""
    return _is(Path.is_file, name)


def is_folder(name: str) -> bool:
    """Whether a folder of this name is there; a name that none can have is no error."""
    return _is(Path.is_dir, name)


def _is(kind: Callable[[Path], bool], name: str) -> bool:
    try:
        return kind(Path(name))
    except (OSError, ValueError):  # too long, a null byte, a folder that may not be entered
        return False


def _as_id(name: str) -> str:
    """Return a name without what a file's name has besides: numbers and the ending."""
    return re.sub(r"(^|/)(ch)?\d\d_", r"\1", name.lower().replace("-", "_").removesuffix(".py"))


def functions_in(source: str) -> tuple[str, ...]:
    """Return the names of a file's own functions, in its order. Looks, and parses nothing."""
    return tuple(re.findall(r"^def[ \t]+(\w+)", source, flags=re.MULTILINE))


def some(names: Sequence[str]) -> str:
    """Return the first names as a list to read, and how many there are besides."""
    shown = ", ".join(names[:_SHOWN_NAMES])
    more = len(names) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def book_folder() -> Path:
    """Return the folder of the chapters: inside the installed package, else the checkout's.

    Raises UsageError if neither is there (a broken installation).
    """
    for folder in (_PACKAGE / "recipes", _PACKAGE.parent.parent / "recipes"):
        if folder.is_dir():
            return folder
    raise UsageError(f"the recipes are missing beside {_PACKAGE}; install the package again")


def load_book(folder: Path | None = None) -> Book:
    """Read the chapters of `folder` (default: the book that came with this package).

    Cost: lists the folders and reads nothing; titles and texts are read when asked for.
    """
    folder = folder or book_folder()
    chapters = []
    for path in sorted(folder.glob("ch[0-9][0-9]_*")):
        number, topic = int(path.name[2:4]), path.name[5:]
        recipes = tuple(
            Recipe(topic, file.stem[3:], number, file)
            for file in sorted(path.glob("[0-9][0-9]_*.py"))
        )
        chapters.append(Chapter(number, topic, path, recipes))
    return Book(tuple(chapters))

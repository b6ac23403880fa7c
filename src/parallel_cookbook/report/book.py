"""The book's tables of contents: as plain lines, as JSON, and as the pages that `show` displays."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from parallel_cookbook.content import Book, Chapter, Recipe

_NARROWEST_TITLE = 20
"""In fewer columns nothing would be left of a title; the terminal may break it as it likes."""


def contents_lines(book: Book, width: int | None = None) -> Iterator[str]:
    """Yield the chapters and their recipes, with terminal styles.

    A recipe is a line, of at most `width` columns where that leaves room for a title: the end of a longer
    one gives way to "…".
    """
    id_width = max((len(recipe.id) for recipe in book.recipes), default=0)
    room = width - (3 + id_width + 2) if width is not None else 0
    for chapter in book.chapters:
        yield click.style(f"{chapter.number}  {chapter.title}", bold=True)
        for recipe in chapter.recipes:
            title = recipe.title
            if room >= _NARROWEST_TITLE:
                title = textwrap.shorten(title, room, placeholder=" …")
            recipe_id = click.style(recipe.id.ljust(id_width), fg="cyan")
            yield f"   {recipe_id}  {title}"
        yield ""


def overview_lines(book: Book, command: str, practice: str) -> Iterator[str]:
    """Yield what `cookbook` alone shows: the chapters, the learner's progress, and what to try.

    practice: how far the learner has come with the exercises, in a line.
    """
    yield click.style("The Python Parallel Programming Cookbook", bold=True)
    yield ""
    for chapter in book.chapters:
        number = click.style(f"{chapter.number}", fg="cyan")
        count = click.style(f"{len(chapter.recipes)} recipes", dim=True)
        yield f"  {number}  {chapter.title.ljust(46)} {count}"
    yield ""
    yield practice
    yield ""
    yield from try_next_lines(book, command)


def try_next_lines(book: Book, command: str) -> Iterator[str]:
    """Yield a few commands to try, each with what it does.

    command: what to type to call `cookbook`.
    """
    lock = next((recipe.id for recipe in book.recipes if recipe.slug == "lock"), "RECIPE")
    suggestions = {
        f"{command} list": "all recipes, a line each",
        f"{command} show {lock}": "read a recipe",
        f"{command} run {lock}": "run it for real",
        f"{command} run --chapter 1": "run a chapter, measured here",
        f"{command} practice": "mend broken programs, graded by proof",
        f"{command} new my-copy {lock}": "copy a recipe out, and change it",
        f"{command} doctor": "what this machine and Python can do",
    }
    width = max(map(len, suggestions))
    yield "Try:"
    for typed, purpose in suggestions.items():
        yield f"  {click.style(typed.ljust(width), fg='green')}  {purpose}"


def contents_json(book: Book) -> dict[str, object]:
    """Return the table of contents as JSON-ready data."""
    return {
        "schema": 1,
        "chapters": [
            {
                "number": chapter.number,
                "topic": chapter.topic,
                "title": chapter.title,
                "summary": chapter.summary,
                "recipes": [_recipe_json(recipe) for recipe in chapter.recipes],
            }
            for chapter in book.chapters
        ],
    }


def _recipe_json(recipe: Recipe) -> dict[str, object]:
    return {
        "id": recipe.id,
        "title": recipe.title,
        "path": str(recipe.path),
        "pitfalls": list(recipe.pitfalls),
    }


def recipe_page(recipe: Recipe, command: str) -> RenderableType:
    """Return a recipe as a page: its prose as rendered Markdown, then its code, highlighted.

    command: what to type to call `cookbook`.
    """
    from rich.console import Group  # noqa: PLC0415 - rich takes 60 ms, which `list` does without
    from rich.markdown import Markdown  # noqa: PLC0415
    from rich.syntax import Syntax  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    docstring_lines = recipe.source[: -len(recipe.code)].count("\n")
    return Group(
        Markdown(f"# {recipe.title}\n\n{recipe.prose}"),
        Text(),
        Syntax(
            recipe.code,
            "python",
            theme="ansi_dark",
            background_color="default",
            line_numbers=True,
            start_line=docstring_lines + 1,
            word_wrap=True,  # else what is wider than the terminal is cut off without a word
        ),
        Text(),
        *(Text(f"{command} run {recipe.id}::{name}", style="green") for name in recipe.pitfalls),
        Text(str(recipe.path), style="dim"),
    )


def chapter_page(chapter: Chapter) -> RenderableType:
    """Return a chapter's introduction as rendered Markdown."""
    from rich.markdown import Markdown  # noqa: PLC0415 - see recipe_page

    return Markdown(chapter.introduction)

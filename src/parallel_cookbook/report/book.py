"""The book's tables of contents: as plain lines, as JSON, and as the pages that `show` displays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from parallel_cookbook.content import Book, Chapter, Recipe


def contents_lines(book: Book) -> Iterator[str]:
    """Yield the chapters and their recipes, a line each, with terminal styles."""
    width = max((len(recipe.id) for recipe in book.recipes), default=0)
    for chapter in book.chapters:
        yield click.style(f"{chapter.number}  {chapter.title}", bold=True)
        for recipe in chapter.recipes:
            yield f"   {click.style(recipe.id.ljust(width), fg='cyan')}  {recipe.title}"
        yield ""


def overview_lines(book: Book) -> Iterator[str]:
    """Yield what `cookbook` alone shows: the chapters, and what to try."""
    yield click.style("The Python Parallel Programming Cookbook", bold=True)
    yield ""
    for chapter in book.chapters:
        number = click.style(f"{chapter.number}", fg="cyan")
        count = click.style(f"{len(chapter.recipes)} recipes", dim=True)
        yield f"  {number}  {chapter.title.ljust(46)} {count}"
    yield ""
    yield from try_next_lines(book)


def try_next_lines(book: Book) -> Iterator[str]:
    """Yield a few commands to try, each with what it does."""
    lock = next((recipe.id for recipe in book.recipes if recipe.slug == "lock"), "RECIPE")
    suggestions = (
        ("cookbook list", "all recipes, a line each"),
        (f"cookbook show {lock}", "read a recipe"),
        (f"cookbook run {lock}", "run it for real"),
        ("cookbook run --chapter 1", "run a chapter: threads and processes, measured here"),
        (f"cookbook new my-copy {lock}", "copy a recipe out, and change it"),
        ("cookbook doctor", "what this machine and this Python can do"),
    )
    yield "Try:"
    for command, purpose in suggestions:
        yield f"  {click.style(command.ljust(34), fg='green')} {purpose}"


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


def recipe_page(recipe: Recipe) -> RenderableType:
    """Return a recipe as a page: its prose as rendered Markdown, then its code, highlighted."""
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
        ),
        Text(),
        Text(str(recipe.path), style="dim"),
    )


def chapter_page(chapter: Chapter) -> RenderableType:
    """Return a chapter's introduction as rendered Markdown."""
    from rich.markdown import Markdown  # noqa: PLC0415 - see recipe_page

    return Markdown(chapter.introduction)

"""The book's tables of contents, as text for a terminal."""

from __future__ import annotations

import click
import pytest

from parallel_cookbook.content import load_book
from parallel_cookbook.report.book import contents_lines, overview_lines

BOOK = load_book()


@pytest.mark.parametrize("command", ["cookbook", ".venv/cookbook"])
def test_the_overview_fits_into_80_columns(command: str) -> None:
    """No terminal has to break a line of it within a word."""
    lines = [click.unstyle(line) for line in overview_lines(BOOK, command, "")]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [80, 200])
def test_a_recipe_is_a_line_of_the_list_on_any_terminal(width: int) -> None:
    """A title that is too long is cut between words, and shows that it is."""
    lines = [click.unstyle(line) for line in contents_lines(BOOK, width)]
    own = [line for line in lines if line.startswith("   ")]
    assert [line.split()[0] for line in own] == [recipe.id for recipe in BOOK.recipes]
    assert max(map(len, own)) <= width
    for line, recipe in zip(own, BOOK.recipes, strict=True):
        shown = line.partition(recipe.id)[2].strip()
        words = shown.removesuffix(" …").split()
        assert recipe.title.split()[: len(words)] == words
        assert shown.endswith("…") == (len(words) < len(recipe.title.split()))


def test_in_a_pipe_a_title_is_whole() -> None:
    """Who searches the list finds every word of it."""
    text = "\n".join(click.unstyle(line) for line in contents_lines(BOOK))
    assert all(recipe.title in text for recipe in BOOK.recipes)

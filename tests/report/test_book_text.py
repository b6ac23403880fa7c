"""The book's tables of contents, as text for a terminal."""

from __future__ import annotations

import click
import pytest

from parallel_cookbook.content import load_book
from parallel_cookbook.report.book import overview_lines

BOOK = load_book()


@pytest.mark.parametrize("command", ["cookbook", ".venv/cookbook"])
def test_the_overview_fits_into_80_columns(command: str) -> None:
    """No terminal has to break a line of it within a word."""
    lines = [click.unstyle(line) for line in overview_lines(BOOK, command, "")]
    assert max(map(len, lines)) <= 80

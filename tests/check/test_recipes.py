"""The recipes for threads, proven: every `main` always right, every pitfall wrong as it says."""

from __future__ import annotations

import re

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry
from parallel_cookbook.content import Recipe, load_book
from parallel_cookbook.targets import find_target

BOOK = load_book()
THREADED = [
    recipe
    for recipe in (*BOOK.chapter(1).recipes, *BOOK.chapter(2).recipes)
    if not re.search(r"\bmultiprocessing\b|ProcessPool", recipe.code)
]
PITFALLS = [(recipe, name) for recipe in THREADED for name in recipe.pitfalls]


def check_recipe(recipe: Recipe, function: str) -> CheckReport:
    target = find_target(BOOK, f"{recipe.id}::{function}")
    entry = Entry(target.file, target.module, target.function, (), target.root)
    return check_entry(entry, target=target.name, budget=Budget(max_seconds=60))


def declared_kind(recipe: Recipe, pitfall: str) -> str:
    match = re.search(
        rf"^def {pitfall}\(.*?^    Fails: (\S+)$", recipe.source, re.DOTALL | re.MULTILINE
    )
    assert match
    return match[1]


def test_all_of_chapter_2_is_among_them() -> None:
    """No recipe on threads is left out."""
    assert {recipe.id for recipe in BOOK.chapter(2).recipes} <= {recipe.id for recipe in THREADED}


@pytest.mark.parametrize("recipe", THREADED, ids=lambda recipe: recipe.id)
def test_main_is_right_in_every_interleaving(recipe: Recipe) -> None:
    """The verdict is pass, which is given only if every class of interleavings was explored."""
    report = check_recipe(recipe, "main")
    assert report.verdict == "pass", report
    assert report.exhaustive


@pytest.mark.parametrize(
    ("recipe", "pitfall"), [pytest.param(*pair, id=f"{pair[0].id}::{pair[1]}") for pair in PITFALLS]
)
def test_a_pitfall_fails_as_it_says(recipe: Recipe, pitfall: str) -> None:
    """An interleaving is found in which it fails, with the kind of failure that it declares."""
    report = check_recipe(recipe, pitfall)
    assert report.verdict == "fail", report
    assert [failure.kind for failure in report.failures] == [declared_kind(recipe, pitfall)]

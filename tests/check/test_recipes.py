"""The recipes of chapters 1 to 5, proven: every `main` always right, every pitfall wrong as it says."""

from __future__ import annotations

import re

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry
from parallel_cookbook.content import Recipe, load_book
from parallel_cookbook.targets import find_target

BOOK = load_book()
NOT_YET = re.compile(r"\bSIGINT\b")
"""What is not simulated yet: Ctrl-C."""
CHECKED = [
    recipe
    for number in range(1, 6)
    for recipe in BOOK.chapter(number).recipes
    # The processes of chapter 1 are there to compute for long.
    if not NOT_YET.search(recipe.code) and (number > 1 or "multiprocessing" not in recipe.code)
]
NEEDS_A_FORK = {("synchronisation/fork_lock", "pitfall_fork_while_held")}
"""Wrong only where a child inherits its parent's memory; every start is a spawn here."""
PITFALLS = [
    (recipe, name)
    for recipe in CHECKED
    for name in recipe.pitfalls
    if (recipe.id, name) not in NEEDS_A_FORK
]


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


def test_all_of_chapters_2_4_and_5_are_among_them() -> None:
    """No recipe on threads, messages or synchronisation is left out."""
    recipes = [recipe for number in (2, 4, 5) for recipe in BOOK.chapter(number).recipes]
    assert {recipe.id for recipe in recipes} <= {recipe.id for recipe in CHECKED}


def test_a_fork_that_inherits_nothing_is_harmless() -> None:
    """What is only wrong under fork's semantics passes under spawn's."""
    recipes = {recipe.id: recipe for recipe in CHECKED}
    for recipe, pitfall in NEEDS_A_FORK:
        assert check_recipe(recipes[recipe], pitfall).verdict == "pass"


@pytest.mark.parametrize("recipe", CHECKED, ids=lambda recipe: recipe.id)
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

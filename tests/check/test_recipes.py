"""The recipes of chapters 1 to 5, proven: every `main` always right, every pitfall wrong as it says."""

from __future__ import annotations

import re

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry
from parallel_cookbook.content import Recipe, load_book
from parallel_cookbook.targets import find_target

BOOK = load_book()
COMPUTES = "it is there to compute for long, and would in each of its executions"
SIGINT = "the signal SIGINT is not simulated"
NOT_CHECKED = {
    ("introduction/concurrency_or_parallelism", "main"): COMPUTES,
    ("introduction/cpu_bound", "main"): COMPUTES,
    ("introduction/choose_by_measurement", "main"): COMPUTES,
    ("introduction/three_models", "main"): "it listens on a socket",
    ("processes/interrupt", "main"): SIGINT,
    ("processes/interrupt", "pitfall_graceful_close"): SIGINT,
    ("synchronisation/fork_lock", "pitfall_fork_while_held"): (
        "it is wrong only where a child inherits its parent's memory; every start is a spawn here"
    ),
}
"""What cannot be proven, and why."""
CHECKED = [recipe for number in range(1, 6) for recipe in BOOK.chapter(number).recipes]
MAINS = [recipe for recipe in CHECKED if (recipe.id, "main") not in NOT_CHECKED]
PITFALLS = [
    (recipe, name)
    for recipe in CHECKED
    for name in recipe.pitfalls
    if (recipe.id, name) not in NOT_CHECKED
]


def check_recipe(recipe: Recipe, function: str, max_executions: int | None = None) -> CheckReport:
    target = find_target(BOOK, f"{recipe.id}::{function}")
    entry = Entry(target.file, target.module, target.function, (), target.root)
    return check_entry(entry, target=target.name, budget=Budget(max_executions, 60))


def declared_kind(recipe: Recipe, pitfall: str) -> str:
    match = re.search(
        rf"^def {pitfall}\(.*?^    Fails: (\S+)$", recipe.source, re.DOTALL | re.MULTILINE
    )
    assert match
    return match[1]


@pytest.mark.parametrize(("recipe", "function"), NOT_CHECKED)
def test_what_is_not_checked_cannot_be(recipe: str, function: str) -> None:
    """One execution shows that the reason still holds; whatever can be proven must be."""
    (found,) = (one for one in CHECKED if one.id == recipe)
    report = check_recipe(found, function, 1)
    if NOT_CHECKED[recipe, function] == COMPUTES:
        assert report.verdict == "unknown"
    elif function == "pitfall_fork_while_held":
        assert report.verdict == "pass"  # a fork that inherits nothing is harmless
    else:
        assert report.verdict == "error"


@pytest.mark.parametrize("recipe", MAINS, ids=lambda recipe: recipe.id)
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

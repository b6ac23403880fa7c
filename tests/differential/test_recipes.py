"""What a recipe of processes does for real, the check has said that it can: chapters 3 to 5."""

from __future__ import annotations

import re

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry
from parallel_cookbook.content import Recipe, load_book
from parallel_cookbook.targets import find_target
from real_life import RUNS, surprise

BOOK = load_book()
NOT_YET = re.compile(r"\bPool\b|ProcessPool|\bManager\b|SIGINT")
"""What is not simulated yet, as in tests/check/test_recipes.py."""
OF_A_FORK = {
    # Every start is a spawn in the check: nothing is inherited, and no other method is offered.
    "processes/start_methods::main",
    "synchronisation/fork_lock::pitfall_fork_while_held",
}
FUNCTIONS = [
    pytest.param(recipe, function, id=f"{recipe.id}::{function}")
    for number in (3, 4, 5)
    for recipe in BOOK.chapter(number).recipes
    if not NOT_YET.search(recipe.code)
    # Many pitfalls hang, which takes seconds to see: they are run when each is run more than once.
    for function in ("main", *(recipe.pitfalls if RUNS > 1 else ()))
    if f"{recipe.id}::{function}" not in OF_A_FORK
]


@pytest.mark.parametrize(("recipe", "function"), FUNCTIONS)
def test_what_a_recipe_does_for_real_was_foreseen(recipe: Recipe, function: str) -> None:
    """What is printed, how it ends, which exceptions are told."""
    target = find_target(BOOK, f"{recipe.id}::{function}")
    entry = Entry(target.file, target.module, target.function, (), target.root)
    report = check_entry(
        entry, target=target.name, strategy="dpor", budget=Budget(None, 60), keep_going=True
    )
    assert report.exhaustive, report
    assert not surprise(report, target.file, function=function)

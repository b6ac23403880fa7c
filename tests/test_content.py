"""Finding recipes by name."""

from __future__ import annotations

import pytest

from parallel_cookbook.content import load_book, nearest
from parallel_cookbook.errors import UsageError

BOOK = load_book()


@pytest.mark.parametrize(
    "name",
    [
        "threads/lock",
        "Threads/Lock",
        "threads/lock.py",
        "ch02_threads/06_lock.py",
        "threads/06_lock",
    ],
)
def test_a_recipe_is_found_by_its_id_or_its_files_name(name: str) -> None:
    """An id wins over the other ids that contain it (`threads/lock_ordering`)."""
    assert BOOK.find(name).id == "threads/lock"


def test_a_recipe_is_found_by_an_unambiguous_part() -> None:
    """A part of an id is enough, and a hyphen stands for an underscore."""
    assert BOOK.find("lock-ord").id == "threads/lock_ordering"


def test_an_exact_slug_wins_over_a_part() -> None:
    """`timer` is a whole slug, whatever else contains it."""
    assert BOOK.find("timer").id == "threads/timer"


def test_an_ambiguous_name_is_refused_with_the_candidates() -> None:
    """`lock` is a slug in two chapters."""
    with pytest.raises(UsageError, match="threads/lock, synchronisation/lock"):
        BOOK.find("lock")


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """A slip of the finger is answered with what was meant."""
    with pytest.raises(
        UsageError, match=r"no recipe 'threads/lokc'; the nearest are .*threads/lock"
    ):
        BOOK.find("threads/lokc")


@pytest.mark.parametrize("name", ["", "/", "zzzz", "../..", "*"])
def test_a_name_that_resembles_nothing_is_refused(name: str) -> None:
    """Whatever the name, the answer is one sentence."""
    with pytest.raises(UsageError):
        BOOK.find(name)


def test_a_recipes_parts_make_up_its_file() -> None:
    """Title, prose and code are cut from the file without loss."""
    recipe = BOOK.find("threads/lock")
    assert recipe.source.startswith(f'"""{recipe.title}.')
    assert recipe.source.endswith(recipe.code)
    assert recipe.prose in recipe.source
    assert recipe.pitfalls == ("pitfall_check_then_act", "pitfall_forgotten_release")


def test_one_name_that_is_near_is_told_as_one() -> None:
    """The sentence agrees with how many names it lists."""
    recipes = [BOOK.find("threads/lock")]
    assert nearest(recipes, "threads/lokc") == "the nearest is threads/lock"

"""Finding exercises, and what they say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graded import EXERCISES, exercise_named
from parallel_cookbook.errors import UsageError
from parallel_cookbook.practice.exercises import find_exercise, load_exercises

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name",
    [
        "threads/visitor_count",
        "visitor_count",
        "visitor-count",
        "Visitor",
        "ch02_threads/01_visitor_count.py",
        "/home/learner/practice/ch02_threads/01_visitor_count.py",
        "./01_visitor_count.py",
    ],
)
def test_an_exercise_is_found_by_its_id_a_part_or_the_name_of_its_file(name: str) -> None:
    """A learner's copy, wherever it stands, means the exercise."""
    assert find_exercise(EXERCISES, name).id == "threads/visitor_count"


def test_the_books_own_file_means_the_exercise() -> None:
    """However its path is written."""
    exercise = exercise_named("transfer")
    assert find_exercise(EXERCISES, str(exercise.path)) is exercise


def test_an_ambiguous_part_is_refused_with_the_candidates() -> None:
    """Two exercises begin so."""
    with pytest.raises(UsageError, match=r"threads/one_connection.*threads/connection_slots"):
        find_exercise(EXERCISES, "connection")


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """A slip of the finger is answered with what was meant."""
    with pytest.raises(UsageError, match=r"no exercise 'vistor_count'; the nearest is threads/vis"):
        find_exercise(EXERCISES, "vistor_count")


@pytest.mark.parametrize("name", ["", "/", "zzzz", "../..", "\0"])
def test_a_name_that_resembles_nothing_is_refused(name: str) -> None:
    """Whatever the name, the answer is one sentence."""
    with pytest.raises(UsageError):
        find_exercise(EXERCISES, name)


def test_a_folder_without_exercises_is_refused(tmp_path: Path) -> None:
    """As a broken installation is."""
    with pytest.raises(UsageError, match="install the package again"):
        load_exercises(tmp_path)


def test_an_exercise_is_cut_into_its_parts() -> None:
    """What a screen shows of it."""
    exercise = exercise_named("pulsed_event")
    assert exercise.title == "Tell everybody of a new configuration"
    assert exercise.story.startswith("When the configuration changes")
    assert exercise.story.endswith("sleeps through it.")
    assert exercise.must_hold.endswith("keeps a processor busy while he waits.")
    assert exercise.what_may_change == "`Configuration`"
    assert exercise.may_change == {"Configuration"}
    assert (exercise.races, exercise.forbids_polling, exercise.needs_real_run) == (
        "error",
        True,
        False,
    )
    assert exercise.other_calls == ("main(workers=1)",)
    assert "TODO" in exercise.source.splitlines()[exercise.todo_line - 1]


def test_exercises_come_in_the_order_in_which_they_are_to_be_done() -> None:
    """By chapter, then by number."""
    places = [(exercise.chapter, exercise.number) for exercise in EXERCISES]
    assert places == sorted(places)

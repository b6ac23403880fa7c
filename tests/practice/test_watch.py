"""Saves are noticed, however an editor saves; and the thread that grades wants the newest answer only."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.practice.background import BackgroundGrader, Outcome
from parallel_cookbook.practice.exercises import find_exercise, load_exercises
from parallel_cookbook.practice.folder import EMPTY, digest_of
from parallel_cookbook.practice.watch import Watch, settled_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_S = 60.0


def in_place(path: Path) -> None:
    path.write_text("new")


def by_a_new_file(path: Path) -> None:
    new = path.with_name("new~")
    new.write_text("new")
    new.replace(path)


def by_removing_first(path: Path) -> None:
    path.unlink()
    path.write_text("new")


def by_renaming_the_old(path: Path) -> None:
    path.rename(path.with_name("answer.py~"))
    path.write_text("new")


def by_removing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    "save", [in_place, by_a_new_file, by_removing_first, by_renaming_the_old, by_removing]
)
def test_a_save_is_noticed(tmp_path: Path, save: Callable[[Path], None]) -> None:
    """However the file comes to be another one, or none, somebody is called."""
    path = tmp_path / "answer.py"
    path.write_text("old")
    was_called = threading.Event()
    with Watch([tmp_path], was_called.set) as watch:
        assert watch.is_watching
        save(path)
        assert was_called.wait(PATIENCE_S)


def test_to_look_is_no_change(tmp_path: Path) -> None:
    """Reading the file calls nobody: else each look would lead to the next."""
    path = tmp_path / "answer.py"
    path.write_text("old")
    marker = tmp_path / "marker"
    calls: list[bool] = []
    was_called = threading.Event()

    def on_change() -> None:
        calls.append(marker.exists())
        was_called.set()

    with Watch([tmp_path], on_change):
        for _ in range(10):
            digest_of(path)
        marker.write_text(
            ""
        )  # events come in order: all that reading causes would come before this
        assert was_called.wait(PATIENCE_S)
    assert all(calls)


def test_a_folder_that_is_gone_is_not_watched_and_no_error(tmp_path: Path) -> None:
    """Who asked has to look now and then."""
    with Watch([tmp_path / "gone"], lambda: None) as watch:
        assert not watch.is_watching


def test_a_file_that_stands_still_has_a_digest_at_once(tmp_path: Path) -> None:
    """And one that stays missing or empty has what it has, after a while."""
    path = tmp_path / "answer.py"
    path.write_text("text")
    assert settled_digest(path) == digest_of(path)
    path.write_text("")
    assert settled_digest(path) == EMPTY
    path.unlink()
    assert settled_digest(path) == ""


def test_a_pipe_in_place_of_the_file_is_not_read(tmp_path: Path) -> None:
    """To read it would wait for ever."""
    path = tmp_path / "answer.py"
    os.mkfifo(path)
    assert digest_of(path) == ""


class Grading:
    """A grader in the background, and a wait for its next outcome."""

    def __init__(self) -> None:
        self._news = threading.Event()
        self.grader = BackgroundGrader(self._news.set)

    def outcome(self) -> Outcome:
        """Wait for the next outcome."""
        while True:
            assert self._news.wait(PATIENCE_S)
            self._news.clear()
            if (outcome := self.grader.take()) is not None:
                return outcome


def test_an_answer_is_graded_with_the_digest_of_what_was_graded(tmp_path: Path) -> None:
    """The outcome says what it is about."""
    exercise = find_exercise(load_exercises(), "threads/visitor_count")
    answer = tmp_path / "answer.py"
    answer.write_bytes(exercise.solution.read_bytes())
    grading = Grading()
    with grading.grader:
        grading.grader.request(exercise, answer)
        outcome = grading.outcome()
        assert outcome.grade.passed
        assert outcome.digest == digest_of(answer)
        assert grading.grader.take() is None


def test_a_newer_request_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    """An answer that keeps the grader busy does not hold up the next one."""
    first, second = load_exercises()[:2]
    busy = tmp_path / "busy.py"
    text = first.source.replace("threads = [", "while cities: pass\n    threads = [")
    assert text != first.source
    busy.write_text(text)
    good = tmp_path / "good.py"
    good.write_bytes(second.solution.read_bytes())
    grading = Grading()
    with grading.grader:
        grading.grader.request(first, busy)
        grading.grader.request(second, good)
        outcome = grading.outcome()
    assert outcome.exercise == second
    assert outcome.grade.passed


def test_leaving_does_not_wait_for_the_grade(tmp_path: Path) -> None:
    """Who quits while a grade is under way is not kept; the processes are gone."""
    exercise = load_exercises()[0]
    busy = tmp_path / "busy.py"
    busy.write_text(exercise.source.replace("threads = [", "sum(iter(int, 1))\n    threads = ["))
    began = threading.Event()
    grader = BackgroundGrader(began.set, max_seconds=1000)
    with grader:
        grader.request(exercise, busy)
        assert began.wait(PATIENCE_S)
    assert not any(thread.name == "grader" for thread in threading.enumerate())


def test_what_goes_wrong_in_the_grader_is_raised_where_it_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine without room for a process is a mistake to be told, and the next request is served."""
    exercise = load_exercises()[0]
    grading = Grading()

    def no_room(*_arguments: object, **_options: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    with grading.grader:
        with monkeypatch.context() as patch:
            patch.setattr("parallel_cookbook.practice.grade.Grader.grade", no_room)
            grading.grader.request(exercise, exercise.solution)
            with pytest.raises(OSError, match="temporarily"):
                grading.outcome()
        grading.grader.request(exercise, exercise.solution)
        assert grading.outcome().grade.passed

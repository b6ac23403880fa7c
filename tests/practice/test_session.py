"""What a key does, and what is shown, without a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.practice.background import Outcome
from parallel_cookbook.practice.exercises import load_exercises
from parallel_cookbook.practice.folder import Folder, digest_of, make_folder
from parallel_cookbook.practice.result import Grade
from parallel_cookbook.practice.session import KEYS, Session

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.practice.exercises import Exercise
    from parallel_cookbook.practice.result import Verdict


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session in a new folder."""
    return Session(make_folder(tmp_path, load_exercises()))


def other_window(session: Session) -> Folder:
    return Folder(session.folder.root, session.folder.exercises)


def outcome(session: Session, verdict: Verdict, exercise: Exercise | None = None) -> Outcome:
    """Return what the grader would say of the answer as it stands."""
    exercise = exercise or session.exercise
    path = session.folder.path(exercise)
    grade = Grade(
        exercise.id, verdict, "", "", "", str(path), 0, 1, is_exhaustive=True, seconds=0.1
    )
    return Outcome(exercise, digest_of(path), grade)


def save(session: Session, text: str) -> None:
    session.folder.path(session.exercise).write_text(text)


def test_it_begins_with_the_task_and_wants_a_grade(session: Session) -> None:
    """The first thing to see is the story, not a verdict on what nobody has touched."""
    assert session.view == "task"
    assert session.wants_grade
    session.graded(outcome(session, "fail"))
    assert session.view == "task"
    assert session.grade is not None


def test_a_save_is_graded_and_shown(session: Session) -> None:
    """Whatever is on the screen, the grade of a save takes its place."""
    session.wants_grade = False
    session.press("h")
    save(session, "something else")
    session.look()
    assert session.wants_grade
    session.graded(outcome(session, "fail"))
    assert session.view == "grade"


def test_a_save_takes_the_message_of_an_earlier_key_away(session: Session) -> None:
    """Whether the save is seen by the watcher, or by the grader first."""
    session.press("z")
    assert session.message
    save(session, "something else")
    session.look()
    assert not session.message
    session.press("z")
    save(session, "something else again")
    session.wants_grade = False
    session.graded(outcome(session, "fail"))
    assert not session.message


def test_a_late_grade_of_the_file_before_a_reset_says_nothing(session: Session) -> None:
    """Where the old file is kept stays on the screen; the grade of the new one is on its way."""
    save(session, "mine")
    session.look()
    late = outcome(session, "fail")
    session.press("x")
    session.press("y")
    session.graded(late)
    session.look()
    assert (session.view, session.grade) == ("task", None)
    assert "is kept as" in session.message


def test_to_look_twice_at_one_save_grades_once(session: Session) -> None:
    """The watcher may call several times for one save, or for another file."""
    session.wants_grade = False
    session.look()
    assert not session.wants_grade
    save(session, "something else")
    session.look()
    session.wants_grade = False
    session.look()
    assert not session.wants_grade


def test_a_removed_file_is_graded_as_well(session: Session) -> None:
    """That it is missing is something to tell."""
    session.wants_grade = False
    session.folder.path(session.exercise).unlink()
    session.look()
    assert session.wants_grade


def test_a_pass_is_noted_with_what_has_passed(session: Session) -> None:
    """The other window sees it, with the digest of the answer that was graded."""
    passed = session.exercise
    session.graded(outcome(session, "pass"))
    assert session.has_passed
    assert other_window(session).progress.of(passed.id).answer == digest_of(
        session.folder.path(passed)
    )
    session.press("n")
    assert session.exercise == session.folder.exercises[1]


def test_a_grade_that_comes_late_counts_for_its_own_exercise(session: Session) -> None:
    """A pass is noted even if the learner has gone on; the new exercise keeps its own grade."""
    first = session.exercise
    late = outcome(session, "pass")
    session.press("n")
    session.graded(late)
    assert session.folder.progress.has_passed(first.id)
    assert session.grade is None
    assert not session.has_passed


def test_next_leaves_out_what_was_passed_and_previous_does_not(session: Session) -> None:
    """Forward to what is open; back to what was."""
    first, second, third = session.folder.exercises[:3]
    other_window(session).note_pass(second, "digest")
    session.look()
    session.press("n")
    assert session.exercise == third
    session.press("p")
    assert session.exercise == second
    session.press("p")
    session.press("p")
    assert session.exercise == session.folder.exercises[-1]
    session.press("n")
    assert session.exercise == first


def test_hints_grow_only_while_they_are_shown(session: Session) -> None:
    """A hint that was seen is shown again first; the next one takes another press; there are three."""
    for number in (1, 2):
        session.press("h")
        assert session.hints == number
    session.press("t")
    session.press("h")
    assert session.hints == 2
    session.press("h")
    session.press("h")
    assert session.hints == 3
    assert other_window(session).progress.of(session.exercise.id).hints == 3


def test_the_solution_is_shown_after_a_pass_only(session: Session) -> None:
    """Before, the key says so."""
    session.press("s")
    shown = [session.view]
    assert "after your own" in session.message
    session.graded(outcome(session, "pass"))
    session.press("s")
    assert [*shown, session.view] == ["task", "solution"]


def test_reset_asks_first_and_says_where_the_old_file_is(session: Session) -> None:
    """Any key but y leaves the file as it is."""
    save(session, "mine")
    session.press("x")
    assert session.view == "reset?"
    session.press("n")
    path = session.folder.path(session.exercise)
    assert path.read_text() == "mine"
    session.press("x")
    session.press("y")
    assert path.read_bytes() == session.exercise.path.read_bytes()
    assert "kept/ch01_introduction/01_eager_call.1.py" in session.message


def test_reset_of_an_untouched_file_asks_nothing(session: Session) -> None:
    """There is nothing to lose, nor to win."""
    session.press("x")
    assert session.view == "task"
    assert "as the book has it" in session.message


def test_reset_that_fails_is_told(session: Session) -> None:
    """A mistake becomes a sentence on the screen, and the session goes on."""
    save(session, "mine")
    (session.folder.root / "kept").write_text("in the way")
    session.press("x")
    session.press("y")
    assert "cannot reset" in session.message
    assert not session.is_over


def test_a_number_in_the_list_goes_to_an_exercise(session: Session) -> None:
    """Digits, backspace, Return; another number than there is changes nothing."""
    session.press("l")
    for key in "129\x7f\n":
        session.press(key)
    assert session.exercise == session.folder.exercises[11]
    assert session.view == "task"
    session.press("l")
    for key in "99\n":
        session.press(key)
    assert session.exercise == session.folder.exercises[11]
    assert "no exercise 99" in session.message


def test_every_key_that_is_shown_does_something(session: Session) -> None:
    """The list of keys promises nothing that is not there; another key is answered with how to see them."""
    for key in KEYS:
        session.press(key)
        assert "does nothing" not in session.message
    assert session.is_over
    session.press("z")
    assert "? shows the keys" in session.message

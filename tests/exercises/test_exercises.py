"""The exercises, proven: each fails as its story tells, its solution passes, wrong answers are rejected.

All of that by the grader, as a learner's answers are graded.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from exercise_form import EXERCISES, SOLUTIONS, WRONG, fact, violations
from graded import EXERCISES as ALL
from parallel_cookbook.practice.exercises import HINTS, Exercise, docstring_of
from parallel_cookbook.practice.grade import Grader
from parallel_cookbook.practice.kept_parts import changes_of_kept_parts
from parallel_cookbook.run import Verdict, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITH_PROCESSES = [exercise for exercise in ALL if exercise.uses_processes]
MAX_EXECUTIONS = 1000
"""So many are done in about a second: a grade has to come while the learner still looks."""
MAX_SECONDS = 60.0
"""A grade takes a twentieth of a second; a busy machine needs patience."""
HANG_S = 6.0
"""A real run that takes longer counts as hung; the slowest that ends takes about 2 s alone."""
ONLY_SOMETIMES = {"processes/shared_value"}
"""Exercises whose real run may come off well."""


def answer_id(answer: Path) -> str:
    return answer.relative_to(WRONG).with_suffix("").as_posix()


EACH_EXERCISE = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
EACH_WRONG_ANSWER = pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        pytest.param(exercise, answer, id=answer_id(answer))
        for exercise in ALL
        for answer in exercise.wrong_answers
    ],
)


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        yield grader


# --- what is there ----------------------------------------------------------------------------------


def test_the_book_has_as_many_exercises_as_promised() -> None:
    """27 at least, in all five chapters, with two wrong answers at least for each."""
    assert len(ALL) >= 27
    assert {exercise.chapter for exercise in ALL} == set(range(1, 6))
    assert all(len(exercise.wrong_answers) >= 2 for exercise in ALL)


def test_no_file_is_astray() -> None:
    """Each file of the three trees is an exercise, its hints, its solution or an answer to it."""
    found = {
        path
        for tree in (EXERCISES, SOLUTIONS, WRONG)
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected = {EXERCISES / "README.md"}
    for exercise in ALL:
        expected |= {exercise.path, exercise.hints_file, exercise.solution, *exercise.wrong_answers}
    assert found == expected


@pytest.mark.parametrize("folder", sorted(EXERCISES.glob("ch*")), ids=lambda folder: folder.name)
def test_a_chapters_exercises_are_numbered_without_gaps(folder: Path) -> None:
    """The numbers are the order in which they are to be done."""
    numbers = [int(path.name[:2]) for path in sorted(folder.glob("*.py"))]
    assert numbers == list(range(1, len(numbers) + 1))


@EACH_EXERCISE
def test_exercise_solution_and_wrong_answers_have_the_agreed_form(exercise: Exercise) -> None:
    """Docstrings, facts, sizes, names and imports are as `exercise_form` has them."""
    files = [exercise.path, exercise.solution, *exercise.wrong_answers]
    assert {file.name: violations(file) for file in files if violations(file)} == {}


@EACH_EXERCISE
def test_there_are_three_hints_none_of_them_empty(exercise: Exercise) -> None:
    """Each hint says something, and something else than the others."""
    assert len(exercise.hints) == len(HINTS)
    assert all(len(hint) > 20 for hint in exercise.hints)
    assert len(set(exercise.hints)) == len(HINTS)


@EACH_EXERCISE
def test_the_solution_has_the_exercises_title_and_no_todo(exercise: Exercise) -> None:
    """It is the same task, done."""
    solution = exercise.solution.read_text(encoding="utf-8")
    assert docstring_of(solution).startswith(f"{exercise.title}.\n")
    assert "TODO" not in solution


def test_an_exercises_module_names_are_its_own() -> None:
    """No two exercises have the same slug, so that each can be asked for by it alone."""
    slugs = [exercise.slug for exercise in ALL]
    assert len(set(slugs)) == len(slugs)


def test_exercises_do_not_name_what_they_teach_in_comments() -> None:
    """The one comment that begins a line is the TODO: the hints are for those who ask for them."""
    for exercise in ALL:
        comments = [line for line in exercise.source.splitlines() if line.lstrip().startswith("#")]
        assert len(comments) == 1, exercise.id


# --- what may be changed ----------------------------------------------------------------------------


@EACH_EXERCISE
def test_the_solution_changes_only_what_it_may(exercise: Exercise) -> None:
    """And it changes something."""
    solution = exercise.solution.read_text(encoding="utf-8")
    assert changes_of_kept_parts(exercise.source, solution, exercise.may_change) == []
    assert changes_of_kept_parts(exercise.source, solution, frozenset())


@EACH_WRONG_ANSWER
def test_a_wrong_answer_changes_what_it_may_not_if_it_says_so(
    exercise: Exercise, answer: Path
) -> None:
    """All others are honest: they are wrong in what they were free to write."""
    source = answer.read_text(encoding="utf-8")
    faults = changes_of_kept_parts(exercise.source, source, exercise.may_change)
    assert bool(faults) == (fact(answer, "Rejected") == "harness-changed"), faults


# --- graded -----------------------------------------------------------------------------------------


@EACH_EXERCISE
def test_an_exercise_fails_as_its_story_tells(grader: Grader, exercise: Exercise) -> None:
    """The first failure found is of the kind that it declares, and is found soon."""
    grade = grader.grade(exercise, exercise.path, max_seconds=MAX_SECONDS)
    assert (grade.verdict, grade.kind) == ("fail", exercise.facts["Fails"]), grade
    assert grade.executions <= MAX_EXECUTIONS


@EACH_EXERCISE
def test_a_solution_passes_in_every_interleaving(grader: Grader, exercise: Exercise) -> None:
    """The verdict is pass, all was explored, soon, and there is nothing to warn of."""
    grade = grader.grade(exercise, exercise.solution, max_seconds=MAX_SECONDS)
    assert grade.passed, grade
    assert grade.is_exhaustive
    assert grade.report is not None
    assert grade.report.warnings == []
    assert grade.executions <= MAX_EXECUTIONS


@EACH_WRONG_ANSWER
def test_a_wrong_answer_is_rejected_for_what_is_wrong(
    grader: Grader, exercise: Exercise, answer: Path
) -> None:
    """The grade names the kind that the answer declares, and shows the line that it names."""
    grade = grader.grade(exercise, answer, max_seconds=MAX_SECONDS)
    assert (grade.verdict, grade.kind) == ("fail", fact(answer, "Rejected")), grade
    line = fact(answer, "Line")
    if line:
        assert grade.story is not None
        shown = {event.source for event in grade.story.events}
        shown |= {blocked.source for blocked in grade.story.blocked}
        assert any(line in source for source in shown), shown


# --- for real ---------------------------------------------------------------------------------------


@functools.cache
def real_outcome(file: Path) -> str:
    """Run the file; return pass, hang, assertion or exception."""
    result = run_program(file, timeout_s=HANG_S)
    if result.verdict is Verdict.TIME_OUT:
        return "hang"
    if "AssertionError" in result.stderr:
        return "assertion"
    return "pass" if result.verdict is Verdict.PASS else "exception"


def as_seen(kind: str) -> str:
    return "hang" if kind in {"deadlock", "livelock"} else kind


@pytest.mark.parametrize("exercise", WITH_PROCESSES, ids=lambda exercise: exercise.id)
def test_an_exercise_with_processes_fails_for_real(exercise: Exercise) -> None:
    """As its story tells; where that depends on luck, it may come off well and nothing else."""
    told = as_seen(exercise.facts["Fails"])
    allowed = {told, "pass"} if exercise.id in ONLY_SOMETIMES else {told}
    assert real_outcome(exercise.path) in allowed


@EACH_EXERCISE
def test_a_solution_passes_for_real(exercise: Exercise) -> None:
    """`python FILE` ends well, and leaves nothing behind."""
    assert real_outcome(exercise.solution) == "pass"


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        pytest.param(exercise, answer, id=answer_id(answer))
        for exercise in WITH_PROCESSES
        for answer in exercise.wrong_answers
    ],
)
def test_a_wrong_answer_with_processes_fails_for_real_only_as_it_says(
    exercise: Exercise, answer: Path
) -> None:
    """It may come off well: that is why running is no proof. It fails in no other way."""
    assert answer in exercise.wrong_answers
    assert real_outcome(answer) in {"pass", as_seen(fact(answer, "Rejected"))}

"""The exercises, proven: each fails as its story tells, its solution passes, wrong answers are rejected."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from exercise_form import (
    EXERCISES,
    GRADERS_KINDS,
    HINTS,
    SOLUTIONS,
    WRONG,
    Exercise,
    all_exercises,
    docstring_of,
    fact,
    hints_in,
    violations,
)
from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry, replay_entry
from parallel_cookbook.practice.kept_parts import changes_of_kept_parts
from parallel_cookbook.run import Verdict, run_program

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.mark import ParameterSet

ALL = all_exercises()
WITH_PROCESSES = [exercise for exercise in ALL if exercise.uses_processes]
MAX_EXECUTIONS = 1000
"""So many are done in about a second: a grade has to come while the learner still looks."""
HANG_S = 6.0
"""A real run that takes longer counts as hung; the slowest that ends takes about 2 s alone."""
PROCESSES = pytest.mark.skip(reason="processes: only those with a manager are switched on so far")
ONLY_SOMETIMES = {"ch03_processes/04_shared_value"}
"""Exercises whose real run may come off well."""


def check_file(exercise: Exercise, file: Path) -> CheckReport:
    return check_entry(Entry(file), target=file.name, budget=Budget(None, 60), races=exercise.races)


def answer_id(answer: Path) -> str:
    return answer.relative_to(WRONG).with_suffix("").as_posix()


def marks_of(exercise: Exercise) -> list[pytest.MarkDecorator]:
    """Return what keeps the check from judging the exercise so far."""
    if "Manager" in exercise.path.read_text():
        return []
    return [PROCESSES] if exercise.uses_processes else []


def each_exercise(*, of_check: bool) -> list[ParameterSet]:
    return [
        pytest.param(
            exercise,
            id=exercise.id,
            marks=marks_of(exercise) if of_check else (),
        )
        for exercise in ALL
    ]


def each_wrong_answer(*, of_check: bool) -> list[ParameterSet]:
    return [
        pytest.param(
            exercise,
            answer,
            id=answer_id(answer),
            marks=marks_of(exercise) if of_check else (),
        )
        for exercise in ALL
        for answer in exercise.wrong_answers
    ]


# --- what is there ----------------------------------------------------------------------------------


def test_the_book_has_as_many_exercises_as_promised() -> None:
    """27 at least, in all five chapters, with two wrong answers at least for each."""
    assert len(ALL) >= 27
    assert {exercise.id[:4] for exercise in ALL} == {f"ch0{number}" for number in range(1, 6)}
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
        expected |= {exercise.path, exercise.hints, exercise.solution, *exercise.wrong_answers}
    assert found == expected


@pytest.mark.parametrize("folder", sorted(EXERCISES.glob("ch*")), ids=lambda folder: folder.name)
def test_a_chapters_exercises_are_numbered_without_gaps(folder: Path) -> None:
    """The numbers are the order in which they are to be done."""
    numbers = [int(path.name[:2]) for path in sorted(folder.glob("*.py"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("exercise", each_exercise(of_check=False))
def test_exercise_solution_and_wrong_answers_have_the_agreed_form(exercise: Exercise) -> None:
    """Docstrings, sizes, names and imports are as `exercise_form` has them."""
    files = [exercise.path, exercise.solution, *exercise.wrong_answers]
    assert {file.name: violations(file) for file in files if violations(file)} == {}


@pytest.mark.parametrize("exercise", each_exercise(of_check=False))
def test_there_are_three_hints_none_of_them_empty(exercise: Exercise) -> None:
    """Each hint says something, and something else than the others."""
    hints = hints_in(exercise.hints.read_text(encoding="utf-8"))
    assert tuple(hints) == HINTS
    assert all(len(hint) > 20 for hint in hints.values())
    assert len(set(hints.values())) == len(HINTS)


@pytest.mark.parametrize("exercise", each_exercise(of_check=False))
def test_the_solution_has_the_exercises_title_and_no_todo(exercise: Exercise) -> None:
    """It is the same task, done."""
    title, _, _ = docstring_of(exercise.path).partition("\n")
    assert docstring_of(exercise.solution).startswith(f"{title}\n")
    assert "TODO" not in exercise.solution.read_text(encoding="utf-8")


def test_an_exercises_module_names_are_its_own() -> None:
    """No two exercises have the same slug, so that each can be asked for by it alone."""
    slugs = [exercise.id.rpartition("/")[2][3:] for exercise in ALL]
    assert len(set(slugs)) == len(slugs)


def test_exercises_do_not_name_what_they_teach_in_comments() -> None:
    """The one comment in an exercise is its TODO: the hints are for those who ask for them."""
    for exercise in ALL:
        comments = [line for line in exercise.source.splitlines() if line.lstrip().startswith("#")]
        assert len(comments) == 1, exercise.id


# --- what may be changed ----------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", each_exercise(of_check=False))
def test_the_solution_changes_only_what_it_may(exercise: Exercise) -> None:
    """And it changes something."""
    solution = exercise.solution.read_text(encoding="utf-8")
    assert changes_of_kept_parts(exercise.source, solution, exercise.may_change) == []
    assert changes_of_kept_parts(exercise.source, solution, frozenset())


@pytest.mark.parametrize(("exercise", "answer"), each_wrong_answer(of_check=False))
def test_a_wrong_answer_changes_what_it_may_not_if_it_says_so(
    exercise: Exercise, answer: Path
) -> None:
    """All others are honest: they are wrong in what they were free to write."""
    source = answer.read_text(encoding="utf-8")
    faults = changes_of_kept_parts(exercise.source, source, exercise.may_change)
    assert bool(faults) == (fact(answer, "Rejected") == "harness-changed"), faults


# --- under the check --------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", each_exercise(of_check=True))
def test_an_exercise_fails_as_its_story_tells(exercise: Exercise) -> None:
    """The first failure found is of the kind that it declares, and is found soon."""
    report = check_file(exercise, exercise.path)
    assert report.verdict == "fail", report
    assert report.failures[0].kind == fact(exercise.path, "Fails")
    assert report.executions <= MAX_EXECUTIONS


@pytest.mark.parametrize("exercise", each_exercise(of_check=True))
def test_a_solution_passes_in_every_interleaving(exercise: Exercise) -> None:
    """The verdict is pass, all was explored, soon, and there is nothing to warn of."""
    report = check_file(exercise, exercise.solution)
    assert report.verdict == "pass", report
    assert report.exhaustive
    assert report.warnings == []
    assert report.executions <= MAX_EXECUTIONS


@pytest.mark.parametrize(("exercise", "answer"), each_wrong_answer(of_check=True))
def test_a_wrong_answer_is_rejected_for_what_is_wrong(exercise: Exercise, answer: Path) -> None:
    """The check finds the failure that the answer declares, and shows the line that it names.

    Where only a grader can reject it, the check has nothing against it: that alone is wrong.
    """
    report = check_file(exercise, answer)
    kind = fact(answer, "Rejected")
    if kind in GRADERS_KINDS:
        assert report.verdict == "pass", report
        return
    assert report.verdict == "fail", report
    assert report.failures[0].kind == kind
    line = fact(answer, "Line")
    if line:
        story, _, _ = replay_entry(Entry(answer), report.failures[0].schedule)
        shown = {event.source for event in story.events} | {b.source for b in story.blocked}
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
    told = as_seen(fact(exercise.path, "Fails"))
    allowed = {told, "pass"} if exercise.id in ONLY_SOMETIMES else {told}
    assert real_outcome(exercise.path) in allowed


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
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

"""Grades as a learner reads them, and as programs do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from graded import EXERCISES, exercise_named, with_parts
from parallel_cookbook.practice.grade import Grader
from parallel_cookbook.report.junit import junit_xml
from parallel_cookbook.report.practice import (
    grade_as_json,
    grade_text,
    kind_in_words,
    next_step,
)
from parallel_cookbook.report.practice_pages import brief_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.practice.result import Grade

VISITOR_COUNT = exercise_named("visitor_count")


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        yield grader


def wrong(name: str, answer: str) -> Path:
    exercise = exercise_named(name)
    return next(path for path in exercise.wrong_answers if path.stem == answer)


def test_a_failure_shows_the_claim_the_columns_the_reason_and_the_next_step(
    grader: Grader,
) -> None:
    """In this order; all that a learner needs is on the screen."""
    text = grade_text(grader.grade(VISITOR_COUNT, VISITOR_COUNT.path), 100)
    parts = [
        "✗ threads/visitor_count  not right yet",
        "The counter counts every visit",
        "assertion (01_visitor_count.py:",
        "2 visitors, 1 counted",
        "Thread-1 (visit)",
        "reads self.visits = 0",
        "A lost update",
        "Find the step",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places, text
    assert places == sorted(places)


def test_a_pass_says_what_was_proven(grader: Grader) -> None:
    """And how many interleavings that took."""
    text = grade_text(grader.grade(VISITOR_COUNT, VISITOR_COUNT.solution), 100)
    assert text.startswith("✓ threads/visitor_count  proven right")
    assert text.endswith("It holds in all of 2 interleavings that can make a difference.")


@pytest.mark.parametrize("width", [30, 60, 200])
def test_a_grade_fits_into_any_terminal(grader: Grader, width: int) -> None:
    """No line is longer than the terminal is wide."""
    grade = grader.grade(VISITOR_COUNT, VISITOR_COUNT.path)
    assert max(map(len, grade_text(grade, width).splitlines())) <= width


def test_a_busy_wait_shows_the_first_turns_and_no_more(grader: Grader) -> None:
    """What comes after them says nothing."""
    exercise = exercise_named("pulsed_event")
    grade = grader.grade(exercise, wrong("pulsed_event", "polls_with_a_lock"))
    assert grade.story is not None
    took = [event for event in grade.story.events if event.kind == "acquire"]
    assert [event.line for event in took] == [grade.line] * 2
    assert "busy wait" in grade_text(grade, 100)


def test_a_claim_that_failed_is_not_told_as_if_it_held(grader: Grader, tmp_path: Path) -> None:
    """It is what must hold; only after a pass it stands alone."""
    broken = tmp_path / "broken.py"
    broken.write_text("def visit(:\n")
    text = grade_text(grader.grade(VISITOR_COUNT, broken), 100)
    assert "What must hold: The file is Python." in text.splitlines()
    text = grade_text(grader.grade(VISITOR_COUNT, VISITOR_COUNT.path), 100)
    assert "What must hold: The counter counts every visit" in text
    text = grade_text(grader.grade(VISITOR_COUNT, VISITOR_COUNT.solution), 100)
    assert "What must hold" not in text


def test_what_may_be_changed_is_said_to_who_changed_something_else(grader: Grader) -> None:
    """The claim that failed names it."""
    grade = grader.grade(VISITOR_COUNT, wrong("visitor_count", "catches_the_assertion"))
    assert "You may change `VisitorCount`, and nothing else." in grade_text(grade, 100)


def test_a_line_for_a_grade_uses_the_words_of_the_whole_grade(grader: Grader) -> None:
    """No kind is told as programs know it."""
    grade = grader.grade(VISITOR_COUNT, wrong("visitor_count", "catches_the_assertion"))
    assert f"not yours to change in line {grade.line}: " in brief_line(grade).plain
    assert kind_in_words(grade) == "not yours to change"


def test_steps_after_the_failed_assertion_are_explained(grader: Grader, tmp_path: Path) -> None:
    """Who was not joined goes on after it; without a sentence, nobody knows why these steps are shown."""
    join_first_alone = """
def rehearse(sale, names):
    customers = [Thread(target=sale.customer, args=(name,)) for name in names]
    for customer in customers:
        customer.start()
    sale.door.set()
    customers[0].join()
"""
    exercise, answer = with_parts("start_and_join", tmp_path, join_first_alone)
    text = " ".join(grade_text(grader.grade(exercise, answer), 100).split())
    assert (
        "Thread-2 (customer) was still under way when the assertion failed: "
        "MainThread had not waited for its end"
    ) in text
    text = grade_text(grader.grade(VISITOR_COUNT, VISITOR_COUNT.path), 100)
    assert "still under way" not in text


def test_each_kind_of_grade_has_a_next_step(grader: Grader) -> None:
    """Of all wrong answers; after a pass there is none."""
    for exercise in EXERCISES[:3]:
        for answer in exercise.wrong_answers:
            assert next_step(grader.grade(exercise, answer))
        assert next_step(grader.grade(exercise, exercise.solution)) == ""


def test_a_grade_is_an_object_for_json(grader: Grader) -> None:
    """With the counterexample step by step, and where it goes wrong."""
    grade = grader.grade(VISITOR_COUNT, VISITOR_COUNT.path)
    found = json.loads(json.dumps(grade_as_json(grade)))
    assert (found["exercise"], found["verdict"], found["kind"]) == (
        "threads/visitor_count",
        "fail",
        "assertion",
    )
    assert found["location"] == f"{grade.file}:{grade.line}"
    assert {"load", "store"} <= {step["did"] for step in found["counterexample"]}
    assert found["schedule"] == grade.schedule


# --- JUnit's XML ------------------------------------------------------------------------------------


def grades(grader: Grader) -> list[Grade]:
    passed = grader.grade(VISITOR_COUNT, VISITOR_COUNT.solution)
    return [
        passed,
        grader.grade(VISITOR_COUNT, VISITOR_COUNT.path),
        grader.grade(VISITOR_COUNT, Path("gone.py")),
        replace(passed, verdict="unknown", kind="budget", message="stopped at the limit"),
    ]


def test_each_grade_is_a_case_and_only_a_pass_passes(grader: Grader) -> None:
    """What is not proven is a failure, what cannot be graded an error."""
    root = ET.fromstring(junit_xml({"ada": grades(grader), "grace": grades(grader)[:1]}))  # noqa: S314 - ours
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["ada", "grace"]
    cases = suites[0].findall("testcase")
    assert [[child.tag for child in case] for case in cases] == [
        [],
        ["failure"],
        ["error"],
        ["failure"],
    ]
    assert (suites[0].get("tests"), suites[0].get("failures"), suites[0].get("errors")) == (
        "4",
        "2",
        "1",
    )
    assert root.get("tests") == "5"
    failure = cases[1].find("failure")
    assert failure is not None
    assert failure.get("type") == "assertion"
    assert "A lost update" in (failure.text or "")


def test_what_no_xml_may_contain_is_replaced(grader: Grader) -> None:
    """A learner's message may hold anything."""
    grade = replace(grades(grader)[1], message="bell \x07 null \0 & <tag> \ud800")
    root = ET.fromstring(junit_xml({"a\x00b": [grade]}))  # noqa: S314 - ours
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "bell � null � & <tag> �"

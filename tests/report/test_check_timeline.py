"""A check's story as a timeline: who takes which step, who could go on, who waits, who holds what."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from checked import Checked, check_file
from golden import FOLDER, PROGRAMS
from parallel_cookbook.report.check_rows import story_rows
from parallel_cookbook.report.check_timeline import story_timeline

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.timeline import Timeline


@functools.cache
def checked(name: str) -> Checked:
    return check_file(FOLDER / "programs" / f"{name}.py")


def pictures(name: str) -> list[Timeline]:
    """Return the timeline of each story of a program's report."""
    report = checked(name).report
    failures = {failure.schedule: failure for failure in report.failures}
    stories = checked(name).stories
    return [story_timeline(story, failures.get(key)) for key, story in stories.items()]


def lane(timeline: Timeline, name: str) -> list[str]:
    """Return what stands in a lane, a line a slice: "1-2 running with a:"."""
    index = [one.name for one in timeline.lanes].index(name)
    return [
        f"{one.begin}-{one.end} {one.state} {one.label}"
        for one in timeline.slices
        if one.lane == index
    ]


def check_program(folder: Path, text: str) -> Timeline:
    """Return the picture of the first failure of a program."""
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    result = check_file(file)
    failure = result.report.failures[0]
    return story_timeline(result.stories[failure.schedule], failure)


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_slices_are_in_order_and_do_not_overlap(file: Path) -> None:
    """In each lane one slice ends before the next begins, within the picture; arrows go forwards."""
    for timeline in pictures(file.stem):
        keys = [(one.lane, one.begin) for one in timeline.slices]
        assert keys == sorted(keys)
        for one, following in zip(timeline.slices, timeline.slices[1:], strict=False):
            assert 0 <= one.begin < one.end <= timeline.end
            assert one.lane != following.lane or one.end <= following.begin
        for arrow in timeline.arrows:
            assert 0 < arrow.begin <= arrow.end < timeline.end
            assert arrow.from_lane != arrow.to_lane
        for counter in timeline.counters:
            assert all(value >= 0 for _, value in counter.points)


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_each_row_of_the_table_is_a_step_of_the_picture(file: Path) -> None:
    """Row number n stands at step n, in its task's lane, with the same words."""
    result = checked(file.stem)
    failures = {failure.schedule: failure for failure in result.report.failures}
    for key, story in result.stories.items():
        timeline = story_timeline(story, failures.get(key))
        rows = story_rows(story, failures.get(key))
        assert timeline.end == len(rows)
        for row in rows:
            found = [
                one
                for one in timeline.slices
                if one.begin == row.number - 1
                and timeline.lanes[one.lane].name == story.tasks[row.task]
            ]
            assert len(found) == 1
            assert row.source in found[0].label
            assert found[0].detail == "; ".join(row.details)
            assert found[0].is_open == (row.kind == "blocked")
            assert found[0].is_failure == (row.kind == "failed")


def test_a_deadlock_shows_who_holds_what_and_who_waits_for_whom() -> None:
    """Each waits, for ever, for what the other holds."""
    timeline = next(one for one in pictures("deadlock") if one.end == 4)
    one, two = "Thread-1 (forwards)", "Thread-2 (backwards)"
    assert lane(timeline, one) == [
        "0-1 running with a:",
        "1-2 ready could go on",
        "2-4 blocked ■ with b:",
    ]
    assert lane(timeline, two) == [
        "0-1 ready could go on",
        "1-2 running with b:",
        "2-3 blocked waits for a",
        "3-4 blocked ■ with a:",
    ]
    assert lane(timeline, "a") == [f"0-4 held {one}"]
    assert lane(timeline, "b") == [f"1-4 held {two}"]
    stuck = [one for one in timeline.slices if one.is_open and one.state == "blocked"]
    names = [one.name for one in timeline.lanes]
    pairs = {(names[s.lane], names[s.thing or 0], names[s.holder or 0]) for s in stuck}
    assert pairs == {(one, "b", two), (two, "a", one)}


def test_preemptions_are_marked_where_they_happen() -> None:
    """As many as the failure has, on the step after which the scheduler switched."""
    for name in ("lost_update", "deadlock", "check_then_pop"):
        failure = checked(name).report.failures[0]
        timeline = pictures(name)[0]
        marked = [one for one in timeline.slices if one.is_preempted]
        assert len(marked) == failure.preemptions >= 1
        assert all(one.state == "running" for one in marked)


HANDED = """
import queue, threading

items = queue.Queue(1)
ready = threading.Event()
lock = threading.Lock()

def give():
    with lock:
        items.put(1)
        ready.set()
    items.put(2)

def take():
    ready.wait()
    with lock:
        assert items.get() + items.get() == 4

one = threading.Thread(target=give, name="giver")
two = threading.Thread(target=take, name="taker")
one.start(); two.start(); one.join(); two.join()
"""


def test_messages_and_wake_ups_are_arrows_and_queues_have_a_length(tmp_path: Path) -> None:
    """Each item goes from its put to its get, the wake-up from set to wait; the queue fills and empties."""
    timeline = check_program(tmp_path, HANDED)
    names = [one.name for one in timeline.lanes]
    told = [(a.kind, names[a.from_lane], names[a.to_lane], a.label) for a in timeline.arrows]
    assert told.count(("message", "giver", "taker", "items")) == 2
    assert ("wake", "giver", "taker", "ready") in told
    counter = timeline.counters[0]
    assert names[counter.lane] == "items"
    values = [value for _, value in counter.points]
    assert max(values) == 1
    assert values[-1] == 0


def test_a_lock_that_somebody_waited_for_is_handed_over(tmp_path: Path) -> None:
    """An arrow leads from the step that gives it back to that which takes it, if the taker was blocked."""
    text = """
import threading

lock = threading.Lock()
seen = []

def work(name):
    with lock:
        seen.append(name)
        seen.append(name)

threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
for t in threads: t.start()
for t in threads: t.join()
assert False
"""
    timeline = check_program(tmp_path, text)
    assert [(a.kind, a.from_lane, a.to_lane) for a in timeline.arrows] == [("lock", 0, 1)]
    giver, taker = lane(timeline, "Thread-1 (work)"), lane(timeline, "Thread-2 (work)")
    assert giver[0] == "0-1 running with lock:"
    assert "blocked waits for lock" in taker[1]


def test_a_lock_that_is_taken_again_is_held_twice(tmp_path: Path) -> None:
    """What was given back at the end of a step and taken in the next is no single hold."""
    text = """
import threading

lock = threading.Lock()
seen = []

def work():
    for i in range(2):
        with lock:
            seen.append(i)

threads = [threading.Thread(target=work) for i in range(2)]
for t in threads: t.start()
for t in threads: t.join()
assert False
"""
    timeline = check_program(tmp_path, text)
    held = lane(timeline, "lock")
    assert len(held) == 4
    assert not any(one.is_open for one in timeline.slices if one.state == "held")


def test_a_waiting_task_waits_to_be_notified_and_then_for_the_lock(tmp_path: Path) -> None:
    """Between wait and waking up a condition's task first has no call, then no lock."""
    text = """
import threading

cond = threading.Condition()
done = []

def wait():
    with cond:
        while not done:
            cond.wait()

def call():
    with cond:
        done.append(1)
        cond.notify()
        done.append(2)
    raise AssertionError

one = threading.Thread(target=wait, name="waiter")
two = threading.Thread(target=call, name="caller")
one.start(); two.start(); one.join(); two.join()
"""
    file = tmp_path / "program.py"
    file.write_text(text, encoding="utf-8")
    result = check_file(file)
    stories = [story_timeline(story) for story in result.stories.values()]
    waits = [
        [one.split(" ", 2)[2] for one in lane(timeline, "waiter") if " blocked " in one]
        for timeline in stories
        if "waiter" in [one.name for one in timeline.lanes]
    ]
    assert any("waits to be notified" in said for said in waits)


def test_pipes_are_messages_between_processes() -> None:
    """What one process sends leads to where another receives it."""
    for timeline in pictures("message_left"):
        names = [one.name for one in timeline.lanes]
        told = {(a.kind, names[a.from_lane], names[a.to_lane]) for a in timeline.arrows}
        assert ("message", "MainThread", "Process-1") in told

"""The picture of a recording."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.trace.picture import picture_of
from parallel_cookbook.trace.summary import summarise
from parallel_cookbook.trace.thinning import Thinning
from random_recordings import random_recording
from recordings import MS, recording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parallel_cookbook.timeline import Slice, Timeline


def picture(text: str) -> Timeline:
    return picture_of(summarise(recording(text)))


def thinned(slices: Iterable[Slice], most: int) -> tuple[list[Slice], int]:
    thinning = Thinning(most)
    thinning.add(slices)
    return thinning.thinned()


def in_lane(drawn: Timeline, name: str) -> list[tuple[float, float, str, str]]:
    """Return a lane's slices: from and to in milliseconds, state, label."""
    lane = next(n for n, lane in enumerate(drawn.lanes) if lane.name == name)
    return [
        (one.begin / MS, one.end / MS, one.state, one.label)
        for one in drawn.slices
        if one.lane == lane
    ]


CONTENDED = """
    0      main  begin
    0      main  acquire  lock @12
    5      main  start a
    6      a     begin main
    10     a     acquire? lock @20
    40     main  release  lock
    10-42  a     acquire  lock @20
    50     a     release  lock
    60     a     end
    70     main  end
"""


def test_a_lock_has_a_lane_with_its_holders() -> None:
    """Who held it from when to when."""
    assert in_lane(picture(CONTENDED), "lock") == [(0, 40, "held", "main"), (42, 50, "held", "a")]


def test_who_waits_is_drawn_with_what_for_and_who_is_in_the_way() -> None:
    """The slice leads to the lock's lane and to the holder's."""
    drawn = picture(CONTENDED)
    [wait] = [one for one in drawn.slices if one.state == "blocked"]
    assert (wait.begin, wait.end, wait.label) == (10 * MS, 42 * MS, "waits for lock")
    assert wait.detail == "Held by main, taken at program.py:12."
    assert wait.thing is not None
    assert wait.holder is not None
    assert drawn.lanes[wait.thing].name == "lock"
    assert drawn.lanes[wait.holder].name == "main"


def test_arrows_lead_from_who_starts_releases_and_sends() -> None:
    """A start, a hand-over, a message: each from whom to whom, and when."""
    drawn = picture(CONTENDED + " 55 main put q extra=1\n 58 a get q extra=1")
    names = [lane.name for lane in drawn.lanes]
    assert [
        (arrow.kind, names[arrow.from_lane], arrow.begin / MS, names[arrow.to_lane], arrow.end / MS)
        for arrow in drawn.arrows
    ] == [
        ("start", "main", 5, "a", 6),
        ("lock", "main", 40, "a", 42),
        ("message", "main", 55, "a", 58),
    ]


def test_a_queues_length_is_a_counter_with_its_limit() -> None:
    """The counter belongs to the queue's lane."""
    drawn = picture("thing q queue 3\n0 a put q value=1\n5 a put q value=2\n9 b get q value=1")
    [counter] = drawn.counters
    assert drawn.lanes[counter.lane].name == "q"
    assert counter.points == ((0, 1), (5 * MS, 2), (9 * MS, 1))
    assert counter.limit == 3


def test_a_piece_of_work_contains_what_its_worker_did() -> None:
    """Work is the outer slice; what ran and waited within stands inside of it."""
    drawn = picture("""
        0      w/w  begin
        15-20  w/w  acquire lock
        10-30  w/w  work  pool extra=1
        50     w/w  end
    """)
    assert in_lane(drawn, "w") == [
        (0, 10, "idle", "has no work"),
        (10, 30, "work", "piece 1 of work"),
        (10, 15, "running", "runs"),
        (15, 20, "blocked", "waits for lock"),
        (20, 30, "running", "runs"),
        (30, 50, "idle", "has no work"),
    ]


def test_a_garbage_collection_stands_within_what_the_task_did() -> None:
    """It is cut where the task's state changes."""
    drawn = picture("""
        0      a  begin
        10-20  a  acquire lock
        5-12   a  collect
        50     a  end
    """)
    assert in_lane(drawn, "a") == [
        (0, 10, "running", "runs"),
        (5, 10, "collect", "garbage collection"),
        (10, 20, "blocked", "waits for lock"),
        (10, 12, "collect", "garbage collection"),
        (20, 50, "running", "runs"),
    ]


def test_a_picture_begins_where_the_first_task_does() -> None:
    """What the interpreter took to start is not drawn."""
    assert picture("30 main begin\n50 main end").begin == 30 * MS


def test_a_semaphores_places_have_a_lane_each() -> None:
    """What is held side by side does not overlap in a lane."""
    drawn = picture("""
        thing s semaphore 2
        0   a  acquire s
        5   b  acquire s
        20  a  release s
        30  b  release s
    """)
    assert in_lane(drawn, "s") == [(0, 20, "held", "a")]
    assert in_lane(drawn, "s (2)") == [(5, 30, "held", "b")]


def assert_nested(slices: list[Slice]) -> None:
    """Assert that the slices of one lane nest or do not overlap, and come outer before inner."""
    outer: list[Slice] = []
    for one in slices:
        while outer and outer[-1].end <= one.begin:
            outer.pop()
        assert not outer or one.end <= outer[-1].end
        outer.append(one)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_drawn_lies_in_the_run_and_nests(seed: int) -> None:
    """Whatever was recorded: no slice overlaps another one in its lane, and arrows lead forward in time."""
    drawn = picture_of(summarise(random_recording(random.Random(seed)), was_cut_off=seed % 2 == 0))
    assert list(drawn.slices) == sorted(drawn.slices, key=lambda s: (s.lane, s.begin, -s.end))
    for lane in range(len(drawn.lanes)):
        assert_nested([one for one in drawn.slices if one.lane == lane])
    assert all(drawn.begin <= one.begin <= one.end <= drawn.end for one in drawn.slices)
    assert all(arrow.begin <= arrow.end for arrow in drawn.arrows)


def test_very_many_slices_are_drawn_together() -> None:
    """What is short becomes one with its neighbours; what is long stays; nothing overlaps."""
    text = "\n".join(f"{n * 2}-{n * 2 + 1} a sleep" for n in range(1000)) + "\n2000-9000 a sleep"
    drawn = picture(text)
    slices, shortest = thinned(drawn.slices, 300)
    assert len(slices) <= 300
    assert shortest > 0
    assert sum(one.end - one.begin for one in slices) == sum(
        one.end - one.begin for one in drawn.slices
    )
    assert all(before.end <= after.begin for before, after in pairwise(slices))
    assert (2000 * MS, 9000 * MS) in [(one.begin, one.end) for one in slices]


def test_what_is_drawn_together_belongs_to_one_lane() -> None:
    """The last of a lane and the first of the next are no neighbours."""
    text = "\n".join(f"{n} {name} sleep" for name in "ab" for n in ("1-2", "2-3", "3-4"))
    slices, _ = thinned(picture(text).slices, 2)
    assert [(one.lane, one.begin / MS, one.end / MS) for one in slices] == [(0, 1, 4), (1, 1, 4)]


def test_slices_are_drawn_together_while_they_come() -> None:
    """However many come, no more are kept at once than four times as many as may stay."""
    first = picture("0-1 a sleep").slices[0]
    kept = []
    thinning = Thinning(10)

    def coming() -> Iterator[Slice]:
        for n in range(5_000):
            kept.append(len(thinning._slices))
            yield replace(first, begin=n * 10, end=n * 10 + 5 if n % 1000 else n * 10 + 10)

    thinning.add(coming())
    slices, shortest = thinning.thinned()
    assert max(kept) <= 40
    assert shortest > 0
    assert len(slices) <= 10
    assert (slices[0].begin, slices[-1].end) == (0, 4_999 * 10 + 5)
    assert all(before.end <= after.begin for before, after in pairwise(slices))

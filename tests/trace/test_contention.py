"""How locks and queues were used."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from parallel_cookbook.trace.contention import Contention, contention_of
from parallel_cookbook.trace.recording import Kind, Recording
from parallel_cookbook.trace.waits import waits_of
from random_recordings import random_recording
from recordings import MS, recording

SEEDS = range(60)


def found(made: Recording) -> Contention:
    return contention_of(made, waits_of(made))


def held(contention: Contention, thing: int = 0) -> list[tuple[int, float, float]]:
    """Return who held it when, in milliseconds."""
    return [(hold.task, hold.began / MS, hold.ended / MS) for hold in contention.holds[thing]]


def test_a_contended_lock_in_figures() -> None:
    """Time waited, contended share, longest hold and the line to blame."""
    made = recording("""
        0      a  acquire  lock @12
        10     b  acquire? lock @20
        40     a  release  lock
        10-40  b  acquire  lock @20
        45     b  release  lock
        50     a  acquire  lock @30
        52     a  release  lock
        55     a  acquire  lock @30
        57     a  release  lock
    """)
    contention = found(made)
    use = contention.locks[0]
    assert (use.acquired, use.contended, use.contended_share, use.in_vain) == (4, 1, 0.25, 0)
    assert (use.waited, use.held) == (30 * MS, 49 * MS)
    assert use.longest
    assert (use.longest.task, use.longest.ended - use.longest.began) == (0, 40 * MS)
    assert made.sites[use.worst_site].line == 12
    assert (use.worst_task, use.worst_blocked) == (0, 30 * MS)
    assert held(contention) == [(0, 0, 40), (1, 40, 45), (0, 50, 52), (0, 55, 57)]


def test_the_line_to_blame_is_where_others_waited_longest_not_where_it_was_held_longest() -> None:
    """A long hold that nobody waited for does no harm."""
    made = recording("""
        0      a  acquire  lock @1
        90     a  release  lock
        100    a  acquire  lock @2
        100-110  b  acquire  lock @3
        110    a  release  lock
        111    b  release  lock
    """)
    use = found(made).locks[0]
    assert use.longest
    assert made.sites[use.longest.site].line == 1
    assert made.sites[use.worst_site].line == 2


def test_an_rlock_is_held_from_the_first_acquire_to_the_last_release() -> None:
    """Taking it again is no hold of its own."""
    assert held(
        found(
            recording("""
                thing lock rlock
                0   a  acquire lock
                10  a  acquire lock
                20  a  release lock
                30  a  release lock
            """)
        )
    ) == [(0, 0, 30)]


def test_a_lock_may_be_given_back_by_another_task() -> None:
    """A Lock is nobody's property: the hold ends when somebody releases it."""
    assert held(found(recording("0 a acquire lock\n10 b release lock\n20 b acquire lock"))) == [
        (0, 0, 10),
        (1, 20, 20),
    ]


def test_a_hold_whose_release_was_lost_ends_when_another_task_has_the_lock() -> None:
    """Held intervals exclude each other, whatever is missing in the recording."""
    assert held(found(recording("0 a acquire lock\n10 b acquire lock\n20 b release lock"))) == [
        (0, 0, 10),
        (1, 10, 20),
    ]


def test_a_semaphores_places_are_held_side_by_side() -> None:
    """Each place is a hold."""
    contention = found(
        recording("""
            thing s semaphore 2
            0   a  acquire s
            5   b  acquire s
            20  a  release s
            30  b  release s
        """)
    )
    assert held(contention) == [(0, 0, 20), (1, 5, 30)]
    assert [hold.task for hold in contention.holders_at(0, 10 * MS)] == [0, 1]
    assert [hold.task for hold in contention.holders_at(0, 25 * MS)] == [1]


def test_what_was_asked_in_vain_counts_as_waited_and_not_as_acquired() -> None:
    """A time-out waited too, and so does who still waits at the end."""
    use = found(
        recording("""
            0      a  acquire  lock
            10-30  b  acquire  lock in vain
            40     c  acquire? lock
            50     a  sleep
        """)
    ).locks[0]
    assert (use.acquired, use.in_vain, use.waited) == (1, 2, 30 * MS)


def test_a_queue_in_figures() -> None:
    """Depth, starvation, back-pressure and the time a message lay there."""
    contention = found(
        recording("""
            thing q queue 2
            0-20   c  get  q value=0 extra=1
            20     p  put  q value=1 extra=1
            30     p  put  q value=1 extra=2
            40     p  put  q value=2 extra=3
            40-60  p  put  q value=2 extra=4
            60     c  get  q value=1 extra=2
            80     c  get  q value=1 extra=3
        """)
    )
    use = contention.queues[0]
    assert (use.put, use.got, use.deepest) == (4, 3, 2)
    assert (use.starved, use.held_up) == (20 * MS, 20 * MS)
    assert use.latency == 30 * MS


def test_a_depth_that_was_not_recorded_is_counted() -> None:
    """Without lengths, puts and gets are counted; the average is over time."""
    contention = found(recording("0 a put q\n10 a put q\n20 b get q\n40 b get q"))
    assert contention.depths[0] == ((0, 1), (10 * MS, 2), (20 * MS, 1), (40 * MS, 0))
    assert contention.queues[0].average_depth == pytest.approx((10 + 20 + 20) / 40)


def test_what_stays_in_a_queue_and_who_still_waits_count_until_the_runs_end() -> None:
    """The average depth and the starvation do not end with the last item that moved."""
    made = recording("""
        0     a    begin
        0     b    begin
        0     a    put   left
        10    a    put   left
        20    a    get   left
        20    b    get?  empty
        100   a    end
    """)
    left, empty = (found(made).queues[thing] for thing in (0, 1))
    assert left.average_depth == pytest.approx((10 + 20 + 80) / 100)
    assert (empty.starved, empty.average_depth) == (80 * MS, -1)


def test_a_feeders_sends_are_no_messages_of_their_own() -> None:
    """What brings a process queue's messages through its pipe is counted once."""
    use = found(recording("0 a put q\n5 f send q\n10 b get q")).queues[0]
    assert (use.put, use.got) == (1, 1)


def test_a_connection_counts_bytes() -> None:
    """What was sent through a pipe, in bytes."""
    use = found(recording("0 a send c value=100 extra=1\n9 b receive c value=100 extra=1")).queues[
        0
    ]
    assert (use.put, use.got, use.sent_bytes, use.latency) == (1, 1, 100, 9 * MS)


@pytest.mark.parametrize("seed", SEEDS)
def test_holds_of_a_lock_never_overlap_and_sums_agree(seed: int) -> None:
    """Whatever was recorded: holds exclude each other, waits add up, and no blame exceeds them."""
    made = random_recording(random.Random(seed))
    waits = waits_of(made)
    contention = contention_of(made, waits)
    assert sum(use.waited for use in contention.locks.values()) == sum(
        wait.ended - wait.began for own in waits for wait in own if wait.kind == Kind.ACQUIRE
    )
    for thing, holds in contention.holds.items():
        for before, after in pairwise(holds):
            assert before.began <= before.ended <= after.began
        use = contention.locks[thing]
        assert use.worst_blocked <= use.waited
        assert use.held == sum(hold.ended - hold.began for hold in holds) <= made.duration


def test_who_waited_and_got_nothing_had_to_wait() -> None:
    """A time-out and an open wait are waits; a try that comes back at once is none."""
    made = recording("""
        0      a  acquire  lock
        1      b  acquire? lock
        1-11   b  acquire  lock in vain
        20     b  acquire  lock in vain
        30     c  acquire? lock
        40     a  end
    """)
    use = contention_of(made, waits_of(made)).locks[0]
    assert (use.acquired, use.in_vain, use.contended) == (1, 3, 2)
    assert use.contended_share == 2 / 4
    assert use.waited == 20 * MS


@pytest.mark.parametrize("seed", SEEDS)
def test_time_was_waited_where_somebody_had_to_wait(seed: int) -> None:
    """Whatever was recorded: both columns say that there was a wait, or neither does."""
    made = random_recording(random.Random(seed))
    for use in contention_of(made, waits_of(made)).locks.values():
        assert bool(use.contended) >= bool(use.waited)
        assert 0 <= use.contended <= use.asked

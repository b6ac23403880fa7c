"""The chain of work and waits that made a run as long as it was."""

from __future__ import annotations

import random

import pytest

from parallel_cookbook.trace.critical_path import Deeds, critical_path, shares_of
from parallel_cookbook.trace.states import states_of
from random_recordings import random_recording
from recordings import MS, recording

SEEDS = range(60)


def path(text: str, **options: float) -> list[tuple[str, float, float, str]]:
    """Return the pieces: whose, from and to in milliseconds, and what."""
    made = recording(text, **options)  # type: ignore[arg-type]
    return [
        (made.tasks[piece.task].name, piece.begin / MS, piece.end / MS, piece.what)
        for piece in critical_path(made, states_of(made), Deeds(made)).pieces
    ]


def test_who_joins_is_as_late_as_who_is_joined() -> None:
    """The path leads from the main task's join into the thread that it waited for, not into the quicker."""
    assert path("""
        0       main  begin
        10      main  start slow
        12      slow  begin main
        20      main  start quick
        20      quick begin main
        30      quick end
        25-35   main  join quick
        80      slow  end
        35-85   main  join slow
        100     main  end
    """) == [
        ("main", 0, 10, "running"),
        ("slow", 10, 12, "start"),
        ("slow", 12, 80, "running"),
        ("main", 80, 85, "hand-over"),
        ("main", 85, 100, "running"),
    ]


def test_who_waits_for_a_lock_is_as_late_as_its_holder() -> None:
    """The path leads from a lock's new holder to its old one."""
    assert path("""
        0      main  begin
        0      main  acquire lock @1
        5      main  start  a
        5      a     begin  main
        60     main  release lock
        10-62  a     acquire lock @9
        70     main  end
        90     a     end
    """) == [
        ("main", 0, 60, "running"),
        ("a", 60, 62, "hand-over"),
        ("a", 62, 90, "running"),
    ]


def test_a_message_brings_the_path_to_its_sender() -> None:
    """Who got a message late was late because of who put that message, not of who put last."""
    assert path("""
        0      p  begin
        0      o  begin
        0      c  begin
        30     p  put q extra=1
        31     o  put q extra=2
        5-32   c  get q extra=1
        40     p  end
        45     o  end
        50     c  end
    """) == [
        ("p", 0, 30, "running"),
        ("c", 30, 32, "hand-over"),
        ("c", 32, 50, "running"),
    ]


def test_a_get_that_was_noted_just_before_its_put_leads_to_it_all_the_same() -> None:
    """A put is noted when it is done, which may be after somebody has got the item."""
    assert path("""
        0      p  begin
        0      c  begin
        31     p  put q extra=1
        5-30   c  get q extra=1
        40     p  end
        50     c  end
    """) == [("p", 0, 30, "running"), ("c", 30, 50, "running")]


def test_a_sleep_is_on_the_path_itself() -> None:
    """Nobody ends a sleep."""
    assert path("0 main begin\n10-70 main sleep\n80 main end") == [
        ("main", 0, 10, "running"),
        ("main", 10, 70, "sleeping"),
        ("main", 70, 80, "running"),
    ]


def test_a_barrier_waits_for_the_last() -> None:
    """The path goes to who arrived last."""
    assert path("""
        0      a  begin
        0      b  begin
        40     b  barrier x
        10-41  a  barrier x
        60     a  end
        50     b  end
    """) == [("b", 0, 40, "running"), ("a", 40, 41, "hand-over"), ("a", 41, 60, "running")]


def test_a_result_comes_from_the_worker_that_did_the_work() -> None:
    """The path leads from who waits for a result into the worker's piece of work."""
    assert path("""
        0      main  begin
        5      main  start w/w
        10     w/w   begin main
        12-50  w/w   work pool extra=3
        20-55  main  result pool extra=3
        60     main  end
    """) == [
        ("main", 0, 5, "running"),
        ("w", 5, 10, "start"),
        ("w", 10, 12, "idle"),
        ("w", 12, 50, "running"),
        ("main", 50, 55, "hand-over"),
        ("main", 55, 60, "running"),
    ]


def test_shares_add_up_by_task_and_state() -> None:
    """The largest share comes first."""
    made = recording("0 main begin\n10-70 main sleep\n80 main end")
    pieces = critical_path(made, states_of(made), Deeds(made)).pieces
    assert list(shares_of(pieces).items()) == [
        ((0, "sleeping"), 60 * MS),
        ((0, "running"), 20 * MS),
    ]


def test_two_that_end_each_others_waits_at_once_do_not_hold_it_up() -> None:
    """A put and a get that are said to have let each other go on, at the same moment, lead nowhere."""
    assert path("0 a begin\n0 b begin\n5-10 a put q\n5-10 b get q\n20 b end\n20 a end")[0][1] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_paths_length_is_the_runs_duration(seed: int) -> None:
    """Whatever was recorded: the pieces follow each other without a gap, from 0 to the end."""
    made = random_recording(random.Random(seed))
    pieces = critical_path(made, states_of(made), Deeds(made)).pieces
    moment = 0
    for piece in pieces:
        assert piece.begin == moment < piece.end
        moment = piece.end
    assert moment == made.duration
    assert sum(shares_of(pieces).values()) == made.duration

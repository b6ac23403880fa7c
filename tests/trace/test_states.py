"""What each task did at every moment, told from records and samples."""

from __future__ import annotations

import random

import pytest

from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.states import State, states_of
from parallel_cookbook.trace.waits import life_of, waits_of
from random_recordings import random_recording
from recordings import MS, recording

SEEDS = range(60)


def shown(text: str, **options: float) -> dict[str, list[tuple[float, float, str]]]:
    """Return by task's name its stretches, in milliseconds."""
    made = recording(text, **options)  # type: ignore[arg-type]
    return {
        task.name: [(s.begin / MS, s.end / MS, str(s.state)) for s in stretches]
        for task, stretches in zip(made.tasks, states_of(made), strict=True)
    }


def test_a_task_runs_but_where_it_waits() -> None:
    """What lies between waits is running, in the absence of samples."""
    assert shown("""
        0      main  begin
        10-30  main  acquire  lock
        40-60  main  sleep
        100    main  end
    """) == {
        "main": [
            (0, 10, "running"),
            (10, 30, "blocked"),
            (30, 40, "running"),
            (40, 60, "sleeping"),
            (60, 100, "running"),
        ]
    }


def test_a_request_without_outcome_lasts_to_the_end() -> None:
    """Who never came back is blocked until the recording ends."""
    text = """
        0   main  begin
        10  main  acquire?  lock
        50  a     begin
    """
    assert shown(text)["main"] == [(0, 10, "running"), (10, 50, "blocked")]
    [wait] = waits_of(recording(text))[0]
    assert (wait.is_open, wait.is_endless, wait.succeeded) == (True, True, False)


def test_a_request_with_a_time_out_is_not_endless() -> None:
    """A request whose result is False says that it has a time-out."""
    [wait] = waits_of(recording("0 main begin\n10 main get? q in vain\n50 a begin"))[0]
    assert (wait.is_open, wait.is_endless) == (True, False)


def test_a_request_that_an_exception_ended_lasts_to_the_next_record() -> None:
    """A request that was never answered, but whose task went on, ended at the latest then."""
    assert shown("""
        0   main  begin
        10  main  acquire?  lock
        30  main  release   other
        50  main  end
    """)["main"] == [(0, 10, "running"), (10, 30, "blocked"), (30, 50, "running")]


def test_of_nested_waits_the_outermost_counts() -> None:
    """A condition's wait contains that for its lock, which is no wait of its own."""
    made = recording("""
        0      main  begin
        10     main  wait?     changed
        10     main  release   lock
        20     main  acquire?  lock
        20-40  main  acquire   lock
        10-40  main  wait      changed
        50     main  end
    """)
    assert [(w.kind, w.began / MS, w.ended / MS) for w in waits_of(made)[0]] == [
        (Kind.WAIT, 10, 40)
    ]


def test_a_wait_that_gave_its_lock_back_is_open_still() -> None:
    """A condition's wait releases its lock within it, and has not ended by that."""
    assert shown("""
        0   main  begin
        10  main  wait? changed
        10  main  release lock
        50  a     begin
    """)["main"] == [(0, 10, "running"), (10, 50, "blocked")]


def test_who_was_woken_and_cannot_have_the_lock_waits_for_the_lock() -> None:
    """The last thing that a task asked for is what it is stuck at."""
    waits = waits_of(
        recording("""
            0   main  begin
            10  main  wait? changed
            10  main  release lock
            20  main  acquire? lock
            50  a     begin
        """)
    )[0]
    assert [(w.kind, w.began / MS, w.ended / MS, w.is_open) for w in waits] == [
        (Kind.WAIT, 10, 20, False),
        (Kind.ACQUIRE, 20, 50, True),
    ]


def test_a_killed_process_ends_its_tasks() -> None:
    """What was not seen to end lives as long as its process, not as the run."""
    assert shown("""
        0   main   begin
        5   w/w    begin main
        10  w/w    acquire? lock
        killed w at 30 with -9
        80  main   end
    """)["w"] == [(5, 10, "running"), (10, 30, "blocked")]


def test_cpu_time_tells_running_from_waiting_for_the_gil() -> None:
    """Two threads that compute share the interpreter: each runs half of the time and waits half."""
    assert shown("""
        0    a  begin
        0    b  begin
        100  a  sample value=50000000 extra=0
        100  b  sample value=50000000 extra=0
        100  a  end
        100  b  end
    """) == {
        "a": [(0, 50, "gil"), (50, 100, "running")],
        "b": [(0, 50, "gil"), (50, 100, "running")],
    }


def test_who_is_alone_cannot_wait_for_the_gil() -> None:
    """Where no other thread of the process used the CPU, time without CPU is unknown."""
    assert shown("""
        0    a    begin
        0    p/p  begin
        100  a    sample value=20000000 extra=0
        100  p/p  sample value=90000000 extra=0
        100  a    end
        100  p/p  end
    """)["a"] == [(0, 80, "unknown"), (80, 100, "running")]


def test_delay_by_the_system_is_no_wait_for_the_gil() -> None:
    """What the system says it kept a thread from a processor is told apart."""
    assert shown("""
        0    a  begin
        0    b  begin
        100  a  sample value=50000000 extra=20000000
        100  b  sample value=50000000 extra=0
        100  a  end
        100  b  end
    """)["a"] == [(0, 30, "gil"), (30, 50, "ready"), (50, 100, "running")]


def test_time_blocked_between_samples_is_not_divided() -> None:
    """Only what a task did not wait for anything recorded is divided by its CPU time."""
    assert shown("""
        0      a  begin
        0      b  begin
        20-80  a  acquire lock
        100    a  sample value=30000000 extra=0
        100    b  sample value=70000000 extra=0
        100    a  end
        100    b  end
    """)["a"] == [
        (0, 10, "gil"),
        (10, 20, "running"),
        (20, 80, "blocked"),
        (80, 100, "running"),
    ]


def test_a_worker_without_work_is_idle_and_at_work_it_may_be_blocked() -> None:
    """The same wait is idleness between pieces of work, and blocking within one."""
    assert shown("""
        0      w/w  begin
        0-10   w/w  get   tasks
        15-20  w/w  acquire lock
        10-30  w/w  work  pool extra=1
        30-50  w/w  get   tasks
        50     w/w  end
    """)["w"] == [
        (0, 10, "idle"),
        (10, 15, "running"),
        (15, 20, "blocked"),
        (20, 30, "running"),
        (30, 50, "idle"),
    ]


def test_who_was_looked_at_and_did_nothing_waited_for_no_gil() -> None:
    """Without a new sample a thread did nothing, however much the others ran."""
    stretches = shown("""
        0    a  begin
        0    b  begin
        10   a  sample value=10000000 extra=0
        10   b  sample value=0 extra=0
        20   b  sample value=10000000 extra=0
        30   b  sample value=20000000 extra=0
        40   b  sample value=25000000 extra=0
        40   a  sample value=15000000 extra=0
        40   a  end
        40   b  end
    """)
    assert stretches["a"] == [
        (0, 10, "running"),
        (10, 30, "unknown"),
        (30, 35, "gil"),
        (35, 40, "running"),
    ]


def test_that_another_thread_begins_is_no_look_at_the_others() -> None:
    """A thread works from its begin on, though another that begins soon after has no CPU time yet either."""
    assert shown("""
        0    a  begin
        9    b  begin
        20   a  sample value=20000000 extra=0
        20   b  sample value=0 extra=0
        20   a  end
        20   b  end
    """)["a"] == [(0, 20, "running")]


def test_after_its_last_sample_a_thread_does_nothing_but_for_a_moment() -> None:
    """Who ran would have been seen soon; who ended may have run unseen for three looks."""
    assert shown("""
        0    a  begin
        10   a  sample value=10000000 extra=0
        100  a  end
    """)["a"] == [(0, 10, "running"), (10, 70, "unknown"), (70, 100, "running")]


def test_a_helper_without_anything_to_do_is_idle() -> None:
    """What a helper of the library waits for is work."""
    assert shown("""
        helper h
        0    h  begin
        10   h  sample value=10000000 extra=0
        100  h  end
    """)["h"] == [(0, 10, "running"), (10, 70, "idle"), (70, 100, "running")]


def test_a_worker_whose_waits_are_not_recorded_is_idle_all_the_same() -> None:
    """Outside of its pieces of work a worker has nothing to do."""
    assert shown("""
        0      w/w  begin
        10-30  w/w  work  pool extra=1
        40-60  w/w  work  pool extra=2
        70     w/w  end
    """)["w"] == [
        (0, 10, "idle"),
        (10, 30, "running"),
        (30, 40, "idle"),
        (40, 60, "running"),
        (60, 70, "idle"),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_stretches_make_up_a_tasks_life_exactly(seed: int) -> None:
    """Whatever was recorded: no gap, no overlap, nothing empty, and neighbours differ."""
    made = random_recording(random.Random(seed))
    for task, stretches in zip(made.tasks, states_of(made), strict=True):
        begin, end = life_of(made, task.index)
        assert sum(stretch.end - stretch.begin for stretch in stretches) == end - begin
        moment = begin
        for stretch in stretches:
            assert stretch.begin == moment < stretch.end
            if stretch.state != State.IDLE:
                is_waiting = stretch.state in {State.BLOCKED, State.SLEEPING}
                assert (stretch.wait is not None) == is_waiting
            moment = stretch.end
        assert moment == end

"""Who waits for whom in a run that does not go on, and the sentence that names the culprit."""

from __future__ import annotations

from parallel_cookbook.trace.contention import contention_of
from parallel_cookbook.trace.hang import Hang, hang_of
from parallel_cookbook.trace.hang_words import Diagnosis, diagnosis_of
from parallel_cookbook.trace.waits import waits_of
from recordings import recording


def told(text: str) -> tuple[Hang, Diagnosis]:
    made = recording(text)
    waits = waits_of(made)
    hang = hang_of(made, waits, contention_of(made, waits))
    return hang, diagnosis_of(made, hang)


AB_BA = """
    0   main  begin
    1   main  start a
    1   a     begin main
    2   main  start b
    2   b     begin main
    5   a     acquire  first @12
    6   b     acquire  second @22
    7   a     acquire? second @13
    8   b     acquire? first @23
    9   main  join? a @30
"""


def test_two_locks_in_two_orders() -> None:
    """The cycle is named with what each holds, since where, and what it waits for; main is doomed with it."""
    hang, diagnosis = told(AB_BA)
    assert hang.cycle == (1, 2)
    assert hang.doomed == {0, 1, 2}
    assert hang.is_standstill
    assert diagnosis.cycle == "a → b → a"
    assert diagnosis.headline == (
        "Deadlock: a holds first (taken at program.py:12) and waits at program.py:13 for lock second, "
        "held by b (taken at program.py:22); b holds second (taken at program.py:22) and waits at "
        "program.py:23 for lock first, held by a (taken at program.py:12)."
    )
    assert diagnosis.remedy == "Take second and first in the same order everywhere."


def test_a_third_who_goes_on_does_not_hide_a_deadlock() -> None:
    """Two that wait for each other's locks are lost, even if another one still works."""
    hang, _ = told(AB_BA + "\n 9 c begin main\n 20-30 c sleep")
    assert hang.doomed == {0, 1, 2}
    assert not hang.is_standstill


def test_a_time_out_is_no_deadlock() -> None:
    """If one of the two has a time-out, it will give up, and the other may go on."""
    hang, _ = told(AB_BA.replace("second @13", "second @13 in vain"))
    assert hang.doomed == frozenset()


def test_a_lock_taken_twice() -> None:
    """A cycle of one."""
    hang, diagnosis = told("""
        0  main  begin
        1  main  acquire lock @5
        2  main  acquire? lock @9
        3  main  sample
    """)
    assert hang.cycle == (0,)
    assert hang.doomed == {0}
    assert diagnosis.headline == (
        "Deadlock: main waits at program.py:9 for lock, held by itself (taken at program.py:5)."
    )
    assert "RLock" in diagnosis.remedy


def test_a_lock_taken_twice_may_be_a_signal_while_another_lives() -> None:
    """Who waits for a Lock that it took itself may wait for another task to release it."""
    text = """
        0   main  begin
        1   main  acquire done
        2   a     begin main
        3   main  acquire? done
        5-9 a     sleep
    """
    hang, _ = told(text)
    assert hang.doomed == frozenset()
    hang, _ = told("thing done rlock\n" + text)
    assert hang.doomed == frozenset({0})


def test_a_lock_that_others_give_back_is_a_signal() -> None:
    """Who waits for a Lock that another task once released for it may be helped again."""
    text = """
        0   main  begin
        0   a     begin main
        1   main  acquire lock
        2   a     release lock
        3   main  acquire lock
        4   main  acquire? lock
    """
    hang, _ = told(text)
    assert hang.doomed == frozenset()


def test_join_before_drain() -> None:
    """A process cannot end before its messages are read: the line with the join is to blame."""
    hang, diagnosis = told("""
        helper w/QueueFeederThread
        thing q queue
        0   main      begin
        1   main      start w/w
        2   w/w       begin main
        3   w/w       put q @10
        4   w/w       put q @10
        5   w/QueueFeederThread  begin w/w
        6   w/QueueFeederThread  send? q
        7   w/w       end
        8   main      join? w/w @20
        killed w at -1 with 0
    """)
    assert hang.is_standstill
    assert diagnosis.headline == (
        "main waits at program.py:20 for w to end, which cannot end before somebody takes the 2 items out of "
        "q: "
        "the pipe is full."
    )
    assert diagnosis.remedy == "Take everything out of q before the join at program.py:20."


def test_a_feeder_keeps_a_process_whose_code_has_ended() -> None:
    """The feeder's own wait in the pipe is not recorded; that it lives on is enough to know it."""
    hang, diagnosis = told("""
        helper w/QueueFeederThread
        thing q queue
        0   main      begin
        2   w/w       begin main
        3   w/w       put q @10
        5   w/QueueFeederThread  begin w/w
        7   w/w       end
        8   w/w       join? w/QueueFeederThread
        9   main      join? w/w @20
        killed w at -1 with 0
    """)
    assert hang.is_standstill
    assert "before somebody takes the 1 item out of q: the pipe is full" in diagnosis.headline


def test_a_pipe_that_is_full_both_ways() -> None:
    """Two that send and do not receive wait for each other."""
    hang, diagnosis = told("""
        0   main  begin
        1   w/w   begin main
        2   main  send c @10
        2   w/w   send c @20
        3   main  receive c @11
        3   w/w   receive c @21
        5   main  send? c @10
        6   w/w   send? c @20
    """)
    assert hang.cycle == (0, 1)
    assert diagnosis.headline == (
        "Deadlock, the pipe is full both ways: "
        "main waits at program.py:10 for room in connection c, to send; "
        "w waits at program.py:20 for room in connection c, to send."
    )


def test_a_forgotten_notify() -> None:
    """Nobody is left who could notify: and if somebody did too early, that is said."""
    hang, diagnosis = told("""
        0   main  begin
        0   a     begin main
        1   main  notify ready @20
        4   a     wait? ready @9
        5   main  join? a @21
    """)
    assert hang.is_standstill
    assert diagnosis.headline == (
        "a waits at program.py:9 to be notified by condition ready, and nobody is left who notifies it: main "
        "did at "
        "program.py:20, 3.00 ms before the wait began."
    )


def test_an_event_that_nobody_sets() -> None:
    """Nobody ever set it."""
    _, diagnosis = told("thing e event\n0 main begin\n1 main wait? e @3\n2 main sample")
    assert diagnosis.headline == (
        "main waits at program.py:3 for event e to be set, and nobody ever sets it."
    )


def test_a_pools_worker_that_was_killed() -> None:
    """The worker, the signal, and the line that waits for ever."""
    _, diagnosis = told("""
        0   main  begin
        1   w/w   begin main
        2   main  submit pool @7 extra=1
        3   w/w   work? pool extra=1
        4   w/w   acquire lock @12
        3   main  result? pool @8 extra=1
        killed w at 5 with -9
        90  main  sample
    """)
    assert diagnosis.headline == (
        "w was killed by SIGKILL in the midst of a piece of work at program.py:12, and main waits at "
        "program.py:8 for the result, which never comes."
    )
    assert "ProcessPoolExecutor" in diagnosis.remedy


def test_a_lock_whose_holder_was_killed() -> None:
    """Who took it where, and died with it."""
    hang, diagnosis = told("""
        0   main  begin
        1   w/w   begin main
        2   w/w   acquire lock @12
        3   main  acquire? lock @20
        killed w at 5 with -9
        6   main  sample
    """)
    assert hang.doomed == {0}
    assert diagnosis.headline == (
        "w was killed by SIGKILL with lock in its hands (taken at program.py:12), and main waits for it at "
        "program.py:20."
    )


def test_a_get_without_a_producer() -> None:
    """Nobody is left who puts anything in; who was the last is said."""
    _, diagnosis = told("""
        0    main  begin
        0    p     begin main
        1    p     put q @5
        2    p     end
        2    main  get q @9
        3    main  get? q @9
        4    main  sample
    """)
    assert diagnosis.headline == (
        "main waits at program.py:9 for an item in queue q, and nobody is left who "
        "puts anything in; p was the last at program.py:5."
    )


def test_a_barrier_that_lacks_one() -> None:
    """How many have arrived, of how many."""
    _, diagnosis = told("""
        thing b barrier 3
        0   main  begin
        0   a     begin main
        1   a     barrier? b @4
        2   main  barrier? b @8
        3   main  sample
    """)
    assert diagnosis.headline.startswith(
        "main waits at program.py:8 at barrier b for the others: 2 of 3 have arrived"
    )


def test_a_semaphores_places_and_who_holds_them() -> None:
    """All holders are named; any of them could help."""
    hang, diagnosis = told("""
        thing s semaphore 2
        0   main  begin
        0   a     begin main
        0   b     begin main
        1   a     acquire s @4
        1   b     acquire s @4
        2   main  acquire? s @9
        5-9   a     sleep
    """)
    assert hang.doomed == frozenset()
    assert diagnosis.lines == (
        (0, "main waits at program.py:9 for semaphore s, whose places are held by a and b"),
    )


def test_a_program_that_only_computes_is_no_deadlock() -> None:
    """Nobody waits: that is said, and no cause is made up."""
    hang, diagnosis = told("0 main begin\n50 main sample")
    assert (hang.stuck, hang.doomed) == ((), frozenset())
    assert "Nobody waits" in diagnosis.headline


def test_a_worker_that_may_yet_begin_is_hope() -> None:
    """A worker without work may be in its initializer: who waits for a result is not lost."""
    hang, _ = told("""
        0   main  begin
        1   w/SpawnPoolWorker-1   begin main
        3   main  result? pool @8 extra=1
        90  main  sample
    """)
    assert hang.doomed == frozenset()


def test_a_helper_that_is_no_servant_is_hope() -> None:
    """A thread that the library started for a connection may set the event."""
    hang, _ = told("""
        helper Thread-7
        0   main  begin
        1   Thread-7   begin main
        3   main  wait? event @8
        90  main  sample
    """)
    assert hang.doomed == frozenset()


def test_the_servants_of_a_pool_are_no_hope() -> None:
    """They do what they are asked to, and nobody is left to ask."""
    hang, _ = told("""
        thing event event
        helper Thread-7(_handle_tasks)
        0   main  begin
        1   Thread-7(_handle_tasks)   begin main
        3   main  wait? event @8
        90  main  sample
    """)
    assert hang.doomed == {0}
    assert hang.is_standstill

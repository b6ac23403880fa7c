"""Thread, Timer, local, `_thread` and virtual time under exhaustive search."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from exploring import Claim, Claims, Modules, agree

programs = Claims()


@programs(2, "finished True", "finished False")
def is_alive(m: Modules) -> object:
    """A thread that was started may have ended at once."""
    thread = m.threading.Thread()
    thread.start()
    return thread.is_alive()


@programs(1, "finished [True, False]")
def join_and_is_alive(m: Modules) -> object:
    """After a join it has ended."""
    event = m.threading.Event()
    thread = m.threading.Thread(target=event.set)
    thread.start()
    thread.join()
    return [event.is_set(), thread.is_alive()]


@programs(None, "finished [True, True]", "finished [True, False]", "finished [False, False]")
def a_timed_join(m: Modules) -> object:
    """It returns when the thread has ended, or before that."""
    thread = m.threading.Thread()
    thread.start()
    thread.join(1)
    return [thread.is_alive(), thread.is_alive()]


@programs(None, "finished [None, 'RuntimeError']", "finished [None, None]")
def joining_before_the_start(m: Modules) -> object:
    """A thread that somebody else starts may not have been started yet."""
    other = m.threading.Thread()
    return m.together(other.start, other.join)


@programs(None, "finished ['RuntimeError', None]", "finished [None, 'RuntimeError']")
def starting_twice(m: Modules) -> object:
    """A thread starts once."""
    other = m.threading.Thread()
    return m.together(other.start, other.start)


@programs(None, "finished 1", "finished 2", "finished 3")
def counting_threads(m: Modules) -> object:
    """How many are alive depends on who has ended."""
    for _ in range(2):
        m.threading.Thread().start()
    return m.threading.active_count()


@programs(None, "finished [[1, None], 1]", "finished [[2, None], 1]", "finished [[3, None], 1]")
def counting_threads_that_others_start(m: Modules) -> object:
    """A count conflicts with a start in another thread."""

    def start() -> None:
        thread = m.threading.Thread()
        thread.start()
        thread.join()

    results = m.together(m.threading.active_count, start)
    return [results, m.threading.active_count()]


@programs(None, "finished 0", "finished 1")
def a_daemon_is_cut_off(m: Modules) -> object:
    """The program may end at any of a daemon's steps."""
    event = m.threading.Event()
    m.threading.Thread(target=event.set, daemon=True).start()
    return int(event.is_set())


@programs(None, "finished None T1: KeyError")
def an_uncaught_exception(m: Modules) -> object:
    """It is reported to the kernel with its thread."""

    def fail() -> None:
        raise KeyError

    thread = m.threading.Thread(target=fail, name="T1")
    thread.start()
    with contextlib.redirect_stderr(io.StringIO()) as printed:
        thread.join()
    assert printed.getvalue().startswith(
        "Exception in thread T1:\nTraceback (most recent call last)"
    )
    return None


@programs(None, "finished ['KeyError', 'T1']")
def an_excepthook_of_the_programs_own(m: Modules) -> object:
    """It handles the exception, and the kernel hears nothing."""
    seen: list[str] = []
    vars(m.threading)["excepthook"] = lambda args: seen.extend(
        [args.exc_type.__name__, args.thread.name]
    )

    def fail() -> None:
        raise KeyError

    thread = m.threading.Thread(target=fail, name="T1")
    thread.start()
    thread.join()
    return seen


@programs(1, "finished None")
def a_quiet_exit(m: Modules) -> object:
    """SystemExit ends a thread without a word."""
    thread = m.threading.Thread(target=m._thread.exit)
    thread.start()
    thread.join()
    return None


@programs(1, "finished ['Thread-1 (f)', 'Thread-2', 'Thread-1.1', 'MainThread']")
def names(m: Modules) -> object:
    """Each task counts the threads that it creates."""
    found: list[str] = []

    def f() -> None:
        found.append(m.threading.Thread().name)

    first, second = m.threading.Thread(target=f), m.threading.Thread()
    first.start()
    first.join()
    return [first.name, second.name, *found, m.threading.current_thread().name]


# --- Timer --------------------------------------------------------------------------------------


@programs(None, "finished False", "finished True")
def a_cancelled_timer(m: Modules) -> object:
    """The cancel comes in time, or not."""
    called = m.threading.Event()
    timer = m.threading.Timer(5, called.set)
    timer.start()
    timer.cancel()
    timer.join()
    return called.is_set()


@programs(1, "finished True")
def a_timer(m: Modules) -> object:
    """It calls its function."""
    called = m.threading.Event()
    timer = m.threading.Timer(5, called.set)
    timer.start()
    timer.join()
    return called.is_set()


# --- local --------------------------------------------------------------------------------------


@programs(1, "finished [[['x'], 0], [['x'], 1], False]")
def thread_local_data(m: Modules) -> object:
    """Each task has its own attributes, and its own `__init__`; there is nothing to order."""

    class Own(m.threading.local):  # type: ignore[misc, name-defined]
        def __init__(self, items: list[str]) -> None:
            self.items = list(items)

    data: Any = Own([])

    def use(number: int) -> object:
        data.items.append("x")
        data.number = number
        return [data.items, data.number]

    results = m.together(lambda: use(0), lambda: use(1))
    del data.number
    return [*results, hasattr(data, "number")]


# --- _thread ------------------------------------------------------------------------------------


@programs(None, "finished [1]", "finished []")
def a_raw_thread_is_not_waited_for(m: Modules) -> object:
    """The program can end before it has done anything."""
    done: list[int] = []
    lock = m._thread.allocate_lock()

    def work() -> None:
        with lock:
            done.append(1)

    m._thread.start_new_thread(work, ())
    with lock:
        return list(done)


# --- time ---------------------------------------------------------------------------------------


@programs(1, "finished [None, None, None]")
def three_sleepers(m: Modules) -> object:
    """Sleeps do not conflict."""
    sleep = m.time.sleep
    return m.together(lambda: sleep(1), lambda: sleep(2), lambda: sleep(3))


@programs(2, "finished [False, None]", "finished [True, None]")
def a_sleep_beside_who_reads_the_clock(m: Modules) -> object:
    """It comes before or after."""
    return m.together(lambda: m.time.monotonic() >= 1, lambda: m.time.sleep(1))


@programs(None, "finished [False, None]", "finished [True, None]")
def sleeping_is_no_synchronisation(m: Modules) -> object:
    """However long one sleeps, the other may not have come yet."""
    event = m.threading.Event()

    def late() -> object:
        m.time.sleep(100)
        return event.is_set()

    return m.together(late, event.set)


@programs(None)
def an_expired_time_out_moves_the_clock(m: Modules) -> object:
    """Who reads the clock can tell."""
    event = m.threading.Event()
    return m.together(lambda: event.wait(3), event.set, lambda: round(m.time.perf_counter()))


@programs.parametrize()
def test_dfs_and_dpor_find_the_same(claim: Claim) -> None:
    """Both searches find the claimed outcomes, DPOR in the claimed number of executions."""
    claim.check()


def test_a_loop_that_waits_for_the_clock_ends() -> None:
    """Each look takes time, the longer the more often it is repeated."""

    def program(m: Modules) -> object:
        start = m.time.time()
        looks = 0
        while m.time.time() < start + 60:
            looks += 1
        return looks < 200

    assert agree(program).outcomes == {"finished True"}

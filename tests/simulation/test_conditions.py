"""Condition and Event under exhaustive search."""

from __future__ import annotations

from collections import deque
from typing import Any

from exploring import Claim, Claims, Modules

programs = Claims()


@programs(2, "deadlock", "finished [None, None]")
def a_lost_wake_up(m: Modules) -> object:
    """A notify that nobody waits for is lost, and the waiter waits for ever."""
    condition = m.threading.Condition()

    def wait() -> None:
        with condition:
            condition.wait()

    def notify() -> None:
        with condition:
            condition.notify()

    return m.together(wait, notify)


@programs(2, "finished [True, None]")
def a_wait_that_checks(m: Modules) -> object:
    """With a predicate, both orders are right."""
    condition = m.threading.Condition()
    flag: list[bool] = []

    def wait() -> object:
        with condition:
            return condition.wait_for(lambda: bool(flag))

    def notify() -> None:
        with condition:
            flag.append(True)
            condition.notify()

    return m.together(wait, notify)


@programs(None, "finished [True, None]", "finished [False, None]")
def a_timed_wait(m: Modules) -> object:
    """It is notified in time, or not."""
    condition = m.threading.Condition()

    def wait() -> object:
        with condition:
            return condition.wait(1)

    def notify() -> None:
        with condition:
            condition.notify()

    return m.together(wait, notify)


@programs(
    None,
    "finished [True, False, None]",
    "finished [False, True, None]",
    "finished [False, False, None]",
)
def a_notify_that_is_lost_on_a_timed_out_waiter(m: Modules) -> object:
    """One that has timed out can still swallow the notify that another waits for."""
    condition = m.threading.Condition(m.threading.Lock())

    def wait() -> object:
        with condition:
            return condition.wait(1)

    def notify() -> None:
        with condition:
            condition.notify()

    return m.together(wait, wait, notify)


@programs(None, "deadlock", "finished [False, None, None]")
def a_timed_out_waiter_takes_the_notify_of_one_without_time_out(m: Modules) -> object:
    """The same, and so the other one waits for ever; it does not if the notify is its own."""
    condition = m.threading.Condition()

    def wait(timeout: float | None) -> object:
        with condition:
            return condition.wait(timeout) if timeout else condition.wait() and None

    def notify() -> None:
        with condition:
            condition.notify()

    return m.together(lambda: wait(1), lambda: wait(None), notify)


@programs(None, "deadlock", "finished [None, None, [0, 1]]", "finished [None, None, [1, 0]]")
def waiters_are_woken_in_the_order_of_their_coming(m: Modules) -> object:
    """Each notify wakes the one that has waited longest."""
    condition = m.threading.Condition()
    arrived: list[int] = []
    woken: list[int] = []

    def wait(number: int) -> None:
        with condition:
            arrived.append(number)
            condition.wait()
            woken.append(number)
            assert woken[0] == arrived[0]
            condition.notify()

    def notify() -> object:
        with condition:
            condition.notify()
        return woken if len(arrived) < 2 else arrived

    def main() -> object:
        results = m.together(lambda: wait(0), lambda: wait(1), notify)
        return [None, None, arrived] if results else None

    return main()


@programs(None, "deadlock", "finished [None, None, None]")
def notify_all_wakes_all_that_wait(m: Modules) -> object:
    """And none of those who come later."""
    condition = m.threading.Condition()

    def wait() -> None:
        with condition:
            condition.wait()

    def notify() -> None:
        with condition:
            condition.notify_all()

    return m.together(wait, wait, notify)


@programs(1, "finished ['RuntimeError', 'RuntimeError']")
def without_the_lock(m: Modules) -> object:
    """Nothing can be done without the lock."""
    condition = m.threading.Condition()
    return m.together(condition.wait, condition.notify)


@programs(None, "finished ['RuntimeError', None]", "finished [None, None]")
def a_notify_while_somebody_else_holds_a_plain_lock(m: Modules) -> object:
    """CPython only looks whether a Lock is held by anybody."""
    lock = m.threading.Lock()
    condition = m.threading.Condition(lock)

    def hold() -> None:
        with lock:
            pass

    return m.together(condition.notify, hold)


@programs(None, "deadlock", "finished [None, None, None]")
def a_notify_without_the_lock_and_a_waiter(m: Modules) -> object:
    """A notify that only profits from another holder can wake or miss the waiter."""
    lock = m.threading.Lock()
    condition = m.threading.Condition(lock)

    def wait() -> None:
        with condition:
            condition.wait()

    def hold() -> None:
        with lock:
            pass

    return m.together(wait, condition.notify, hold)


@programs(None, "finished [[0], None]")
def a_bounded_buffer(m: Modules) -> object:
    """Two conditions on one lock."""
    lock = m.threading.Lock()
    not_empty, not_full = m.threading.Condition(lock), m.threading.Condition(lock)
    items: deque[int] = deque()

    def get() -> object:
        with not_empty:
            while not items:
                not_empty.wait()
            got = [items.popleft()]
            not_full.notify()
            return got

    def put() -> None:
        with not_full:
            while items:
                not_full.wait()
            items.append(0)
            not_empty.notify()

    return m.together(get, put)


@programs(None, "deadlock", "finished [None, None]")
def a_condition_on_a_lock_of_the_programs_own(m: Modules) -> object:
    """Anything with acquire and release will do."""

    class Own:
        def __init__(self) -> None:
            self.lock: Any = m.threading.Lock()
            self.acquire = self.lock.acquire
            self.release = self.lock.release

        def __enter__(self) -> object:
            return self.acquire()

        def __exit__(self, *_error: object) -> None:
            self.release()

    condition = m.threading.Condition(Own())

    def wait() -> None:
        with condition:
            condition.wait()

    def notify() -> None:
        with condition:
            condition.notify()

    return m.together(wait, notify)


@programs(None, "finished [True, None]", "finished [False, None]")
def a_timed_wait_for(m: Modules) -> object:
    """The time can be up before the predicate comes true."""
    condition = m.threading.Condition()
    flag: list[bool] = []

    def wait() -> object:
        with condition:
            return condition.wait_for(lambda: bool(flag), 1)

    def notify() -> None:
        with condition:
            flag.append(True)
            condition.notify()

    return m.together(wait, notify)


# --- Event --------------------------------------------------------------------------------------


@programs(1, "finished [True, True, None]")
def two_waits_for_one_set(m: Modules) -> object:
    """Waits do not conflict with one another, nor with the set that they need."""
    event = m.threading.Event()
    return m.together(event.wait, event.wait, event.set)


@programs(None, "deadlock", "finished [True, None]")
def set_and_clear(m: Modules) -> object:
    """A wait comes between them, or waits for ever."""
    event = m.threading.Event()

    def pulse() -> None:
        event.set()
        event.clear()

    return m.together(event.wait, pulse)


@programs(2, "finished [True, None]", "finished [False, None]")
def a_timed_wait_for_an_event(m: Modules) -> object:
    """The event is set in time, or not."""
    event = m.threading.Event()
    return m.together(lambda: event.wait(2), event.set)


@programs(None, "finished [True, None]", "finished [False, None]")
def a_look_at_an_event(m: Modules) -> object:
    """It comes before the set or after."""
    event = m.threading.Event()
    return m.together(event.is_set, event.set)


@programs(2, "finished [None, None, True]", "finished [None, None, False]")
def two_setters_and_a_clear(m: Modules) -> object:
    """The last of set and clear counts."""
    event = m.threading.Event()
    m.together(event.set, event.clear)
    return [None, None, event.is_set()]


@programs(1, "finished [False, False, False]")
def looks_at_an_event(m: Modules) -> object:
    """Looks and expired time-outs do not conflict."""
    event = m.threading.Event()
    return m.together(event.is_set, lambda: event.wait(1), lambda: event.wait(1))


@programs.parametrize()
def test_dfs_and_dpor_find_the_same(claim: Claim) -> None:
    """Both searches find the claimed outcomes, DPOR in the claimed number of executions."""
    claim.check()

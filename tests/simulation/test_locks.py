"""Lock and RLock under exhaustive search."""

from __future__ import annotations

from exploring import Claim, Claims, Modules, explore
from parallel_cookbook.strategies.dpor import Dpor

programs = Claims()


@programs(6, "finished 3")
def three_tasks_with_one_locked_step(m: Modules) -> object:
    """One execution for each order in which three tasks can take a lock."""
    lock = m.threading.Lock()
    total = [0]

    def add() -> None:
        with lock:
            total[0] += 1

    m.together(add, add, add)
    return total[0]


@programs(6, "finished 4")
def two_tasks_with_two_locked_steps(m: Modules) -> object:
    """4! / (2! 2!) orders."""
    lock = m.threading.Lock()
    total = [0]

    def add() -> None:
        for _ in range(2):
            with lock:
                total[0] += 1

    m.together(add, add)
    return total[0]


@programs(3, "deadlock", "finished [None, None]")
def two_locks_in_two_orders(m: Modules) -> object:
    """Either task goes first, or both get stuck."""
    a, b = m.threading.Lock(), m.threading.Lock()

    def ab() -> None:
        with a, b:
            pass

    def ba() -> None:
        with b, a:
            pass

    return m.together(ab, ba)


@programs(None, "finished [True, False]", "finished [False, True]", "finished [True, True]")
def two_tries(m: Modules) -> object:
    """A try fails only while the other holds the lock."""
    lock = m.threading.Lock()

    def attempt() -> object:
        if lock.acquire(blocking=False):
            lock.release()
            return True
        return False

    return m.together(attempt, attempt)


@programs(3, "deadlock", "finished [None, True]", "finished [None, False]")
def a_try_and_a_holder(m: Modules) -> object:
    """The try comes before, and keeps the lock; or it comes while the other holds it; or after."""
    lock = m.threading.Lock()

    def hold() -> None:
        with lock:
            pass

    return m.together(hold, lambda: lock.acquire(blocking=False))


@programs(
    None,
    "finished [None, True, False]",
    "finished [None, False, True]",
    "finished [None, False, False]",
)
def two_timed_acquires_and_a_release(m: Modules) -> object:
    """A time-out can expire although the lock is given back at some time."""
    lock = m.threading.Lock()
    lock.acquire()
    return m.together(
        lock.release, lambda: lock.acquire(timeout=1), lambda: lock.acquire(timeout=1)
    )


@programs(
    None,
    "finished [None, 'RuntimeError']",
    "finished ['RuntimeError', None]",
)
def two_releases_of_one_acquire(m: Modules) -> object:
    """Anybody may release a lock, but only once."""
    lock = m.threading.Lock()
    lock.acquire()
    return m.together(lock.release, lock.release)


@programs(None, "finished [True, False]", "finished [True, True]")
def a_look_and_an_acquire(m: Modules) -> object:
    """`locked` tells before from after."""
    lock = m.threading.Lock()
    return m.together(lock.acquire, lock.locked)


@programs(1, "finished [False, False, False]")
def three_looks(m: Modules) -> object:
    """Looks do not conflict."""
    lock = m.threading.Lock()
    return m.together(lock.locked, lock.locked, lock.locked)


@programs(2, "finished 4")
def nested_rlocks(m: Modules) -> object:
    """Taking an RLock again is no step: as many executions as for one acquire each."""
    lock = m.threading.RLock()
    total = [0]

    def add() -> None:
        with lock:
            total[0] += 1
            with lock:
                total[0] += 1

    m.together(add, add)
    return total[0]


@programs(None, "finished [True, False]", "finished [True, True]")
def a_try_while_an_rlock_is_held_twice(m: Modules) -> object:
    """Another task's try fails until the last release."""
    lock = m.threading.RLock()

    def twice() -> object:
        with lock, lock:
            return lock.acquire(blocking=False) and not lock.release()

    def attempt() -> object:
        if lock.acquire(blocking=False):
            lock.release()
            return True
        return False

    return m.together(twice, attempt)


@programs(1, "finished ['RuntimeError', 'RuntimeError']")
def releases_of_an_rlock_of_somebody_else(m: Modules) -> object:
    """It is refused without a step, for nobody else can change the answer."""
    lock = m.threading.RLock()
    return m.together(lock.release, lock.release)


@programs(None, "finished [None, None, True]", "finished [None, None, False]")
def a_timed_rlock(m: Modules) -> object:
    """A time-out and two holders."""
    lock = m.threading.RLock()

    def hold() -> None:
        with lock:
            pass

    def attempt() -> object:
        if lock.acquire(timeout=0.5):
            lock.release()
            return True
        return False

    return m.together(hold, hold, attempt)


@programs(7)
def three_philosophers(m: Modules) -> object:
    """Six orders in which all eat, and one deadlock."""
    forks = [m.threading.Lock() for _ in range(3)]

    def eat(seat: int) -> None:
        with forks[seat], forks[(seat + 1) % 3]:
            pass

    return m.together(lambda: eat(0), lambda: eat(1), lambda: eat(2))


@programs.parametrize()
def test_dfs_and_dpor_find_the_same(claim: Claim) -> None:
    """Both searches find the claimed outcomes, DPOR in the claimed number of executions."""
    claim.check()


def test_k_locked_tasks_have_k_factorial_orders() -> None:
    """4! and 5! executions, none of them redundant."""
    for tasks, expected in ((4, 24), (5, 120)):

        def program(m: Modules, tasks: int = tasks) -> object:
            lock = m.threading.Lock()

            def use() -> None:
                with lock:
                    pass

            return m.together(*[use] * tasks)

        found = explore(program, Dpor(), 1000)
        assert (found.executions, found.redundant) == (expected, 0)

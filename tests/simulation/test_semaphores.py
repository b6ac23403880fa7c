"""Semaphore and BoundedSemaphore under exhaustive search."""

from __future__ import annotations

from exploring import Claim, Claims, Modules

programs = Claims()


@programs(6, "finished [None, None, None]")
def three_users_of_one_slot(m: Modules) -> object:
    """As many orders as with a lock."""
    semaphore = m.threading.Semaphore()

    def use() -> None:
        with semaphore:
            pass

    return m.together(use, use, use)


@programs(None, "finished 1", "finished 2")
def three_users_of_two_slots(m: Modules) -> object:
    """At most two are inside."""
    semaphore = m.threading.Semaphore(2)
    guard = m.threading.Lock()
    inside = [0, 0]

    def use() -> None:
        with semaphore:
            with guard:
                inside[0] += 1
                inside[1] = max(inside)
            with guard:
                inside[0] -= 1

    m.together(use, use)
    return inside[1]


@programs(1, "finished 2")
def two_releases(m: Modules) -> object:
    """Releases add up in any order: one execution is enough."""
    semaphore = m.threading.Semaphore(0)
    m.together(semaphore.release, semaphore.release)
    return semaphore._value


@programs(None, "deadlock", "finished [None, None]")
def a_signal_that_is_taken_twice(m: Modules) -> object:
    """One release lets one acquire through; the other needs the try to have failed."""
    semaphore = m.threading.Semaphore(0)

    def take() -> None:
        semaphore.acquire(blocking=False)
        semaphore.acquire()

    return m.together(take, semaphore.release)


@programs(None, "finished [None, True]", "finished [None, False]")
def a_timed_acquire(m: Modules) -> object:
    """It is in time or not."""
    semaphore = m.threading.Semaphore(0)
    return m.together(semaphore.release, lambda: semaphore.acquire(timeout=1))


@programs(
    None,
    "finished [None, None, 0]",
    "finished [None, None, 1]",
    "finished [None, None, 2]",
)
def looks_between_releases(m: Modules) -> object:
    """A look tells how many releases came before, though these do not conflict."""
    semaphore = m.threading.Semaphore(0)
    return m.together(semaphore.release, semaphore.release, lambda: semaphore._value)


@programs(
    None,
    "finished [None, None, True]",
    "finished [None, None, False]",
)
def a_try_beside_a_release_and_an_acquire(m: Modules) -> object:
    """The try gets the slot if it comes before the acquire, or after a release."""
    semaphore = m.threading.Semaphore(1)

    def use() -> None:
        with semaphore:
            pass

    def attempt() -> object:
        if semaphore.acquire(blocking=False):
            semaphore.release()
            return True
        return False

    return m.together(use, use, attempt)


@programs(2, "finished ['ValueError', None]", "finished [None, 'ValueError']")
def a_bounded_semaphore_released_too_often(m: Modules) -> object:
    """The second release is refused, whoever comes second."""
    semaphore = m.threading.BoundedSemaphore(1)
    semaphore.acquire()
    return m.together(semaphore.release, semaphore.release)


@programs(
    None,
    "finished ['ValueError', None]",
    "finished [None, 'ValueError']",
    "finished [None, None]",
)
def an_over_release_beside_a_user(m: Modules) -> object:
    """It is refused unless the user is inside, whose own release is then refused."""
    semaphore = m.threading.BoundedSemaphore(1)

    def use() -> None:
        with semaphore:
            pass
        semaphore.acquire()

    return m.together(semaphore.release, use)


@programs(None, "finished [None, None, None]")
def releasing_several_at_once(m: Modules) -> object:
    """One release lets two through."""
    semaphore = m.threading.Semaphore(0)

    def take() -> None:
        semaphore.acquire()

    return m.together(lambda: semaphore.release(2), take, take)


@programs(None)
def a_bounded_timed_pool(m: Modules) -> object:
    """Three tasks, two slots, time-outs: whatever comes out, both searches find it."""
    semaphore = m.threading.BoundedSemaphore(1)

    def use() -> object:
        if semaphore.acquire(timeout=1):
            semaphore.release()
            return True
        return False

    return m.together(use, use)


@programs.parametrize()
def test_dfs_and_dpor_find_the_same(claim: Claim) -> None:
    """Both searches find the claimed outcomes, DPOR in the claimed number of executions."""
    claim.check()

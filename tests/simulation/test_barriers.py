"""Barrier under exhaustive search."""

from __future__ import annotations

from exploring import Claim, Claims, Modules

programs = Claims()


@programs(2, "finished [0, 1]", "finished [1, 0]")
def two_tasks(m: Modules) -> object:
    """One execution for each order of arrival; who leaves first is nobody's business."""
    barrier = m.threading.Barrier(2)
    return m.together(barrier.wait, barrier.wait)


@programs(6)
def three_tasks(m: Modules) -> object:
    """3! orders of arrival."""
    barrier = m.threading.Barrier(3)
    return m.together(barrier.wait, barrier.wait, barrier.wait)


@programs(
    4,
    "finished [[0, 0], [1, 1]]",
    "finished [[0, 1], [1, 0]]",
    "finished [[1, 0], [0, 1]]",
    "finished [[1, 1], [0, 0]]",
)
def two_rounds(m: Modules) -> object:
    """A barrier is used again: 2! orders in each round."""
    barrier = m.threading.Barrier(2)

    def twice() -> object:
        return [barrier.wait(), barrier.wait()]

    return m.together(twice, twice)


@programs(
    None,
    "finished [0, 1]",
    "finished [1, 0]",
    "finished ['BrokenBarrierError', 'BrokenBarrierError']",
)
def a_timed_barrier(m: Modules) -> object:
    """If one gives up, the barrier is broken for all."""
    barrier = m.threading.Barrier(2, timeout=1)
    return m.together(barrier.wait, barrier.wait)


@programs(None, "finished ['BrokenBarrierError', None]")
def an_abort(m: Modules) -> object:
    """Who waits, and who comes later, learns that it is broken."""
    barrier = m.threading.Barrier(2)
    return m.together(barrier.wait, barrier.abort)


@programs(None, "deadlock", "finished ['BrokenBarrierError', None]")
def a_reset(m: Modules) -> object:
    """Who waits is sent away, who comes later waits."""
    barrier = m.threading.Barrier(2)
    return m.together(barrier.wait, barrier.reset)


@programs(None)
def an_abort_while_two_pass(m: Modules) -> object:
    """The abort may come before, between and after the arrivals, and before either has left."""
    barrier = m.threading.Barrier(2)
    return m.together(barrier.wait, barrier.wait, barrier.abort)


@programs(None)
def a_reset_while_two_pass(m: Modules) -> object:
    """The same for a reset."""
    barrier = m.threading.Barrier(2)
    return m.together(barrier.wait, barrier.wait, barrier.reset)


@programs(2, "finished [0, 1] 1", "finished [1, 0] 1")
def an_action(m: Modules) -> object:
    """It runs once, in the last to arrive, and nobody passes before."""
    done: list[int] = []
    lock = m.threading.Lock()

    def act() -> None:
        with lock:
            done.append(1)

    barrier = m.threading.Barrier(2, act)

    def wait() -> object:
        index = barrier.wait()
        assert done
        return index

    results = m.together(wait, wait)
    return f"{results} {len(done)}"


@programs(
    2, "finished ['BrokenBarrierError', 'KeyError']", "finished ['KeyError', 'BrokenBarrierError']"
)
def an_action_that_fails(m: Modules) -> object:
    """Its task gets the error, the others a broken barrier."""

    def act() -> None:
        raise KeyError

    barrier = m.threading.Barrier(2, act)
    return m.together(barrier.wait, barrier.wait)


@programs(None)
def an_action_and_a_time_out(m: Modules) -> object:
    """While the action runs, nobody's time is up."""
    lock = m.threading.Lock()

    def act() -> None:
        with lock:
            pass

    barrier = m.threading.Barrier(2, act, timeout=1)
    return m.together(barrier.wait, barrier.wait)


@programs(
    None, "finished [0, 1, 0]", "finished [1, 0, 0]", "finished [0, 1, 1]", "finished [1, 0, 1]"
)
def a_look_at_the_number_that_wait(m: Modules) -> object:
    """It is 0 or 1, and never 2."""
    barrier = m.threading.Barrier(2)
    return m.together(barrier.wait, barrier.wait, lambda: barrier.n_waiting)


@programs(None)
def a_late_comer_has_to_wait_until_the_barrier_has_drained(m: Modules) -> object:
    """A third task is left over, whichever it is, unless it gives up."""
    barrier = m.threading.Barrier(2)
    return m.together(barrier.wait, barrier.wait, lambda: barrier.wait(1))


@programs.parametrize()
def test_dfs_and_dpor_find_the_same(claim: Claim) -> None:
    """Both searches find the claimed outcomes, DPOR in the claimed number of executions."""
    claim.check()

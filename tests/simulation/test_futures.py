"""Future, wait, as_completed and ThreadPoolExecutor under exhaustive search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exploring import Claim, Claims, Modules
from parallel_cookbook.simulation import fresh_module

if TYPE_CHECKING:
    from types import ModuleType

programs = Claims()


def futures() -> ModuleType:
    return fresh_module("concurrent.futures")


@programs(1, "finished [1]")
def one_call(_m: Modules) -> object:
    """One worker, one call: there is one order."""
    with futures().ThreadPoolExecutor(1) as pool:
        return [pool.submit(pow, 2, 0).result()]


@programs(None, "finished 2", "finished 'late'")
def a_result_in_time(_m: Modules) -> object:
    """The result is waited for long enough or not."""
    with futures().ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(pow, 2, 1).result(timeout=1)
        except TimeoutError:
            return repr("late")


@programs(None, "finished True", "finished False")
def a_cancel(_m: Modules) -> object:
    """The second call is cancelled before a worker takes it up, or it is too late."""
    with futures().ThreadPoolExecutor(1) as pool:
        pool.submit(pow, 2, 1)
        return pool.submit(pow, 2, 2).cancel()


@programs(None, "finished [0, 1]", "finished [1, 0]")
def two_workers(m: Modules) -> object:
    """Calls in different workers come in either order."""
    order: list[int] = []
    lock = m.threading.Lock()

    def call(number: int) -> None:
        with lock:
            order.append(number)

    with futures().ThreadPoolExecutor(2) as pool:
        pool.submit(call, 0)
        pool.submit(call, 1)
    return order


@programs(None, "finished [0, 1]")
def one_worker_makes_calls_in_their_order(_m: Modules) -> object:
    """As they were submitted."""
    order: list[int] = []
    with futures().ThreadPoolExecutor(1) as pool:
        list(pool.map(order.append, [0, 1]))
    return order


@programs(None, "finished ['KeyError', 'RuntimeError']")
def errors(_m: Modules) -> object:
    """An exception is handed on; a pool that has been shut down refuses calls."""
    pool = futures().ThreadPoolExecutor(1)
    found = []
    try:
        pool.submit({}.__getitem__, 0).result()
    except KeyError as error:
        found.append(type(error).__name__)
    pool.shutdown()
    try:
        pool.submit(pow, 2, 1)
    except RuntimeError as error:
        found.append(type(error).__name__)
    return found


@programs(None, "finished 8")
def a_pool_that_nobody_shuts_down(_m: Modules) -> object:
    """Its threads end with the program."""
    pool = futures().ThreadPoolExecutor(1)
    return pool.submit(pow, 2, 3).result()


@programs(None, "finished 8")
def a_pool_that_is_dropped(_m: Modules) -> object:
    """Its threads end when nobody can submit any more."""
    return futures().ThreadPoolExecutor(1).submit(pow, 2, 3).result()


@programs(None, "deadlock")
def a_call_that_waits_for_another_in_the_same_pool(_m: Modules) -> object:
    """With one worker it never ends."""
    pool = futures().ThreadPoolExecutor(1)
    return pool.submit(lambda: pool.submit(pow, 2, 1).result()).result()


@programs(None, "finished 2")
def a_call_that_waits_for_another_worker(_m: Modules) -> object:
    """With two workers it does."""
    pool = futures().ThreadPoolExecutor(2)
    return pool.submit(lambda: pool.submit(pow, 2, 1).result()).result()


@programs(None, "finished [1, 2]", "finished [2, 1]")
def as_completed(m: Modules) -> object:
    """In the order in which they finish."""
    module = futures()
    a, b = module.Future(), module.Future()

    def collect() -> object:
        return [future.result() for future in module.as_completed([a, b])]

    return m.together(collect, lambda: a.set_result(1), lambda: b.set_result(2))[0]


@programs(None, "finished [1]", "finished [2]", "finished [1, 2]")
def wait_for_the_first(m: Modules) -> object:
    """One or both have finished when the wait returns."""
    module = futures()
    a, b = module.Future(), module.Future()

    def collect() -> object:
        done, _ = module.wait([a, b], return_when=module.FIRST_COMPLETED)
        return sorted(future.result() for future in done)

    return m.together(collect, lambda: a.set_result(1), lambda: b.set_result(2))[0]


@programs(1, "finished [2, 0]")
def wait_for_all(m: Modules) -> object:
    """One step, which no order can change."""
    module = futures()
    a, b = module.Future(), module.Future()

    def collect() -> object:
        return [len(futures) for futures in module.wait([a, b])]

    return m.together(collect, lambda: a.set_result(1), lambda: b.set_result(2))[0]


@programs(None, "finished [0, 2]", "finished [1, 1]", "finished [2, 0]")
def wait_for_a_while(m: Modules) -> object:
    """Any number may have finished when the time is up."""
    module = futures()
    a, b = module.Future(), module.Future()

    def collect() -> object:
        return [len(futures) for futures in module.wait([a, b], 1)]

    return m.together(collect, lambda: a.set_result(1), lambda: b.set_result(2))[0]


@programs(2, "finished ['InvalidStateError', None]", "finished [None, 'InvalidStateError']")
def two_results(m: Modules) -> object:
    """A future is finished once."""
    future = futures().Future()
    return m.together(lambda: future.set_result(1), lambda: future.set_exception(KeyError()))


@programs.parametrize()
def test_dfs_and_dpor_find_the_same(claim: Claim) -> None:
    """Both searches find the claimed outcomes, DPOR in the claimed number of executions."""
    claim.check()

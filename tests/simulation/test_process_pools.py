"""Pools of processes: what they return, what they raise, and how many interleavings they have."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS = """
    import os
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import Pool
    from multiprocessing.pool import MaybeEncodingError, ThreadPool

    def square(number):
        return number * number

    def who(_number):
        return os.getpid()

    def die(number):
        if number:
            os._exit(1)
        return number

    def lambda_of(number):
        return lambda: number
"""


def check(folder: Path, body: str) -> CheckReport:
    """Check a program whose main does what `body` says."""
    file = folder / "program.py"
    main = 'if __name__ == "__main__":\n' + textwrap.indent(textwrap.dedent(body), "    ")
    file.write_text(f"{textwrap.dedent(FUNCTIONS)}\n{main}")
    return check_entry(Entry(file), target="program.py", strategy="dpor", budget=Budget(None, 60))


def outputs(report: CheckReport) -> set[str]:
    """Return what the program can print, of a check that has seen everything."""
    assert report.verdict == "pass", report
    assert report.exhaustive
    return {outcome.stdout for outcome in report.outcomes}


def test_a_map_of_four_items_has_one_order_for_each_way_to_share_them(tmp_path: Path) -> None:
    """Two workers, four tasks: each task goes to the one or the other, and nothing else matters."""
    report = check(tmp_path, "with Pool(2) as pool: print(pool.map(square, range(4)))")
    assert outputs(report) == {"[0, 1, 4, 9]\n"}
    assert report.executions == 2**4


def test_every_way_to_share_the_tasks_is_found(tmp_path: Path) -> None:
    """Who does what is free; with two workers and three tasks there are eight ways."""
    report = check(tmp_path, "with Pool(2) as pool: print(pool.map(who, range(3)))")
    assert len(outputs(report)) == 2**3


def test_results_come_in_any_order_where_they_may(tmp_path: Path) -> None:
    """imap_unordered gives them as they come, imap in the order of the items."""
    unordered = "with Pool(2) as pool: print(list(pool.imap_unordered(square, [1, 2])))"
    assert outputs(check(tmp_path, unordered)) == {"[1, 4]\n", "[4, 1]\n"}
    ordered = "with Pool(2) as pool: print(list(pool.imap(square, [1, 2])))"
    assert outputs(check(tmp_path, ordered)) == {"[1, 4]\n"}


@pytest.mark.parametrize(
    ("call", "error", "cause"),
    [
        ("pool.apply(int, ('x',))", "ValueError", "RemoteTraceback"),
        ("pool.map(int, ['1', 'x'])", "ValueError", "RemoteTraceback"),
        ("pool.map(lambda n: n, [1])", "PicklingError", "NoneType"),
        ("pool.apply(lambda_of, (1,))", "MaybeEncodingError", "NoneType"),
        ("pool.apply_async(square, (1,)).get(0)", "TimeoutError", "NoneType"),
    ],
)
def test_what_goes_wrong_is_raised_by_get(
    tmp_path: Path, call: str, error: str, cause: str
) -> None:
    """An error of the call, of pickling it or its result, and a time-out reach the caller."""
    report = check(
        tmp_path,
        f"""
        with Pool(1) as pool:
            try:
                {call}
            except Exception as error:
                print(type(error).__name__, type(error.__cause__).__name__)
        """,
    )
    assert f"{error} {cause}\n" in outputs(report)


def test_callbacks_come_before_get_returns(tmp_path: Path) -> None:
    """The callback has been called when `get` returns; an error goes to error_callback."""
    report = check(
        tmp_path,
        """
        with Pool(1) as pool:
            seen = []
            pool.apply_async(square, (2,), callback=seen.append).get()
            bad = pool.apply_async(int, ("x",), error_callback=lambda e: seen.append(str(e)[:7]))
            bad.wait()
            print(seen, bad.successful())
        """,
    )
    assert outputs(report) == {"[4, 'invalid'] False\n"}


def test_a_dead_worker_is_replaced_and_its_task_lost(tmp_path: Path) -> None:
    """What comes after it is done by another worker; who waits for it waits for ever."""
    report = check(
        tmp_path,
        """
        with Pool(1) as pool:
            lost, kept = pool.apply_async(die, (1,)), pool.apply_async(die, (0,))
            print(kept.get())
            lost.get()
        """,
    )
    assert report.verdict == "fail"
    assert report.failures[0].kind == "deadlock"
    assert report.failures[0].message.count(" waits ") == 1, "only the main flow is to blame"
    assert {outcome.stdout for outcome in report.outcomes} <= {"0\n"}


def test_a_worker_is_replaced_after_its_tasks(tmp_path: Path) -> None:
    """With maxtasksperchild=1, each task has a process of its own."""
    report = check(
        tmp_path,
        """
        with Pool(1, maxtasksperchild=1) as pool:
            print(len(set(pool.map(who, range(2), chunksize=1))))
        """,
    )
    assert outputs(report) == {"2\n"}


def test_a_closed_pool_takes_nothing_and_can_be_joined(tmp_path: Path) -> None:
    """What was asked for before is done; afterwards ValueError is raised."""
    report = check(
        tmp_path,
        """
        pool = Pool(2)
        results = [pool.apply_async(square, (n,)) for n in range(2)]
        pool.close()
        pool.join()
        print([result.get() for result in results])
        try:
            pool.map(square, [1])
        except ValueError as error:
            print(error)
        """,
    )
    assert outputs(report) == {"[0, 1]\nPool not running\n"}


def test_an_executor_maps_and_raises_with_the_remote_traceback(tmp_path: Path) -> None:
    """Results in order; an exception has the text of the worker's traceback as its cause."""
    report = check(
        tmp_path,
        """
        with ProcessPoolExecutor(2) as pool:
            print(list(pool.map(square, [1, 2, 3], chunksize=2)))
            error = pool.submit(int, "x").exception()
            print(type(error).__name__, type(error.__cause__).__name__)
            print(type(pool.submit(lambda: 1).exception()).__name__)
        """,
    )
    assert outputs(report) == {"[1, 4, 9]\nValueError _RemoteTraceback\nPicklingError\n"}


def test_an_executor_breaks_when_a_worker_dies(tmp_path: Path) -> None:
    """The futures raise BrokenProcessPool, and so does submit from then on."""
    report = check(
        tmp_path,
        """
        with ProcessPoolExecutor(1) as pool:
            try:
                pool.submit(die, 1).result()
            except BrokenProcessPool:
                print("broken")
            try:
                pool.submit(square, 1)
            except BrokenProcessPool:
                print("still broken")
        """,
    )
    assert outputs(report) == {"broken\nstill broken\n"}


def test_threads_of_a_pool_share_and_pickle_nothing(tmp_path: Path) -> None:
    """ThreadPool takes a lambda, and its threads see what the others have changed."""
    report = check(
        tmp_path,
        """
        from multiprocessing.dummy import Pool as DummyPool
        seen = set()
        with ThreadPool(2) as pool:
            pool.map(lambda n: seen.add(n), [1, 2])
        with DummyPool(1) as pool:
            print(seen, pool.apply(square, (3,)))
        """,
    )
    assert outputs(report) == {"{1, 2} 9\n"}


def test_who_joins_a_pool_waits_for_its_callbacks(tmp_path: Path) -> None:
    """All of them have been called then."""
    body = """
        got = []
        pool = Pool(1)
        for number in range(2):
            pool.apply_async(square, (number,), callback=got.append)
        pool.close()
        pool.join()
        print(got)
        """
    assert outputs(check(tmp_path, body)) == {"[0, 1]\n"}


def test_no_callback_comes_after_terminate(tmp_path: Path) -> None:
    """The one that is being made is waited for."""
    body = """
        got = []
        with Pool(1) as pool:
            pool.apply_async(square, (3,), callback=got.append)
        before = list(got)
        print(before == got, before)
        """
    assert outputs(check(tmp_path, body)) == {"True []\n", "True [9]\n"}

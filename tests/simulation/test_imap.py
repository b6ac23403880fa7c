"""Pool.imap takes its items one by one, while results come, as CPython's pools do."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS = """\
import threading
from multiprocessing import Pool, TimeoutError
from multiprocessing.pool import ThreadPool

asked = []

def double(number):
    return 2 * number

def fail(number):
    raise LookupError(number)

def items(count, bad=-1):
    for number in range(count):
        asked.append(number)
        if number == bad:
            raise ValueError(number)
        yield number

def after(event):
    yield 1
    event.wait()
    yield 2

def upset(iterator):
    try:
        return next(iterator)
    except (ValueError, TypeError, LookupError, StopIteration) as error:
        return type(error).__name__

"""


def check(folder: Path, body: str) -> CheckReport:
    """Check a program whose main does what `body` says."""
    file = folder / "program.py"
    main = 'if __name__ == "__main__":\n' + textwrap.indent(textwrap.dedent(body), "    ")
    file.write_text(f"{FUNCTIONS}\n{main}\n")
    return check_entry(Entry(file), target="program.py", strategy="dpor", budget=Budget(None, 60))


def outputs(report: CheckReport) -> set[str]:
    """Return what the program can print, of a check that has seen everything."""
    assert report.verdict == "pass", report
    assert report.exhaustive
    return {outcome.stdout.strip() for outcome in report.outcomes}


def test_items_are_taken_while_the_program_goes_on(tmp_path: Path) -> None:
    """After the call any number of them may have been taken, none included."""
    body = "with Pool(1) as pool:\n    it = pool.imap(double, items(2))\n    print(list(asked), list(it))"
    expected = {f"{taken} [0, 2]" for taken in ([], [0], [0, 1])}
    assert outputs(check(tmp_path, body)) == expected


def test_an_item_can_depend_on_a_result(tmp_path: Path) -> None:
    """Who would take all items first would wait for ever."""
    body = """
        event = threading.Event()
        with Pool(1) as pool:
            it = pool.imap(double, after(event))
            first = next(it)
            event.set()
            print(first, next(it), upset(it))
        """
    assert outputs(check(tmp_path, body)) == {"2 4 StopIteration"}


def test_who_waits_for_all_items_may_wait_for_ever(tmp_path: Path) -> None:
    """The same, and nobody sets the event: a deadlock."""
    body = "with Pool(1) as pool: print(list(pool.imap(double, after(threading.Event()))))"
    report = check(tmp_path, body)
    assert [failure.kind for failure in report.failures] == ["deadlock"]


@pytest.mark.parametrize("method", ["imap", "imap_unordered"])
def test_what_the_iterable_raises_is_the_last_result(tmp_path: Path, method: str) -> None:
    """After those before it; then the iterator is at its end."""
    body = f"""
        with Pool(1) as pool:
            it = pool.{method}(double, items(3, bad=1))
            print(next(it), upset(it), upset(it))
        """
    assert outputs(check(tmp_path, body)) == {"0 ValueError StopIteration"}


def test_what_is_no_iterable_fails_when_a_result_is_wanted(tmp_path: Path) -> None:
    """Not in the call."""
    body = "with Pool(1) as pool: print(upset(pool.imap(double, 5)))"
    assert outputs(check(tmp_path, body)) == {"TypeError"}


def test_a_call_that_fails_is_one_result(tmp_path: Path) -> None:
    """The next one comes all the same, but not after a chunk: that iterator is a generator."""
    body = """
        with Pool(1) as pool:
            it = pool.imap(fail, items(2))
            print(upset(it), upset(it), upset(it))
        """
    assert outputs(check(tmp_path, body)) == {"LookupError LookupError StopIteration"}
    body = """
        with Pool(1) as pool:
            it = pool.imap(fail, [1, 2, 3, 4], chunksize=2)
            print(upset(it), upset(it), type(it).__name__)
        """
    assert outputs(check(tmp_path, body)) == {"LookupError StopIteration generator"}


def test_unordered_results_come_in_any_order(tmp_path: Path) -> None:
    """With two workers, whichever is first."""
    body = "with Pool(2) as pool: print(list(pool.imap_unordered(double, iter((1, 2)))))"
    assert outputs(check(tmp_path, body)) == {"[2, 4]", "[4, 2]"}


def test_what_is_submitted_later_is_done_after_the_items(tmp_path: Path) -> None:
    """And a pool that is closed meanwhile does all of it."""
    body = """
        pool = ThreadPool(1)
        done = []
        it = pool.imap(done.append, items(2))
        result = pool.apply_async(done.append, (9,))
        pool.close()
        pool.join()
        print(done, result.get(), list(it))
        """
    assert outputs(check(tmp_path, body)) == {"[0, 1, 9] None [None, None]"}


def test_terminate_stops_the_taking(tmp_path: Path) -> None:
    """At whichever item it is; nobody takes one afterwards."""
    body = """
        pool = Pool(1)
        pool.imap(double, items(2))
        pool.terminate()
        before = list(asked)
        print(before == asked, before)
        """
    expected = {f"True {taken}" for taken in ([], [0], [0, 1])}
    assert outputs(check(tmp_path, body)) == expected


def test_a_time_out_is_a_choice(tmp_path: Path) -> None:
    """It may be met or not; the iterator can be asked again."""
    body = """
        with Pool(1) as pool:
            it = pool.imap(double, items(1))
            try:
                print(it.next(timeout=1))
            except TimeoutError:
                print("late", it.next())
        """
    assert outputs(check(tmp_path, body)) == {"0", "late 0"}


SHARED = """
    with ThreadPool(1) as pool:
        it = pool.imap(double, {items})
        got = []
        thread = threading.Thread(target=lambda: got.append(next(it)))
        thread.start()
        mine = next(it)
        thread.join()
        print(mine, got)
    """


def test_two_threads_never_get_the_same_result(tmp_path: Path) -> None:
    """Of one iterator each result is given once, to either of them."""
    assert outputs(check(tmp_path, SHARED.format(items="iter([1, 2])"))) == {"2 [4]", "4 [2]"}


def test_two_threads_that_take_results_of_a_container_are_refused(tmp_path: Path) -> None:
    """Its results have a place each, and nobody knows beforehand which one a thread would wait for."""
    report = check(tmp_path, SHARED.format(items="[1, 2]"))
    assert report.verdict == "error"
    (failure,) = report.failures
    assert "from whose results two threads take some cannot be checked" in failure.message

"""`parallel_cookbook.check`: plain functions, methods, nested functions and lambdas, in this very process."""

from __future__ import annotations

import functools
import os
import queue
import subprocess
import sys
import threading
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

import parallel_cookbook
from parallel_cookbook import CheckFailedError, CheckReport, check
from parallel_cookbook.check import check_entry, replay_entry
from parallel_cookbook.check.function import entry_of, replay
from parallel_cookbook.check.program import Entry
from parallel_cookbook.errors import ReplayMismatchError, UnsupportedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The functions below are programs under check: their asserts and prints are what is explored.

counter = 0
lock = threading.Lock()


def both(work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def count_badly() -> None:
    def work() -> None:
        global counter  # noqa: PLW0603 - what is wrong with it
        counter += 1

    both(work)
    assert counter == 2


def count_well() -> int:
    def work() -> None:
        global counter  # noqa: PLW0603 - it is guarded
        with lock:
            counter += 1

    both(work)
    assert counter == 2
    return counter


class Visits:
    """A class of the program, with a race in it."""

    def __init__(self, start: int = 0) -> None:
        self.count = start

    def visit(self) -> None:
        """Count one visit, badly."""
        self.count += 1

    def visit_twice(self) -> None:
        """Let two threads visit."""
        before = self.count
        both(self.visit)
        assert self.count == before + 2

    def is_fresh(self) -> None:
        """Fail for the second on the same instance."""
        assert self.count == 0
        self.count = 1

    @staticmethod
    def nothing() -> None:
        """Do nothing."""


class Needy:
    """A class that cannot be made without arguments."""

    def __init__(self, needed: int) -> None:
        self.needed = needed

    def method(self) -> None:
        """Do nothing."""


# --- verdicts -----------------------------------------------------------------------------------


def test_a_right_function_is_proven() -> None:
    """With the lock of its module, which each execution has for itself."""
    report = check(count_well)
    assert isinstance(report, CheckReport)
    assert (report.verdict, report.exhaustive, report.executions) == ("pass", True, 2)
    assert [outcome.result for outcome in report.outcomes] == ["2"]
    report.raise_for_failure()


def test_a_wrong_function_fails_with_a_readable_report() -> None:
    """CheckFailedError is an AssertionError; its text has what was compared, the columns and a replay."""
    report = check(count_badly)
    assert [failure.kind for failure in report.failures] == ["assertion"]
    with pytest.raises(CheckFailedError) as caught:
        report.raise_for_failure()
    text = str(caught.value)
    assert isinstance(caught.value, AssertionError)
    assert caught.value.report is report
    assert "assert 1 == 2" in text
    assert "Thread-1 (work)" in text
    assert f"replay: check(…, replay={report.failures[0].schedule!r})" in text


def test_a_check_leaves_no_trace() -> None:
    """The module's own variables are those of no execution."""
    check(count_badly)
    check(count_well)
    assert counter == 0
    assert not lock.locked()


def test_an_unfinished_search_is_no_proof() -> None:
    """raise_for_failure raises for a verdict that is unknown, and says which limit was met."""
    report = check(count_well, max_executions=1)
    assert report.verdict == "unknown"
    with pytest.raises(CheckFailedError, match="1 execution"):
        report.raise_for_failure()


def test_options_are_the_commands() -> None:
    """Strategy, races, all failures."""
    assert check(count_badly, strategy="dfs", keep_going=True).executions > 2
    report = check(functools.partial(both, Visits().visit), races="error")
    assert {failure.kind for failure in report.failures} == {"data-race"}
    assert not check(functools.partial(both, Visits().visit), races="ignore").warnings
    with pytest.raises(UsageError, match="strategy 'luck'"):
        check(count_well, strategy="luck")


def test_one_schedule_can_be_replayed() -> None:
    """With the same failure; a schedule of another function is refused."""
    failure = check(count_badly).failures[0]
    again = check(count_badly, replay=failure.schedule)
    assert (again.verdict, again.executions) == ("fail", 1)
    assert again.failures[0].location == failure.location
    with pytest.raises(ReplayMismatchError):
        check(count_well, replay=failure.schedule)


# --- what can be checked ------------------------------------------------------------------------


def test_a_plain_function_of_a_class_gets_a_new_instance() -> None:
    """In each execution."""
    assert check(Visits.is_fresh).passed
    assert not check(Visits.visit_twice).passed
    assert check(Visits.nothing).passed


def test_a_bound_method_gets_a_copy_of_its_object() -> None:
    """Which is of the execution's own class, so that its races are seen; the object stays as it is."""
    visits = Visits(5)
    assert not check(visits.visit_twice).passed
    assert visits.count == 5


def test_arguments_are_copied_for_each_execution() -> None:
    """Two that are one object are one again."""
    numbers = [1]

    def function(first: list[int], second: list[int], visits: Visits) -> None:
        assert first is second
        assert first == [1]
        first.append(2)
        visits.visit_twice()

    report = check(function, numbers, numbers, Visits())
    assert [failure.kind for failure in report.failures] == ["assertion"]
    # In visit_twice, where its class is the execution's own and its race is seen.
    line = Visits.visit_twice.__code__.co_firstlineno + 4
    assert report.failures[0].location == f"{__file__}:{line}"
    assert numbers == [1]


def test_a_nested_function_brings_its_closure() -> None:
    """Values are copied; variables that it rebinds are shared between its tasks."""
    total = 10
    seen: list[int] = []

    def function(step: int = 1, *, bonus: int = 0) -> None:
        def work() -> None:
            nonlocal total
            total += step
            seen.append(total)

        assert (total, seen) == (10, [])
        both(work)
        assert total == 12 + bonus

    report = check(function)
    assert [failure.kind for failure in report.failures] == ["assertion"]
    assert (total, seen) == (10, [])
    assert not check(functools.partial(function, 1, bonus=5), max_executions=1).passed


def test_closures_that_share_a_variable_still_share_it() -> None:
    """Also if each is handed over by itself; a race between the two is found."""
    total = 0

    def add() -> None:
        nonlocal total
        total += 1

    def look() -> int:
        return total

    def function(first: Callable[[], None], second: Callable[[], int]) -> None:
        both(first)
        assert second() == 2

    report = check(function, add, look)
    assert [failure.kind for failure in report.failures] == ["assertion"]


def test_recursive_nested_functions_are_rebuilt() -> None:
    """A closure may hold the function itself."""

    def factorial(n: int) -> int:
        return n * factorial(n - 1) if n else 1

    def function() -> None:
        assert factorial(5) == 120

    assert check(function).passed


def test_lambdas_on_one_line_are_told_apart() -> None:
    """By what they do."""
    ones = [lambda: 1, lambda: 2]
    assert [check(one).outcomes[0].result for one in ones] == ["1", "2"]


def test_lambdas_that_are_alike_are_refused() -> None:
    """If they hold different values, which of them is meant matters."""

    def make(n: int) -> list[Callable[[], int]]:
        # fmt: off
        return [lambda: n, lambda: n]
        # fmt: on

    report = check(make(3)[1])
    assert [outcome.result for outcome in report.outcomes] == ["3"]


def test_modules_and_classes_in_a_closure_are_the_executions_own() -> None:
    """A name that was imported in the outer function means the simulation."""
    import threading as local_name  # noqa: PLC0415 - this is what is tested
    from queue import Queue as LocalQueue  # noqa: PLC0415 - the same

    def function() -> None:
        messages: Any = LocalQueue()
        threads = [local_name.Thread(target=messages.put, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert messages.get() == 0

    report = check(function)
    assert [failure.kind for failure in report.failures] == ["assertion"]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        threading.Lock,
        threading.RLock,
        threading.Condition,
        threading.Event,
        threading.Thread,
        threading.local,
        queue.Queue,
        queue.SimpleQueue,
        lambda: open(os.devnull),  # noqa: PTH123, SIM115 - a file that is open
        lambda: (n for n in range(3)),
    ],
)
def test_what_cannot_be_made_anew_is_refused_by_name(make: Callable[[], object]) -> None:
    """In a closure and as an argument: the message says what it is, and what to do."""
    shared = make()

    def function() -> None:
        print(shared)  # noqa: T201 - it has to be used

    with pytest.raises(UnsupportedError, match=r"the variable 'shared' .* make it inside"):
        check(function)
    with pytest.raises(UnsupportedError, match=r"argument 2, .* make it inside"):
        check(print_all, 1, {"key": [shared]})
    if hasattr(shared, "close"):
        shared.close()


def print_all(*values: object) -> None:
    print(values)  # noqa: T201 - to use them


def test_an_instance_of_a_local_class_is_refused() -> None:
    """Its class is in no module, so that no execution could have its own."""

    class Local:
        pass

    with pytest.raises(UnsupportedError, match="argument 1"):
        check(print_all, Local())


def test_what_has_no_source_is_refused() -> None:
    """With what to do instead."""
    without: list[Any] = [len, eval("lambda: 1"), [].append]  # noqa: S307 - it is our own text
    for function in without:
        with pytest.raises(UsageError, match="source"):
            check(function)
    with pytest.raises(UsageError, match="is a class"):
        check(Visits)
    with pytest.raises(UsageError, match="without arguments"):
        check(Needy.method)
    with pytest.raises(UsageError, match="installed"):
        check(functools.wraps)

    async def coroutine() -> None:
        """Do nothing."""

    with pytest.raises(UsageError, match="coroutine"):
        check(coroutine)


def nested() -> None:
    check(count_well)


def test_a_check_within_a_check_is_refused() -> None:
    """It would explore the exploration."""
    with pytest.raises(UsageError, match="under check itself"):
        check(nested)


# --- the package --------------------------------------------------------------------------------


def python(*arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_check_is_the_function_whatever_was_imported_before() -> None:
    """Although a room of that name exists."""
    source = (
        "import parallel_cookbook.check.result\nfrom parallel_cookbook import check\nprint(check)"
    )
    assert python("-c", source).startswith("<function check")
    assert parallel_cookbook.check is check


def test_the_package_itself_imports_nothing() -> None:
    """So that `cookbook list` stays fast."""
    source = (
        "import sys, parallel_cookbook\nprint({'greenlet', 'rich', 'click'} & set(sys.modules))"
    )
    assert python("-c", source) == "set()\n"


def test_a_script_may_check_its_own_functions(tmp_path: Path) -> None:
    """Below its guard; its name for itself is not __main__ then."""
    (tmp_path / "script.py").write_text(
        dedent("""
        from parallel_cookbook import check
        def function():
            return __name__
        if __name__ == "__main__":
            print(check(function).outcomes[0].result)
        """)
    )
    assert python("script.py", folder=tmp_path) == "'script'\n"


# --- what a failed assert says ------------------------------------------------------------------

ASSERTS = {
    "counter == 2": "assert 1 == 2",
    "counter == 2, 'twice'": "twice\nassert 1 == 2",
    "items == [1, 2]": "assert [1] == [1, 2]",
    "len(items) == 2": "assert 1 == 2\n +  where 1 = len([1])",
    "not items": "assert not [1]",
    "box.value == 2": "assert 1 == 2\n +  where 1 = <box>.value",
    "box.get() == 2": "assert 1 == 2\n +  where 1 = <box>.get()",
    "items[0] > counter": "assert 1 > 1\n +  where 1 = [1][0]",
    "counter + 1 == 3": "assert 2 == 3\n +  where 2 = 1 + 1",
    "counter == 1 and items == []": "assert 1 == 1 and [1] == []",
    "counter == 5 and items == []": "assert 1 == 5 and items == []",
    "0 < counter < 1": "assert 0 < 1 < 1",
    "5 < counter < items": "assert 5 < 1 < items",
    "any(n > 1 for n in items)": "assert False\n +  where False = any((n > 1 for n in items))",
    "2 in items": "assert 2 in [1]",
    "isinstance(items, dict)": "assert False\n +  where False = isinstance([1], dict)",
    "False": "assert False",
}


@pytest.mark.parametrize("test", ASSERTS)
def test_a_failed_assert_says_what_it_compared(test: str, tmp_path: Path) -> None:
    """In the replay; the schedule has the same steps as without."""
    file = tmp_path / "program.py"
    file.write_text(
        dedent(f"""
        import threading
        counter = 0
        items = []
        class Box:
            value = 0
            def get(self): return self.value
            def __repr__(self): return "<box>"
        def main():
            box = Box()
            def work():
                global counter
                counter = box.value = 1
                items.append(1)
            thread = threading.Thread(target=work)
            thread.start()
            while not items:
                pass
            assert {test}
        """)
    )
    entry = Entry(file, "program", "main")
    report = check_entry(entry, target="main", strategy="dpor", keep_going=True)
    (failure,) = [failure for failure in report.failures if failure.kind == "assertion"]
    done = replay(entry, failure.schedule, include=(), max_steps=1000)
    assert done.faults[0].message == f"AssertionError: {ASSERTS[test]}"
    _, faults, _ = replay_entry(entry, failure.schedule)
    assert (faults[0].kind, faults[0].location) == ("assertion", done.faults[0].location)


def test_the_replay_keeps_the_exception_and_the_programs_own_frames() -> None:
    """Nothing of ours stands in its traceback."""
    entry = entry_of(count_badly)
    (failure,) = check_entry(entry, target="count_badly").failures
    done = replay(entry, failure.schedule, include=(), max_steps=1000)
    (task, error) = done.errors[0]
    traceback = error.__traceback__
    assert traceback is not None
    assert task == "MainThread"
    assert traceback.tb_frame.f_code.co_name == "count_badly"
    assert traceback.tb_next is None

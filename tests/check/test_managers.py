"""Whole programs with a manager: what can come of them, and of nothing else."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry, replay_entry

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
from multiprocessing import Manager, Process
from multiprocessing.managers import BaseManager, NamespaceProxy, SyncManager
import os, time

def run(*calls):
    processes = [Process(target=call[0], args=call[1:]) for call in calls]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
"""


def check(folder: Path, functions: str, main: str) -> CheckReport:
    """Check a program of these functions and this main part; its failures must replay."""
    file = folder / "program.py"
    guard = '\n\nif __name__ == "__main__":\n'
    body = textwrap.indent(textwrap.dedent(main).strip(), "    ")
    file.write_text(HEAD + textwrap.dedent(functions) + guard + body + "\n")
    entry = Entry(file)
    report = check_entry(
        entry, target="program.py", strategy="dpor", budget=Budget(None, 60), keep_going=False
    )
    for failure in report.failures:
        if failure.kind != "unsupported":
            _, faults, _ = replay_entry(entry, failure.schedule)
            assert (failure.kind, failure.message) in {(f.kind, f.message) for f in faults}
    return report


def outputs(report: CheckReport) -> set[str]:
    """Return what the program can print, of a check that has seen everything."""
    assert report.verdict == "pass", report
    assert report.exhaustive
    return {outcome.stdout.strip() for outcome in report.outcomes}


def failure_of(report: CheckReport) -> tuple[str, str]:
    """Return kind and message of the one failure."""
    (failure,) = report.failures
    return failure.kind, failure.message


# --- calls are atomic, two calls are not --------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "results"),
    [
        ("counts['n'] += 1", {"1", "2"}),
        ("\n    with lock: counts['n'] += 1", {"2"}),
    ],
)
def test_an_increment_of_an_item_is_two_messages(
    tmp_path: Path, body: str, results: set[str]
) -> None:
    """Only who holds a lock from the one to the other loses no count; a manager's lock will do."""
    functions = f"def count(counts, lock): {body}"
    main = """
        with Manager() as manager:
            counts, lock = manager.dict(n=0), manager.Lock()
            run((count, counts, lock), (count, counts, lock))
            print(counts["n"])
        """
    assert outputs(check(tmp_path, functions, main)) == results


@pytest.mark.parametrize("kind", ["Namespace(value=0)", "Value('i', 0)"])
def test_an_increment_of_an_attribute_is_two_messages(tmp_path: Path, kind: str) -> None:
    """An attribute of a Namespace and a Value are read and assigned apart."""
    functions = "def count(shared): shared.value += 1"
    main = f"""
        with Manager() as manager:
            shared = manager.{kind}
            run((count, shared), (count, shared))
            print(shared.value)
        """
    assert outputs(check(tmp_path, functions, main)) == {"1", "2"}


def test_one_call_is_one_message(tmp_path: Path) -> None:
    """No append is lost, and the items come in either order."""
    main = """
        with Manager() as manager:
            names = manager.list()
            run((names.append, "a"), (names.append, "b"))
            print(*names)
        """
    report = check(tmp_path, "", main)
    assert outputs(report) == {"a b", "b a"}
    assert report.executions <= 8, "a message has more than one place to meet at"


def test_looks_do_not_meet(tmp_path: Path) -> None:
    """Processes that only read one dict have one class of interleavings."""
    functions = "def look(table): assert table['x'] + len(table) + table.get('y', 0) == 2"
    main = """
        with Manager() as manager:
            table = manager.dict(x=1)
            run((look, table), (look, table), (look, table))
        """
    report = check(tmp_path, functions, main)
    assert outputs(report) == {""}
    assert report.executions == 1


# --- copies and proxies -------------------------------------------------------------------------


def test_a_nested_list_is_a_copy_and_a_nested_proxy_is_not(tmp_path: Path) -> None:
    """What is appended to a list got from a proxy is lost; to a proxy got from a proxy, not."""
    functions = """
        def fill(table):
            table["list"].append(1)
            table["proxy"].append(1)
        """
    main = """
        with Manager() as manager:
            table = manager.dict(list=[], proxy=manager.list())
            run((fill, table))
            print(table["list"], list(table["proxy"]))
        """
    assert outputs(check(tmp_path, functions, main)) == {"[] [1]"}


def test_objects_of_the_program_are_pickled_both_ways(tmp_path: Path) -> None:
    """Their class is found in each process; what comes out is another object."""
    functions = """
        class Point:
            def __init__(self, x): self.x = x
            def __eq__(self, other): return isinstance(other, Point) and self.x == other.x

        def move(points): points.append(Point(points.pop().x + 1))
        """
    main = """
        with Manager() as manager:
            points = manager.list([Point(1)])
            run((move, points))
            print(points[0].x, points[0] == Point(2), points.index(Point(2)), points[0] is points[0])
        """
    assert outputs(check(tmp_path, functions, main)) == {"2 True 0 False"}


def test_a_result_that_is_a_proxy_needs_the_manager(tmp_path: Path) -> None:
    """To iterate over a dict works where the manager is, and fails in a child, as in life."""
    functions = """
        def iterate(table):
            try: list(iter(table))
            except AttributeError as error: print(error)
        """
    main = """
        with Manager() as manager:
            table = manager.dict(a=1, b=2)
            print(*table)
            run((iterate, table))
        """
    told = "a b\n'NoneType' object has no attribute '_registry'"
    assert outputs(check(tmp_path, functions, main)) == {told}


# --- waiting ------------------------------------------------------------------------------------


def test_only_the_caller_waits(tmp_path: Path) -> None:
    """While one waits for an item and another for an event, the manager serves a third."""
    functions = """
        def serve(queue, event, log):
            log.append(queue.get())
            event.set()
        """
    main = """
        with Manager() as manager:
            queue, event, log = manager.Queue(), manager.Event(), manager.list()
            process = Process(target=serve, args=(queue, event, log))
            process.start()
            queue.put("item")
            event.wait()
            print(*log)
            process.join()
        """
    assert outputs(check(tmp_path, functions, main)) == {"item"}


def test_locks_in_opposite_order_deadlock(tmp_path: Path) -> None:
    """The deadlock names the manager's locks and who waits for them, and not the manager."""
    functions = """
        def work(first, second):
            with first, second: pass
        """
    main = """
        with Manager() as manager:
            a, b = manager.Lock(), manager.Lock()
            run((work, a, b), (work, b, a))
        """
    kind, message = failure_of(check(tmp_path, functions, main))
    assert kind == "deadlock"
    assert "Process-2 waits to acquire" in message
    assert "Process-3 waits to acquire" in message
    assert "Manager" not in message


@pytest.mark.parametrize(
    ("make", "meet", "told"),
    [
        ("Barrier(2)", "thing.wait()", {"2 0 False"}),
        ("Semaphore(1)", "thing.acquire(); thing.release()", {"done"}),
        ("BoundedSemaphore(1)", "\n    with thing: pass", {"done"}),
        ("RLock()", "\n    with thing:\n        with thing: pass", {"done"}),
        ("Condition()", "\n    with thing: thing.notify_all()", {"done"}),
        ("JoinableQueue()", "thing.put(1); thing.get(); thing.task_done()", {"done"}),
    ],
)
def test_each_primitive_works_between_processes(
    tmp_path: Path, make: str, meet: str, told: set[str]
) -> None:
    """Two processes meet at it and get on, in every order."""
    functions = f"def meet(thing): {meet}"
    tell = "thing.parties, thing.n_waiting, thing.broken" if "Barrier" in make else "'done'"
    main = f"""
        with Manager() as manager:
            thing = manager.{make}
            run((meet, thing), (meet, thing))
            print({tell})
        """
    assert outputs(check(tmp_path, functions, main)) == told


# --- types of the program's own -----------------------------------------------------------------

COUNTER = """
class Counter:
    made = 0
    def __init__(self):
        Counter.made += 1
        self.n = 0
    def add(self): self.n += 1
    def get(self): return self.n, Counter.made, os.getpid()

class Own(SyncManager): pass
Own.register("Counter", Counter)

def add(counter): counter.add()

def add_with(counter, lock):
    with lock: counter.add()
"""


def test_methods_of_own_types_race(tmp_path: Path) -> None:
    """The server has a thread for each caller: an increment in a method loses counts."""
    main = """
        with Own() as manager:
            counter = manager.Counter()
            run((add, counter), (add, counter))
            print(counter.get()[0])
        """
    report = check(tmp_path, COUNTER, main)
    assert outputs(report) == {"1", "2"}
    assert any(warning.kind == "data-race" for warning in report.warnings)


def test_own_types_live_in_the_server(tmp_path: Path) -> None:
    """Their class variables change there, not in the caller; a lock makes them safe."""
    main = """
        with Own() as manager:
            counter, lock = manager.Counter(), manager.Lock()
            run((add_with, counter, lock), (add_with, counter, lock))
            n, made, pid = counter.get()
            print(n, made, Counter.made, pid != os.getpid())
        """
    assert outputs(check(tmp_path, COUNTER, main)) == {"2 1 0 True"}


def test_a_lambda_cannot_be_registered(tmp_path: Path) -> None:
    """What makes an object is pickled for the server, and a lambda cannot be."""
    functions = """
        class Own(BaseManager): pass
        Own.register("thing", lambda: [])
        """
    kind, message = failure_of(check(tmp_path, functions, "Own().start()"))
    assert kind == "exception"
    assert "ickl" in message


# --- the end ------------------------------------------------------------------------------------


def test_who_has_shut_down_finds_nobody(tmp_path: Path) -> None:
    """Calls fail as in life: with a broken pipe, or without a socket for who has not called before."""
    functions = """
        def call(numbers, done):
            done.wait()
            try: numbers[0]
            except OSError as error: print(type(error).__name__)
        """
    main = """
        import multiprocessing
        done = multiprocessing.Event()
        with Manager() as manager:
            numbers = manager.list([1])
            process = Process(target=call, args=(numbers, done))
            process.start()
            numbers[0]
        try: numbers[0]
        except OSError as error: print(type(error).__name__)
        done.set()
        process.join()
        """
    told = {"BrokenPipeError\nFileNotFoundError"}
    assert outputs(check(tmp_path, functions, main)) == told


def test_a_manager_that_nobody_shuts_down_ends_with_its_process(tmp_path: Path) -> None:
    """It is no leak, and the script ends."""
    main = "numbers = Manager().list([1]); print(*numbers)"
    assert outputs(check(tmp_path, "", main)) == {"1"}


def test_a_child_that_is_still_calling_may_find_the_manager_gone(tmp_path: Path) -> None:
    """Who leaves the with block before the join has children that fail."""
    functions = "def fill(numbers): numbers.append(1)"
    main = """
        with Manager() as manager:
            process = Process(target=fill, args=(manager.list(),))
            process.start()
        process.join()
        """
    kind, message = failure_of(check(tmp_path, functions, main))
    assert kind == "exception"
    assert "FileNotFoundError" in message


def test_an_initializer_that_fails_fails_the_start(tmp_path: Path) -> None:
    """The process dies, and start raises EOFError."""
    functions = "def fail(): raise SystemExit(3)"
    main = """
        manager = SyncManager()
        try: manager.start(fail)
        except EOFError: print("no manager")
        """
    assert outputs(check(tmp_path, functions, main)) == {"no manager"}


@pytest.mark.parametrize(
    ("main", "what"),
    [
        ("SyncManager(('', 5000), b'key').connect()", "BaseManager.connect"),
        ("SyncManager().get_server()", "BaseManager.get_server"),
        ("Manager().Pool(2)", "SyncManager.Pool"),
        ("Manager().Barrier(2, print)", "Barrier with an action"),
    ],
)
def test_what_cannot_be_controlled_is_refused(tmp_path: Path, main: str, what: str) -> None:
    """The report names it."""
    kind, message = failure_of(check(tmp_path, "", main))
    assert kind == "unsupported"
    assert what in message


def test_a_call_that_waits_while_the_manager_ends_is_refused(tmp_path: Path) -> None:
    """In life it ends with EOFError, which cannot be raised in the midst of another wait here."""
    functions = """
        def take(queue):
            try: queue.get()
            except OSError: pass
        """
    main = """
        with Manager() as manager:
            process = Process(target=take, args=(manager.Queue(),), daemon=True)
            process.start()
        """
    kind, message = failure_of(check(tmp_path, functions, main))
    assert kind == "unsupported"
    assert "call still waits" in message


def test_an_object_that_a_killed_process_waited_for_is_refused(tmp_path: Path) -> None:
    """In life the server's thread would take the item for nobody; other objects go on."""
    functions = "def take(queue): queue.get()"
    main = """
        with Manager() as manager:
            queue, names = manager.Queue(), manager.list()
            process = Process(target=take, args=(queue,))
            process.start()
            process.terminate()
            process.join()
            names.append("other")
            {}
        """
    assert outputs(check(tmp_path, functions, main.format("print(*names)"))) == {"other"}
    kind, message = failure_of(check(tmp_path, functions, main.format("queue.put(1)")))
    assert kind == "unsupported"
    assert "what Process-2 waited for in a manager when it was killed" in message

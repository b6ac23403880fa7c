"""Whole programs of several processes: what can come of them, and of nothing else."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry, replay_entry

if TYPE_CHECKING:
    from pathlib import Path


def check(folder: Path, source: str, *, keep_going: bool = False) -> CheckReport:
    """Check a program that is given as text; its failures must come again when replayed."""
    file = folder / "program.py"
    file.write_text(textwrap.dedent(source))
    entry = Entry(file)
    report = check_entry(
        entry, target="program.py", strategy="dpor", budget=Budget(None, 60), keep_going=keep_going
    )
    for failure in report.failures:
        _, faults, _ = replay_entry(entry, failure.schedule)
        assert (failure.kind, failure.message) in {(f.kind, f.message) for f in faults}
    return report


def outputs(report: CheckReport) -> set[str]:
    """Return what the program can print, of a check that has seen everything."""
    assert report.verdict == "pass", report
    assert report.exhaustive
    return {outcome.stdout for outcome in report.outcomes}


def failure_of(report: CheckReport) -> tuple[str, str, str]:
    """Return kind, message and task of the one failure."""
    assert report.verdict == "fail", report
    (failure,) = report.failures
    return failure.kind, failure.message, failure.task


# --- memory -------------------------------------------------------------------------------------


COUNTING = """
    from multiprocessing import Process, Value

    def count(value):
        {body}

    if __name__ == "__main__":
        value = Value("i", 0{options})
        processes = [Process(target=count, args=(value,)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        print(value.value)
    """


@pytest.mark.parametrize(
    ("body", "options", "results"),
    [
        ("value.value += 1", "", {"1\n", "2\n"}),
        ("value.value += 1", ", lock=False", {"1\n", "2\n"}),
        ("\n        with value.get_lock(): value.value += 1", "", {"2\n"}),
    ],
)
def test_an_increment_is_a_load_and_a_store(
    tmp_path: Path, body: str, options: str, results: set[str]
) -> None:
    """Only who holds the lock all through it loses none."""
    source = COUNTING.format(body=body, options=options)
    assert outputs(check(tmp_path, source)) == results


def test_each_process_has_globals_of_its_own(tmp_path: Path) -> None:
    """A child executes the main file anew, and what it assigns the parent never sees."""
    source = """
        from multiprocessing import Pipe, Process

        setting = "as imported"

        def report(sender):
            global setting
            before, setting = setting, "changed by the child"
            sender.send((__name__, before))

        if __name__ == "__main__":
            setting = "changed by the parent"
            receiver, sender = Pipe(duplex=False)
            process = Process(target=report, args=(sender,))
            process.start()
            print(receiver.recv(), setting)
            process.join()
        """
    told = "('__mp_main__', 'as imported') changed by the parent\n"
    assert outputs(check(tmp_path, source)) == {told}


def test_an_argument_is_a_copy(tmp_path: Path) -> None:
    """A list that a child fills stays empty in the parent."""
    source = """
        from multiprocessing import Process

        if __name__ == "__main__":
            numbers = []
            process = Process(target=numbers.append, args=(1,))
            process.start()
            process.join()
            print(numbers, process.exitcode)
        """
    assert outputs(check(tmp_path, source)) == {"[] 0\n"}


def test_structures_and_arrays_are_shared(tmp_path: Path) -> None:
    """Fields, items, slices and strings of ctypes are seen by all processes."""
    source = """
        from ctypes import Structure, c_double, c_int
        from multiprocessing import Array, Process, RawArray, RawValue, Value

        class Point(Structure):
            _fields_ = [("x", c_int), ("y", c_double)]

        def fill(point, numbers, text, raw):
            point.x, point.y = 3, 0.5
            numbers[1] = 7
            numbers[2:] = [8, 9]
            text.value = b"tea"
            raw.value = 2.5

        if __name__ == "__main__":
            point, numbers = Value(Point, 1), Array("i", 4)
            text, raw = Array("c", 5), RawValue("d", 0)
            points = RawArray(Point, [(1, 2.0)])
            process = Process(target=fill, args=(point, numbers, text, raw))
            process.start()
            process.join()
            print(point.x, point.y, numbers[:], list(numbers), text.value, raw.value, points[0].y)
        """
    told = "3 0.5 [0, 7, 8, 9] [0, 7, 8, 9] b'tea' 2.5 2.0\n"
    assert outputs(check(tmp_path, source)) == {told}


# --- how processes begin and end ----------------------------------------------------------------


def test_an_unguarded_main_fails_as_in_life(tmp_path: Path) -> None:
    """The child executes the main file, and must not start processes meanwhile."""
    source = """
        from multiprocessing import Process

        def work():
            pass

        process = Process(target=work)
        process.start()
        process.join()
        """
    kind, message, task = failure_of(check(tmp_path, source))
    assert (kind, task) == ("exception", "Process-1")
    assert "before the\n        current process has finished its bootstrapping phase" in message


def test_a_lambda_cannot_be_a_target(tmp_path: Path) -> None:
    """It has no name to be pickled by: start raises, in the parent."""
    source = """
        from multiprocessing import Process

        if __name__ == "__main__":
            Process(target=lambda: None).start()
        """
    kind, message, task = failure_of(check(tmp_path, source))
    assert (kind, task) == ("exception", "MainThread")
    assert message.startswith("PicklingError: Can't pickle <function <lambda>")


def test_an_uncaught_exception_is_a_failure(tmp_path: Path) -> None:
    """It is reported where it was raised, and the task's name says in which process and thread."""
    source = """
        from multiprocessing import Process
        from threading import Thread

        def fail():
            raise ValueError("in the thread")

        def work():
            thread = Thread(target=fail, name="T")
            thread.start()
            thread.join()

        if __name__ == "__main__":
            process = Process(target=work, name="worker")
            process.start()
            process.join()
        """
    told = ("exception", "ValueError: in the thread", "worker/T")
    assert failure_of(check(tmp_path, source)) == told


EXIT_CODES = """
    import os, sys
    from multiprocessing import Process

    def work():
        {end}

    if __name__ == "__main__":
        process = Process(target=work)
        process.start()
        process.join()
        print(process.exitcode)
    """


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("pass", 0),
        ("raise ValueError", 1),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('a message')", 1),
        ("os._exit(4)", 4),
        ("os.kill(os.getpid(), 9)", -9),
    ],
)
def test_exit_codes(tmp_path: Path, end: str, code: int) -> None:
    """Who looks at the exit code deals with the exception: no failure of the program."""
    assert outputs(check(tmp_path, EXIT_CODES.format(end=end))) == {f"{code}\n"}


def test_names_pids_and_parents(tmp_path: Path) -> None:
    """They are as in life; a pid is the same in each execution."""
    source = """
        import os
        from multiprocessing import Process, current_process, parent_process

        def inner(above):
            assert os.getppid() == above == parent_process().pid
            print(current_process().name, parent_process().name)

        def outer():
            process = Process(target=inner, args=(os.getpid(),))
            process.start()
            process.join()

        if __name__ == "__main__":
            assert parent_process() is None
            process = Process(target=outer)
            process.start()
            assert process.pid != os.getpid()
            process.join()
            print(current_process().name, process)
        """
    (told,) = outputs(check(tmp_path, source))
    first, last = told.splitlines()
    assert first == "Process-1:1 Process-1"
    assert last.startswith("MainProcess <Process name='Process-1' pid=")
    assert last.endswith(" stopped exitcode=0>")


def test_a_daemon_ends_with_its_parent(tmp_path: Path) -> None:
    """Anywhere in its work; and it may have no children."""
    source = """
        from multiprocessing import Process

        def nothing():
            pass

        def daemon():
            print("a")
            try:
                Process(target=nothing).start()
            except AssertionError as error:
                print(error)

        if __name__ == "__main__":
            Process(target=daemon, daemon=True).start()
        """
    second = "daemonic processes are not allowed to have children\n"
    assert outputs(check(tmp_path, source)) == {"", "a\n", f"a\n{second}"}


def test_a_terminated_process_keeps_its_lock(tmp_path: Path) -> None:
    """Whoever wants the lock then waits for ever; without the lock in its hands all is well."""
    source = """
        from multiprocessing import Lock, Process

        def work(lock):
            with lock:
                pass

        if __name__ == "__main__":
            lock = Lock()
            process = Process(target=work, args=(lock,))
            process.start()
            process.terminate()
            process.join()
            lock.acquire()
            print(process.exitcode)
        """
    report = check(tmp_path, source, keep_going=True)
    assert {failure.kind for failure in report.failures} == {"deadlock"}
    assert {outcome.stdout for outcome in report.outcomes} == {"", "0\n", "-15\n"}


def test_a_process_that_is_left_is_reported(tmp_path: Path) -> None:
    """A function that returns while its process runs has leaked it."""
    file = tmp_path / "leak.py"
    file.write_text(
        textwrap.dedent("""
        from multiprocessing import Event, Process

        def main():
            event = Event()
            Process(target=event.wait, args=(1,)).start()
        """)
    )
    report = check_entry(Entry(file, "leak", "main"), target="leak.py::main")
    kind, _, task = failure_of(report)
    assert (kind, task) == ("leaked-task", "Process-1")


# --- locks --------------------------------------------------------------------------------------


def test_two_locks_in_opposite_order(tmp_path: Path) -> None:
    """Each process holds one, and waits for the other."""
    source = """
        from multiprocessing import Lock, Process

        def work(first, second):
            with first, second:
                pass

        if __name__ == "__main__":
            a, b = Lock(), Lock()
            processes = [Process(target=work, args=pair) for pair in ((a, b), (b, a))]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
        """
    assert failure_of(check(tmp_path, source))[0] == "deadlock"


LOCKS = """
    import pickle
    from multiprocessing import {kind}

    if __name__ == "__main__":
        lock = {kind}()
        try:
            {statement}
        except Exception as error:
            print(type(error).__name__, error)
    """


@pytest.mark.parametrize(
    ("kind", "statement", "told"),
    [
        ("Lock", "lock.release()", "ValueError semaphore or lock released too many times"),
        (
            "RLock",
            "lock.release()",
            "AssertionError attempt to release recursive lock not owned by thread",
        ),
        (
            "BoundedSemaphore",
            "lock.release()",
            "ValueError semaphore or lock released too many times",
        ),
        ("Condition", "lock.notify()", "AssertionError lock is not owned"),
        (
            "Queue",
            "pickle.dumps(lock)",
            (
                "RuntimeError Queue objects should only be shared between processes"
                " through inheritance"
            ),
        ),
        (
            "Lock",
            "pickle.dumps(lock)",
            "RuntimeError Lock objects should only be shared between processes through inheritance",
        ),
    ],
)
def test_misuse_fails_as_in_life(tmp_path: Path, kind: str, statement: str, told: str) -> None:
    """Types and messages are CPython's."""
    assert outputs(check(tmp_path, LOCKS.format(kind=kind, statement=statement))) == {f"{told}\n"}


def test_notify_wakes_any_sleeper(tmp_path: Path) -> None:
    """Of two that sleep either is woken, and only one."""
    source = """
        from multiprocessing import Condition, Process, Semaphore

        def sleep(condition, asleep, name):
            with condition:
                asleep.release()
                print(name, condition.wait(1))

        if __name__ == "__main__":
            condition, asleep = Condition(), Semaphore(0)
            processes = [Process(target=sleep, args=(condition, asleep, n)) for n in "ab"]
            for process in processes:
                process.start()
                asleep.acquire()
            with condition:
                condition.notify()
            for process in processes:
                process.join()
        """
    lines = {tuple(sorted(told.split("\n")[:-1])) for told in outputs(check(tmp_path, source))}
    assert lines >= {("a True", "b False"), ("a False", "b True"), ("a False", "b False")}
    assert ("a True", "b True") not in lines


def test_a_pulse_wakes_those_who_wait_already(tmp_path: Path) -> None:
    """A wait that began before set and clear returns False; a later one never does."""
    source = """
        from multiprocessing import Event, Process

        def work(event):
            print(event.wait())

        if __name__ == "__main__":
            event = Event()
            process = Process(target=work, args=(event,))
            process.start()
            event.set()
            event.clear()
            process.join()
        """
    report = check(tmp_path, source, keep_going=True)
    assert {failure.kind for failure in report.failures} == {"deadlock"}
    assert {outcome.stdout for outcome in report.outcomes} == {"", "True\n", "False\n"}


# --- messages -----------------------------------------------------------------------------------


PIPES = """
    from multiprocessing import Pipe, Process

    def work(end):
        {child}

    if __name__ == "__main__":
        here, there = Pipe()
        process = Process(target=work, args=(there,))
        process.start()
        there.close()
        try:
            {parent}
        except (EOFError, OSError) as error:
            print(type(error).__name__)
        process.join()
    """


@pytest.mark.parametrize(
    ("child", "parent", "results"),
    [
        ("end.send(1); end.send(2)", "print(here.recv(), here.recv())", {"1 2"}),
        ("end.send(1)", "print(here.recv(), here.recv())", {"EOFError"}),
        ("end.close()", "here.send(1); print(1)", {"1", "BrokenPipeError"}),
        ("pass", "here.send(1); here.recv()", {"BrokenPipeError", "ConnectionResetError"}),
        ("end.send(1)", "print(here.poll())", {"True", "False"}),
        ("end.send(1)", "print(here.poll(None))", {"True"}),
        (
            "end.send(1)",
            "process.join(); print(here.poll(), here.recv(), here.poll())",
            {"True 1 True"},
        ),
        ("end.send_bytes(bytes(10**8))", "print(len(here.recv_bytes()))", {"100000000"}),
    ],
)
def test_pipes(tmp_path: Path, child: str, parent: str, results: set[str]) -> None:
    """Messages, the end of the file, and what comes of hanging up."""
    source = PIPES.format(child=child, parent=parent)
    assert outputs(check(tmp_path, source)) == {f"{line}\n" for line in results}


def test_a_full_pipe_blocks_the_sender(tmp_path: Path) -> None:
    """Until enough is received: 64 KiB fit into a one-way pipe."""
    source = """
        from multiprocessing import Pipe

        if __name__ == "__main__":
            receiver, sender = Pipe(duplex=False)
            for _ in range(4):
                sender.send_bytes(bytes(16_000))
            print("four")
            receiver.recv_bytes()
            sender.send_bytes(bytes(16_000))
            print("five")
            sender.send_bytes(bytes(16_000))
        """
    report = check(tmp_path, source)
    assert failure_of(report)[0] == "deadlock"
    assert [outcome.stdout for outcome in report.outcomes] == ["four\nfive\n"]


def test_waiting_for_connections_and_sentinels(tmp_path: Path) -> None:
    """Whatever is ready when the wait goes on is returned, at least one thing."""
    source = """
        from multiprocessing import Pipe, Process
        from multiprocessing.connection import wait

        def work(end, name):
            end.send(name)

        if __name__ == "__main__":
            ends = []
            for name in "ab":
                here, there = Pipe(duplex=False)
                process = Process(target=work, args=(there, name))
                process.start()
                ends.append(here)
                last = process
            print(sorted(end.recv() for end in wait(ends)))
            while not wait([last.sentinel], 1):
                pass
        """
    assert outputs(check(tmp_path, source)) == {"['a']\n", "['b']\n", "['a', 'b']\n"}


QUEUES = """
    from multiprocessing import JoinableQueue, Process, Queue, SimpleQueue
    from queue import Empty, Full

    def work(queue, letters):
        for letter in letters:
            queue.put(letter)

    if __name__ == "__main__":
        queue = {queue}
        processes = [Process(target=work, args=(queue, letters)) for letters in {letters}]
        for process in processes:
            process.start()
        {parent}
        for process in processes:
            process.join()
    """
ALL = "print(''.join(queue.get() for _ in range({})))"


@pytest.mark.parametrize("queue", ["Queue()", "Queue(1)", "SimpleQueue()"])
def test_queues_keep_the_order_of_each_process(tmp_path: Path, queue: str) -> None:
    """What one process puts stays in order; different ones mix in every way."""
    source = QUEUES.format(queue=queue, letters="('ab', 'c')", parent=ALL.format(3))
    assert outputs(check(tmp_path, source)) == {"abc\n", "acb\n", "cab\n"}


@pytest.mark.parametrize(
    ("queue", "letters", "parent", "results"),
    [
        ("Queue()", "('a',)", "print(queue.empty()); queue.get()", {"True", "False"}),
        ("Queue()", "('a',)", "print(queue.qsize()); queue.get()", {"0", "1"}),
        ("Queue(1)", "('a',)", "print(queue.full()); queue.get()", {"True", "False"}),
        ("Queue()", "('',)", "print(queue.get())", None),
        (
            "JoinableQueue()",
            "('a',)",
            "queue.get(); queue.task_done(); queue.join(); print(1)",
            {"1"},
        ),
        ("JoinableQueue()", "('a',)", "queue.get(); queue.join()", None),
    ],
)
def test_looking_at_queues(
    tmp_path: Path, queue: str, letters: str, parent: str, results: set[str] | None
) -> None:
    """Each answer that life can give is found; None: it waits for ever."""
    source = QUEUES.format(queue=queue, letters=letters, parent=parent)
    report = check(tmp_path, source)
    if results is None:
        assert failure_of(report)[0] == "deadlock"
    else:
        assert outputs(report) == {f"{line}\n" for line in results}


def test_a_process_waits_for_its_feeder(tmp_path: Path) -> None:
    """Join before get: the feeder waits for room, its process for the feeder, and we for the process."""
    source = QUEUES.format(
        queue="Queue()", letters="(['x' * 100_000],)", parent="processes[0].join(); queue.get()"
    )
    assert failure_of(check(tmp_path, source))[0] == "deadlock"
    small = QUEUES.format(
        queue="Queue()", letters="('x',)", parent="processes[0].join(); queue.get()"
    )
    assert outputs(check(tmp_path, small)) == {""}


def test_what_cannot_be_pickled_is_lost(tmp_path: Path) -> None:
    """The feeder drops it, and goes on with the next."""
    source = """
        from multiprocessing import Queue

        if __name__ == "__main__":
            queue = Queue(1)
            queue.put(lambda: None)
            queue.put("next")
            print(queue.get())
        """
    assert outputs(check(tmp_path, source)) == {"next\n"}


def test_what_is_changed_after_put_travels_changed_or_not(tmp_path: Path) -> None:
    """The feeder pickles it some time after the put."""
    source = """
        from multiprocessing import Queue

        if __name__ == "__main__":
            queue, numbers = Queue(), [1]
            queue.put(numbers)
            numbers.append(2)
            print(queue.get())
        """
    assert outputs(check(tmp_path, source)) == {"[1]\n", "[1, 2]\n"}


# --- start methods ------------------------------------------------------------------------------


def test_contexts(tmp_path: Path) -> None:
    """Each has its own class and name; the default is chosen once."""
    source = """
        import multiprocessing
        from multiprocessing import get_context, set_start_method

        if __name__ == "__main__":
            print([type(get_context(m).Process()).__name__ for m in ("fork", "spawn")])
            set_start_method("spawn")
            try:
                set_start_method("fork")
            except RuntimeError as error:
                print(error)
            try:
                get_context("nonsense")
            except ValueError as error:
                print(error)
            print(multiprocessing.get_start_method())
        """
    told = [
        "['ForkProcess', 'SpawnProcess']",
        "context has already been set",
        "cannot find context for 'nonsense'",
        "spawn",
    ]
    assert outputs(check(tmp_path, source)) == {"\n".join(told) + "\n"}

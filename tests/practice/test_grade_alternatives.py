"""Right answers that are not the book's: the judge is strict with what is wrong, and with nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graded import with_parts
from parallel_cookbook.practice.grade import Grader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALTERNATIVES = [
    (
        "threads/visitor_count",
        "a private lock",
        """
        class VisitorCount:
            def __init__(self):
                self._lock = Lock()
                self.visits = 0

            def visit(self):
                self._lock.acquire()
                try:
                    self.visits += 1
                finally:
                    self._lock.release()
        """,
    ),
    (
        "threads/visitor_count",
        "one lock, and one more count, for all of the class",
        """
        lock = Lock()

        class VisitorCount:
            total = 0

            def __init__(self):
                self.visits = 0

            def visit(self):
                with lock:
                    VisitorCount.total += 1
                    self.visits += 1
        """,
    ),
    (
        "threads/visitor_count",
        "a semaphore in a dataclass",
        """
        from dataclasses import dataclass, field
        from threading import Semaphore

        @dataclass
        class VisitorCount:
            free: Semaphore = field(default_factory=Semaphore)
            visits: int = 0

            def visit(self):
                with self.free:
                    self.visits += 1
        """,
    ),
    (
        "threads/visitor_count",
        "an atomic append, and a property",
        """
        class VisitorCount:
            def __init__(self):
                self._all = []

            def visit(self):
                self._all.append(1)

            @property
            def visits(self):
                return len(self._all)
        """,
    ),
    (
        "threads/visitor_count",
        "a decorator",
        """
        from functools import wraps

        def locked(method):
            @wraps(method)
            def call(self):
                with self.lock:
                    return method(self)
            return call

        class VisitorCount:
            def __init__(self):
                self.lock = Lock()
                self.visits = 0

            @locked
            def visit(self):
                self.visits += 1
        """,
    ),
    (
        "threads/pulsed_event",
        "a while loop around wait",
        """
        class Configuration:
            def __init__(self):
                self.version = 1
                self.changed = Condition()

            def publish(self):
                with self.changed:
                    self.version += 1
                    self.changed.notify_all()

            def wait_for_newer(self, version):
                with self.changed:
                    while self.version <= version:
                        self.changed.wait()
                    return self.version
        """,
    ),
    (
        "threads/pulsed_event",
        "an event for each version",
        """
        from threading import Event, Lock

        class Configuration:
            def __init__(self):
                self.lock = Lock()
                self.version = 1
                self.changed = Event()

            def publish(self):
                with self.lock:
                    self.version += 1
                    changed, self.changed = self.changed, Event()
                changed.set()

            def wait_for_newer(self, version):
                while True:
                    with self.lock:
                        if self.version > version:
                            return self.version
                        changed = self.changed
                    changed.wait()
        """,
    ),
    (
        "threads/one_connection",
        "a second look under the lock",
        """
        lock = Lock()

        def connection():
            global _connection
            if _connection is None:
                with lock:
                    if _connection is None:
                        _connection = Connection()
            return _connection
        """,
    ),
    (
        "threads/philosophers",
        "a waiter who lets one less sit down",
        """
        from threading import Semaphore

        waiter = Semaphore(2)

        def dine(left, right):
            with waiter, left.lock, right.lock:
                eat(left, right)
        """,
    ),
    (
        "threads/empty_then_get",
        "a pool",
        """
        from concurrent.futures import ThreadPoolExecutor

        def file_all(reports, clerks):
            cabinet = []
            with ThreadPoolExecutor(clerks) as pool:
                for _ in range(clerks):
                    pool.submit(file_reports, reports, cabinet)
            return cabinet
        """,
    ),
    (
        "threads/empty_then_get",
        "sentinels",
        """
        def file_reports(reports, cabinet):
            while report := reports.get():
                put_away(report, cabinet)

        def file_all(reports, clerks):
            cabinet = []
            threads = [Thread(target=file_reports, args=(reports, cabinet)) for _ in range(clerks)]
            for thread in threads:
                thread.start()
                reports.put("")
            for thread in threads:
                thread.join()
            return cabinet
        """,
    ),
    (
        "threads/closing_time",
        "whoever takes the None puts it back",
        """
        def waiter(counter, served):
            while (dish := counter.get()) is not None:
                serve(dish, served)
            counter.put(None)
        """,
    ),
    (
        "introduction/eager_call",
        "bound with partial",
        """
        from functools import partial

        def fetch_all(service, cities):
            threads = [Thread(target=partial(service.fetch, city)) for city in cities]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        """,
    ),
    (
        "processes/lambda_in_pool",
        "starmap",
        """
        def scale_all(widths, percent):
            with get_context("spawn").Pool(2) as pool:
                return pool.starmap(scale, [(width, percent) for width in widths])
        """,
    ),
    (
        "processes/lambda_in_pool",
        "an executor",
        """
        from concurrent.futures import ProcessPoolExecutor

        def scale_all(widths, percent):
            with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
                return list(pool.map(partial(scale, percent=percent), widths))
        """,
    ),
    (
        "processes/nested_list",
        "reads, adds and writes back under a lock of the manager's",
        """
        def new_rooms(manager):
            return manager.dict({"hall": [], "lock": manager.Lock()})

        def file_reading(rooms, room, reading):
            with rooms["lock"]:
                rooms[room] = rooms[room] + [reading]
        """,
    ),
    (
        "synchronisation/fork_with_lock",
        "a fork server",
        """
        def start():
            context = get_context("forkserver")
            process = context.Process(target=write_log, args=("hello",), daemon=True)
            process.start()
            return process
        """,
    ),
]


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        yield grader


@pytest.mark.parametrize(
    ("name", "code"),
    [pytest.param(name, code, id=f"{name}: {how}") for name, how, code in ALTERNATIVES],
)
def test_another_right_answer_passes(grader: Grader, tmp_path: Path, name: str, code: str) -> None:
    """Whatever the task can be done with."""
    grade = grader.grade(*with_parts(name, tmp_path, code), max_seconds=60)
    assert grade.passed, grade

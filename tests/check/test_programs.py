"""Whole programs, unmodified, and what a check must say of them."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry, replay_entry

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import CheckReport


@dataclass(frozen=True)
class Case:
    """A program, and the verdict and kind of failure that it deserves."""

    name: str
    source: str
    verdict: str = "pass"
    kind: str = ""
    executions: int | None = None


def check_source(folder: Path, source: str, **options: object) -> CheckReport:
    file = folder / "program.py"
    file.write_text(dedent(source))
    options.setdefault("budget", Budget(max_seconds=30))
    return check_entry(Entry(file), target="program.py", **options)  # type: ignore[arg-type]


TWO_THREADS = """
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""

CASES = [
    Case(
        "a bare increment of a global",
        "import threading\ncounter = 0\ndef work():\n    global counter\n    counter += 1\n"
        + dedent(TWO_THREADS)
        + "assert counter == 2, counter\n",
        "fail",
        "assertion",
    ),
    Case(
        "a check, and an act that reads once more",
        """
        import threading
        left = 1
        def take():
            global left
            if left > 0:
                left -= 1
        threads = [threading.Thread(target=take) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert left >= 0, left
        """,
        "fail",
        "assertion",
    ),
    Case(
        "an increment under a lock made at import",
        "import threading\nfrom threading import Lock\nlock = Lock()\ncounter = 0\n"
        "def work():\n    global counter\n    with lock:\n        counter += 1\n"
        + dedent(TWO_THREADS)
        + "assert counter == 2\n",
        executions=2,
    ),
    Case(
        "an increment of a class attribute through type(self)",
        """
        import threading
        class Visits:
            n = 0
            def visit(self):
                type(self).n += 1
        visits = Visits()
        threads = [threading.Thread(target=visits.visit) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert Visits.n == 2
        """,
        "fail",
        "assertion",
    ),
    Case(
        "a lock as a dataclass's default factory",
        """
        import threading
        from dataclasses import dataclass, field
        @dataclass
        class Account:
            balance: int = 0
            lock: threading.Lock = field(default_factory=threading.Lock)
            def add(self):
                with self.lock:
                    self.balance += 1
        account = Account()
        threads = [threading.Thread(target=account.add) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert account.balance == 2
        """,
        executions=2,
    ),
    Case(
        "two locks in opposite order",
        """
        import threading
        a, b = threading.Lock(), threading.Lock()
        def one():
            with a:
                with b: pass
        def two():
            with b:
                with a: pass
        threads = [threading.Thread(target=one), threading.Thread(target=two)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """,
        "fail",
        "deadlock",
    ),
    Case(
        "an exception in a worker",
        """
        import threading
        def work():
            raise ValueError("no such parcel")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """,
        "fail",
        "exception",
    ),
    Case(
        "a singleton built twice",
        """
        import threading
        class Config:
            instance = None
            @classmethod
            def get(cls):
                if cls.instance is None:
                    cls.instance = cls()
                return cls.instance
        got = []
        def work():
            got.append(Config.get())
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert got[0] is got[1]
        """,
        "fail",
        "assertion",
    ),
    Case(
        "a closure variable without a lock",
        """
        import threading
        def main():
            total = 0
            def work():
                nonlocal total
                total += 1
            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert total == 2
        main()
        """,
        "fail",
        "assertion",
    ),
    Case(
        "a thread that starts a thread",
        """
        import threading
        seen = []
        def inner(): seen.append("inner")
        def outer():
            thread = threading.Thread(target=inner)
            thread.start()
            thread.join()
            seen.append("outer")
        thread = threading.Thread(target=outer)
        thread.start()
        thread.join()
        assert seen == ["inner", "outer"]
        """,
        executions=1,
    ),
    Case(
        "slots of one list, filled by two threads",
        """
        import threading
        results = [None, None]
        def work(i): results[i] = i * i
        threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert results == [0, 1]
        """,
        executions=1,
    ),
    Case(
        "a sleep that is meant to let the other go first",
        """
        import threading, time
        value = 0
        def work():
            global value
            value = 1
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.1)
        assert value == 1
        thread.join()
        """,
        "fail",
        "assertion",
    ),
    Case(
        "a lock taken with a time-out while its holder sleeps",
        """
        import threading, time
        lock = threading.Lock()
        taken = threading.Event()
        def hold():
            with lock:
                taken.set()
                time.sleep(100)
        thread = threading.Thread(target=hold)
        thread.start()
        taken.wait()
        if lock.acquire(timeout=30):
            lock.release()
        thread.join()
        """,
    ),
    Case(
        "a pulse of an event that comes too early",
        """
        import threading
        event = threading.Event()
        def wait(): event.wait()
        thread = threading.Thread(target=wait)
        thread.start()
        event.set()
        event.clear()
        thread.join()
        """,
        "fail",
        "deadlock",
    ),
    Case(
        "a right buffer for two producers and two consumers with one condition",
        """
        import threading
        class Buffer:
            def __init__(self):
                self.items = []
                self.changed = threading.Condition()
            def put(self, item):
                with self.changed:
                    while len(self.items) == 1:
                        self.changed.wait()
                    self.items.append(item)
                    self.changed.notify_all()
            def get(self):
                with self.changed:
                    while not self.items:
                        self.changed.wait()
                    item = self.items.pop(0)
                    self.changed.notify_all()
                    return item
        buffer = Buffer()
        got = []
        def consume(): got.append(buffer.get())
        threads = [threading.Thread(target=buffer.put, args=(i,)) for i in range(2)]
        threads += [threading.Thread(target=consume) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert sorted(got) == [0, 1]
        """,
    ),
    Case(
        "a container's method as a thread's target",
        """
        import threading
        seen = []
        threads = [threading.Thread(target=seen.append, args=(i,)) for i in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert seen == [0, 1]
        """,
        "fail",
        "assertion",
    ),
    Case(
        "a default in the class that another thread overrides in the object",
        """
        import threading
        class Job:
            state = "new"
        job, seen = Job(), []
        def read(): seen.append(job.state)
        def write(): job.state = "done"
        threads = [threading.Thread(target=read), threading.Thread(target=write)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert seen == ["new"]
        """,
        "fail",
        "assertion",
    ),
    Case(
        "a subclass of a built-in container",
        """
        import threading
        from collections import Counter
        count = Counter()
        def work(): count["a"] += 1
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert count["a"] == 2
        """,
        "fail",
        "assertion",
    ),
    Case(
        "a flag polled in a loop",
        """
        import threading
        ready = False
        def work():
            global ready
            ready = True
        thread = threading.Thread(target=work)
        thread.start()
        while not ready:
            pass
        thread.join()
        """,
    ),
    Case(
        "data polled under a lock",
        """
        import threading, time
        lock, items = threading.Lock(), []
        def work():
            with lock:
                items.append(1)
        thread = threading.Thread(target=work)
        thread.start()
        while True:
            with lock:
                if items:
                    break
            time.sleep(0.01)
        thread.join()
        """,
    ),
    Case(
        "a flag that nobody will set",
        """
        import threading, time
        ready = False
        thread = threading.Thread(target=lambda: None)
        thread.start()
        while not ready:
            time.sleep(0.1)
        thread.join()
        """,
        "fail",
        "livelock",
    ),
    Case(
        "three tries with a time-out, all of which may fail",
        """
        import threading
        lock = threading.Lock()
        def hold():
            with lock:
                pass
        thread = threading.Thread(target=hold)
        thread.start()
        for attempt in range(3):
            if lock.acquire(timeout=0.1):
                lock.release()
                break
        else:
            raise RuntimeError("never got it")
        thread.join()
        """,
        "fail",
        "exception",
    ),
    Case(
        "log records from two threads",
        """
        import io, logging, threading
        stream = io.StringIO()
        logging.basicConfig(stream=stream, format="%(threadName)s", force=True)
        def work(): logging.warning("here")
        threads = [threading.Thread(target=work, name=f"t{i}") for i in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert sorted(stream.getvalue().split()) == ["t0", "t1"]
        """,
    ),
    Case(
        "a pool that nobody shuts down",
        """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(1)
        assert pool.submit(pow, 2, 3).result() == 8
        """,
    ),
    Case(
        "a context variable that each thread has for itself",
        """
        import contextvars, threading
        user = contextvars.ContextVar("user", default="nobody")
        def work():
            assert user.get() == "nobody"
            user.set("worker")
        user.set("main")
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert user.get() == "main"
        """,
    ),
    Case(
        "a thread that daemonically never ends",
        """
        import threading
        stop = threading.Event()
        threading.Thread(target=stop.wait, daemon=True).start()
        """,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_the_verdict_is_right(case: Case, tmp_path: Path) -> None:
    """The verdict, the kind of failure and, where it is known, the number of classes."""
    report = check_source(tmp_path, case.source)
    assert report.verdict == case.verdict, report
    assert [failure.kind for failure in report.failures] == ([case.kind] if case.kind else [])
    assert report.exhaustive == (case.verdict == "pass")
    if case.executions is not None:
        assert report.executions == case.executions


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.kind], ids=lambda case: case.name.replace(" ", "-")
)
def test_a_counterexample_replays_to_the_same_failure(case: Case, tmp_path: Path) -> None:
    """Also after lines were added above, because a schedule holds no line numbers."""
    (failure,) = check_source(tmp_path, case.source).failures
    for prefix in ("", "# a comment\n\nimport math\n\n"):
        file = tmp_path / "program.py"
        file.write_text(prefix + dedent(case.source))
        _, faults, _ = replay_entry(Entry(file), failure.schedule)
        assert [fault.kind for fault in faults] == [failure.kind]

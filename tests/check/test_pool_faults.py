"""What follows when a worker of a pool, or a process beside it, is killed: with faults at every step."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import Barrier, JoinableQueue, Lock, Manager, Pipe, Pool, Process, Queue, RawArray
from threading import BrokenBarrierError

def square(number):
    return number * number

def put(queue):
    queue.put(1)

def take(queue):
    queue.get()
    queue.task_done()

def send(end):
    end.send(1)

def meet(barrier):
    barrier.wait()

def fill(cells):
    cells[0] = 1
    cells[1] = 1

"""
"""Each program, and the kind of failure that it can come to."""
PROGRAMS = {
    "a map waits for a task that is lost": (
        "with Pool(1) as pool: pool.map(square, [1])",
        "deadlock",
    ),
    "so does an apply": ("with Pool(1) as pool: pool.apply(square, (1,))", "deadlock"),
    "so does an imap": (
        "with Pool(1) as pool: list(pool.imap(square, iter([1])))",
        "deadlock",
    ),
    "an executor breaks": (
        "with ProcessPoolExecutor(1) as pool: pool.submit(square, 1).result()",
        "exception",
    ),
    "who expects that is right": (
        """
        with ProcessPoolExecutor(1) as pool:
            try:
                assert pool.submit(square, 2).result() == 4
            except BrokenProcessPool:
                pass
        """,
        "",
    ),
    "who waits for a time is right": (
        """
        with Pool(1) as pool:
            pool.map_async(square, [1]).wait(5)
        """,
        "",
    ),
    "an item that was never fed": (
        "queue = Queue()\np = Process(target=put, args=(queue,))\np.start()\nqueue.get()\np.join()",
        "deadlock",
    ),
    "who looks at the exit code is right": (
        """
        queue = Queue()
        p = Process(target=put, args=(queue,))
        p.start()
        p.join()
        if p.exitcode == 0:
            assert queue.get() == 1
        """,
        "",
    ),
    "an end that is open in the receiver, too": (
        "a, b = Pipe()\np = Process(target=send, args=(b,))\np.start()\na.recv()\np.join()",
        "deadlock",
    ),
    "an end that is closed there": (
        """
        a, b = Pipe()
        p = Process(target=send, args=(b,))
        p.start()
        b.close()
        try:
            assert a.recv() == 1
        except EOFError:
            pass
        """,
        "",
    ),
    "a barrier that nobody comes to": (
        "b = Barrier(2)\np = Process(target=meet, args=(b,))\np.start()\nb.wait()\np.join()",
        "deadlock",
    ),
    "half of an update": (
        """
        cells = RawArray("i", 2)
        p = Process(target=fill, args=(cells,))
        p.start()
        p.join()
        assert p.exitcode is not None and cells[0] == cells[1]
        """,
        "assertion",
    ),
    "a task that is never done": (
        """
        queue = JoinableQueue()
        queue.put(1)
        p = Process(target=take, args=(queue,))
        p.start()
        queue.join()
        """,
        "deadlock",
    ),
}


def check(folder: Path, body: str, faults: int) -> CheckReport:
    """Check a program whose main does what `body` says, to its end."""
    file = folder / "program.py"
    main = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    file.write_text(f'{HEAD}\nif __name__ == "__main__":\n{main}\n')
    budget = Budget(None, 60)
    return check_entry(Entry(file), target="", strategy="dpor", budget=budget, faults=faults)


@pytest.mark.parametrize(("body", "kind"), PROGRAMS.values(), ids=PROGRAMS)
def test_what_a_killed_worker_leaves(tmp_path: Path, body: str, kind: str) -> None:
    """Without faults each program is right; with one, it is right or fails as real life does."""
    right = check(tmp_path, body, 0)
    assert (right.verdict, right.exhaustive) == ("pass", True), right
    report = check(tmp_path, body, 1)
    assert [failure.kind for failure in report.failures] == [kind] * bool(kind)
    assert report.verdict == ("fail" if kind else "pass"), report

"""Programs with pools and managers, in which a process is killed: a random walk finds nothing new.

Plain search has too many executions here; a random walk goes by other ways than DPOR's, and needs no
knowledge of what conflicts.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry
from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.exploration import explore
from parallel_cookbook.strategies import Dpor, RandomWalk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parallel_cookbook.strategies import Strategy

HEAD = """\
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import *

def square(number):
    return number * number

def install(value):
    global shared
    shared = value

def add(number):
    with shared.get_lock():
        shared.value += number

def count(table, lock):
    with lock:
        table["n"] = table.get("n", 0) + 1

def put(queue):
    queue.put(1)
    queue.put(2)

"""
PROGRAMS = {
    "map": "with Pool(1) as pool: print(pool.map(square, [1]))",
    "close": """
        pool = Pool(1)
        result = pool.apply_async(square, (3,))
        pool.close()
        pool.join()
        print(result.ready())
        """,
    "imap": "with Pool(1) as pool: print(next(pool.imap(square, iter([1]))))",
    "a worker for each task": (
        "with Pool(1, maxtasksperchild=1) as pool: print(pool.map(square, [1]))"
    ),
    "a value": """
        value = Value("i", 0)
        with Pool(1, install, (value,)) as pool:
            pool.map(add, [1])
        print(value.value)
        """,
    "an executor": """
        with ProcessPoolExecutor(1) as pool:
            try:
                print(pool.submit(square, 2).result())
            except BrokenProcessPool:
                print("broken")
        """,
    "a manager": """
        manager = Manager()
        table, lock = manager.dict(), manager.Lock()
        process = Process(target=count, args=(table, lock))
        process.start()
        process.join()
        print(process.exitcode, table.get("n"))
        """,
    "a queue": """
        queue = Queue()
        process = Process(target=put, args=(queue,))
        process.start()
        process.join()
        print(process.exitcode, queue.qsize())
        """,
}


def found(
    file: Path, strategy: Callable[[], Strategy], executions: int
) -> tuple[set[object], bool]:
    """Return what can come of a program in which one process is killed, and whether that is all."""
    machine = Machine(Entry(file), max_steps=3000, faults=1)
    tally = explore(machine, strategy, Budget(executions, None), stop_at_first=False)
    faults: set[object] = {(fault.kind, fault.message) for fault in tally.faults}
    return faults | {stdout for stdout, _ in tally.outcomes}, tally.is_exhaustive


@pytest.mark.parametrize("body", PROGRAMS.values(), ids=PROGRAMS)
def test_a_random_walk_finds_nothing_new(tmp_path: Path, body: str) -> None:
    """DPOR comes to its end, and has seen that it matters who is killed, and when."""
    file = tmp_path / "program.py"
    main = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    file.write_text(f'{HEAD}\nif __name__ == "__main__":\n{main}\n')
    all_of_them, is_all = found(file, Dpor, 2000)
    assert is_all
    walked, _ = found(file, lambda: RandomWalk(3), 150)
    assert len(all_of_them) > 1
    assert walked <= all_of_them

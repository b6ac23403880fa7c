"""What a step costs in a program of processes, beside the same program on threads and beside real runs.

    python benchmarks/process_speed.py

Part of `check_speed.py`, for itself because it needs nothing but the package. Each pair of programs is
written once: only what its things and its tasks are made of differs. Quote the ratios.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from parallel_cookbook.check import Entry
from parallel_cookbook.check.execution import Machine
from parallel_cookbook.strategies import Dpor

PROCESSES = """\
from multiprocessing import Barrier, Pool, Process as Task, Queue, Value
"""
THREADS = """\
from multiprocessing.pool import ThreadPool as Pool
from queue import Queue
from threading import Barrier, Lock, Thread as Task

class Value:
    def __init__(self, kind, value):
        self.value = value
        self.lock = Lock()

    def get_lock(self):
        return self.lock
"""
SHELL = """
{work}

if __name__ == "__main__":
    {things}
    tasks = [Task(target=work, args=(thing,)) for _ in range({tasks})]
    for task in tasks:
        task.start()
    {own}
    for task in tasks:
        task.join()
"""
PROCESS_PROGRAMS = {
    "producer and consumer over a Queue": SHELL.format(
        work="def work(thing):\n    for n in range(3):\n        thing.put(n)",
        things="thing = Queue()",
        tasks=1,
        own="assert [thing.get() for _ in range(3)] == [0, 1, 2]",
    ),
    "2 tasks x 2 locked increments of a Value": SHELL.format(
        work=(
            "def work(thing):\n    for _ in range(2):\n"
            "        with thing.get_lock():\n            thing.value += 1"
        ),
        things="thing = Value('i', 0)",
        tasks=2,
        own="",
    ),
    "a Barrier of 3": SHELL.format(
        work="def work(thing):\n    thing.wait()",
        things="thing = Barrier(3)",
        tasks=2,
        own="thing.wait()",
    ),
    "a Pool(2).map over 4 items": """
def square(number):
    return number * number

if __name__ == "__main__":
    with Pool(2) as pool:
        assert pool.map(square, range(4)) == [0, 1, 4, 9]
""",
}


@dataclass(frozen=True)
class Rates:
    """How quick the search of one program is."""

    executions: int
    """How many a search takes."""
    executions_per_s: float
    steps_per_s: float


LEAST_S = 2.0
"""For how long each check is repeated, for its rate."""
REAL_RUNS = 5


def measure_processes(name: str) -> dict[str, object]:
    """Check a program with processes and with threads, and run it for real; return the rates."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.py"
        file.write_text(THREADS + PROCESS_PROGRAMS[name])
        threads = _rates(file)
        file.write_text(PROCESSES + PROCESS_PROGRAMS[name])
        processes = _rates(file)
        real = _real_rate(file)
    return {
        "program": name,
        "executions": processes.executions,
        "rate": processes.executions_per_s,
        "step_us": 1e6 / processes.steps_per_s,
        "threads_rate": threads.executions_per_s,
        "threads_step_us": 1e6 / threads.steps_per_s,
        "times_threads": threads.steps_per_s / processes.steps_per_s,
        "real_rate": real,
        "times_real": processes.executions_per_s / real,
    }


def _rates(file: Path) -> Rates:
    """Search a program to its end again and again; the first search, which loads it, does not count."""
    machine = Machine(Entry(file), max_steps=10_000)
    executions = _search(machine)[0]
    done = steps = 0
    started = time.perf_counter()
    while time.perf_counter() - started < LEAST_S:
        new_executions, new_steps = _search(machine)
        done += new_executions
        steps += new_steps
    spent = time.perf_counter() - started
    machine.kernel.close()
    return Rates(executions, done / spent, steps / spent)


def _search(machine: Machine) -> tuple[int, int]:
    """Return how many executions and steps an exhaustive search takes; assert that none goes wrong."""
    strategy = Dpor()
    executions = steps = 0
    while True:
        execution = machine.execute(strategy, strategy.repeats)
        assert not execution.faults, execution.faults  # noqa: S101 - a benchmark of right programs
        if machine.learn():
            strategy = Dpor()
            executions = steps = 0
            continue
        executions += 1
        steps += execution.steps
        if not strategy.next_execution():
            return executions, steps


def _real_rate(file: Path) -> float:
    """Return how often a second the program runs for real, its processes spawned."""
    source = file.read_text().replace(
        '"__main__":\n',
        '"__main__":\n    __import__("multiprocessing").set_start_method("spawn")\n',
    )
    real = file.with_name("real.py")
    real.write_text(source)
    started = time.perf_counter()
    for _ in range(REAL_RUNS):
        subprocess.run([sys.executable, str(real)], check=True)
    return REAL_RUNS / (time.perf_counter() - started)


def process_table(rows: list[dict[str, object]]) -> Table:
    """Return the table of processes."""
    table = Table(title="Processes, beside threads and beside real runs")
    left = ("program", "executions", "executions/s", "us/step")
    right = ("threads: executions/s", "us/step", "ratio", "real runs/s", "ratio")
    for column in (*left, *right):
        table.add_column(column, justify="left" if column == "program" else "right")
    for row in rows:
        table.add_row(
            str(row["program"]),
            f"{row['executions']:,}",
            f"{row['rate']:,.0f}",
            f"{row['step_us']:.1f}",
            f"{row['threads_rate']:,.0f}",
            f"{row['threads_step_us']:.1f}",
            f"{row['times_threads']:.1f}",
            f"{row['real_rate']:.1f}",
            f"{row['times_real']:,.0f}",
        )
    return table


if __name__ == "__main__":
    Console(width=150).print(process_table([measure_processes(name) for name in PROCESS_PROGRAMS]))

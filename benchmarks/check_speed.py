"""How quick the check is, beside the exhaustive checker `frontrun` on the same programs in the same run.

    python benchmarks/check_speed.py [--compiled] [--seconds 5] [--endurance 100000] [--json FILE]

Needs the extra `bench` (`pip install -e '.[bench]'`). With `--compiled`, what `pip install` makes of this
checkout where there is a C compiler is measured, in place of the checkout itself. Four tables:

1. For each program: executions and steps a second, the executions that it took and the classes of
   interleavings that there are, and the peak memory of the process; for a program that is wrong, the time to
   the bug. The two checkers are run in turns, each in a process of its own, so that a machine that
   slows down slows both. Quote the ratios: absolute figures are this machine's.
2. How many executions each strategy needs to the first bug, on programs from the literature.
3. Programs of processes, beside the same programs on threads, and run for real under spawn.
4. Whether speed and memory stay what they are: a search of very many executions, in tenths.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.program import Entry
from parallel_cookbook.kernel import scheduler
from parallel_cookbook.strategies import Dpor

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from process_speed import PROCESS_PROGRAMS, measure_processes, process_table

from first_bug import as_text, first_bug_table

COUNTER = """\
import threading

class Shared:
    def __init__(self):
        self.lock = threading.Lock()
        self.n = 0

    def work(self):
        for _ in range({rounds}):
            with self.lock:
                self.n += 1

TASKS, EXPECTED = {tasks}, {tasks} * {rounds}

def holds(shared):
    return shared.n == EXPECTED
"""
RACY = COUNTER.replace("            with self.lock:\n                self", "            self")
PHILOSOPHERS = """\
import threading

class Shared:
    def __init__(self):
        self.forks = [threading.Lock() for _ in range({tasks})]
        self.seats = iter(range({tasks}))
        self.gate = threading.Lock()

    def work(self):
        with self.gate:
            seat = next(self.seats)
        with self.forks[seat]:
            with self.forks[(seat + 1) % {tasks}]:
                pass

TASKS = {tasks}

def holds(shared):
    return True
"""
OURS = """\
{source}

def main():
    shared = Shared()
    threads = [threading.Thread(target=shared.work) for _ in range(TASKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert holds(shared)
"""
THEIRS = """\
import frontrun, json, resource, time
{source}

started = time.perf_counter()
result = frontrun.explore(
    setup=Shared, workers=Shared.work, count=TASKS, invariant=holds, detect_io=False,
    preemption_bound=None, total_timeout={seconds}, reproduce_on_failure=0,
)
print(json.dumps({{
    "executions": result.num_explored,
    "seconds": time.perf_counter() - started,
    "holds": result.property_holds,
    "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}}))
"""
ROUNDS = 3
"""How often each side runs each program; the median is shown."""


@dataclass(frozen=True)
class Program:
    """A program, and the number of its classes of interleavings where that is known."""

    name: str
    source: str
    classes: int | None = None


PROGRAMS = [
    Program("2 tasks x 2 locked increments", COUNTER.format(tasks=2, rounds=2), 6),
    Program("2 tasks x 3 locked increments", COUNTER.format(tasks=2, rounds=3), 20),
    Program("3 tasks x 2 locked increments", COUNTER.format(tasks=3, rounds=2), 90),
    Program("3 tasks x 3 locked increments", COUNTER.format(tasks=3, rounds=3), 1680),
    Program("4 tasks x 2 locked increments", COUNTER.format(tasks=4, rounds=2), 2520),
    *(
        Program(f"{k} tasks x 1 locked increment", COUNTER.format(tasks=k, rounds=1), classes)
        for k, classes in ((3, 6), (4, 24), (5, 120), (6, 720))
    ),
    Program("2 tasks x 1 bare increment", RACY.format(tasks=2, rounds=1)),
    Program("3 philosophers", PHILOSOPHERS.format(tasks=3)),
]


def run_ours(program: Program, folder: Path, seconds: float) -> dict[str, object]:
    """Check the program in a process of its own; repeat until a second has passed, for the rate."""
    file = folder / "ours.py"
    file.write_text(OURS.format(source=program.source))
    code = (
        "import json, resource, time\n"
        "from pathlib import Path\n"
        "from parallel_cookbook.check import Budget, Entry, check_entry\n"
        f"entry = Entry(Path({str(file)!r}), 'ours', 'main')\n"
        f"budget = Budget(max_seconds={seconds})\n"
        "check = lambda: check_entry(entry, target='', strategy='dpor', budget=budget)\n"
        "started = time.perf_counter()\n"
        "report = check()\n"
        "whole = time.perf_counter() - started\n"
        "executions, steps, spent = report.executions, report.steps, report.seconds\n"
        "while report.verdict == 'pass' and spent < 1:\n"
        "    again = check()\n"
        "    executions += again.executions; steps += again.steps; spent += again.seconds\n"
        "memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(json.dumps(dict(executions=report.executions, rate=executions / spent,\n"
        "    steps=steps / spent, seconds=whole, verdict=report.verdict,\n"
        "    exhaustive=report.exhaustive, memory_mb=memory)))\n"
    )
    return _run([sys.executable, "-c", code])


def run_theirs(program: Program, folder: Path, seconds: float) -> dict[str, object]:
    """Explore the program with frontrun, in a process of its own, under its wrapper command."""
    file = folder / "theirs.py"
    file.write_text(THEIRS.format(source=program.source, seconds=seconds))
    frontrun = shutil.which("frontrun", path=str(Path(sys.executable).parent)) or "frontrun"
    found = _run([frontrun, sys.executable, str(file)])
    return {**found, "rate": float(str(found["executions"])) / float(str(found["seconds"]))}


def _run(command: list[str]) -> dict[str, object]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr}")
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(program: Program, seconds: float) -> dict[str, object]:
    """Run both sides in turns; return the median rates and their ratio."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(ROUNDS):
            ours.append(run_ours(program, Path(name), seconds))
            theirs.append(run_theirs(program, Path(name), seconds))
    rate = statistics.median(float(str(run["rate"])) for run in ours)
    their_rate = statistics.median(float(str(run["rate"])) for run in theirs)
    return {
        "program": program.name,
        "classes": program.classes,
        "executions": ours[0]["executions"],
        "verdict": ours[0]["verdict"],
        "exhaustive": ours[0]["exhaustive"],
        "rate": rate,
        "steps": statistics.median(float(str(run["steps"])) for run in ours),
        "seconds": statistics.median(float(str(run["seconds"])) for run in ours),
        "memory_mb": max(float(str(run["memory_mb"])) for run in ours),
        "frontrun_executions": theirs[0]["executions"],
        "frontrun_holds": theirs[0]["holds"],
        "frontrun_rate": their_rate,
        "frontrun_seconds": statistics.median(float(str(run["seconds"])) for run in theirs),
        "ratio": rate / their_rate,
    }


def speed_table(rows: list[dict[str, object]]) -> Table:
    """Return the first table."""
    core = "interpreted" if scheduler.__file__.endswith(".py") else "compiled"
    table = Table(
        title=f"Python {sys.version.split()[0]}, core {core}, {time.strftime('%Y-%m-%d')}"
    )
    columns = ("program", "classes", "executions", "verdict", "seconds", "executions/s", "steps/s")
    theirs = ("MB", "frontrun: executions", "holds", "seconds", "executions/s", "ratio")
    for column in (*columns, *theirs):
        table.add_column(column, justify="left" if column in {"program", "verdict"} else "right")
    for row in rows:
        table.add_row(
            str(row["program"]),
            str(row["classes"] or ""),
            f"{row['executions']:,}",
            str(row["verdict"]),
            f"{row['seconds']:.3f}",
            f"{row['rate']:,.0f}",
            f"{row['steps']:,.0f}",
            f"{row['memory_mb']:.0f}",
            f"{row['frontrun_executions']:,}",
            str(row["frontrun_holds"]),
            f"{row['frontrun_seconds']:.3f}",
            f"{row['frontrun_rate']:,.0f}",
            f"{row['ratio']:.0f}",
        )
    return table


def endurance(executions: int, console: Console) -> list[dict[str, float]]:
    """Search a program with more classes than that; print speed and peak memory, in tenths."""
    source = OURS.format(source=COUNTER.format(tasks=4, rounds=4))
    rows: list[dict[str, float]] = []
    table = Table(title=f"{executions:,} executions of 4 tasks x 4 locked increments")
    for column in ("executions", "executions/s", "peak MB"):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "endurance.py"
        file.write_text(source)
        machine = Machine(Entry(file, "endurance", "main"), max_steps=10_000)
        strategy = Dpor()
        for part in range(1, 11):
            started = time.perf_counter()
            for _ in range(executions // 10):
                machine.execute(strategy, strategy.repeats)
                assert strategy.next_execution()  # noqa: S101 - there are 63 million classes
            rate = executions // 10 / (time.perf_counter() - started)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            done = part * (executions // 10)
            rows.append({"executions": done, "rate": rate, "memory_mb": peak})
            table.add_row(f"{done:,}", f"{rate:,.0f}", f"{peak:.0f}")
    console.print(table)
    return rows


def run_compiled() -> int:
    """Install this checkout in a folder of its own, compiled, and run this program on it."""
    checkout = Path(__file__).parents[1]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COOKBOOK_COMPILE"] = "1"
        subprocess.run([*pip, folder, str(checkout)], check=True)
        os.environ["PYTHONPATH"] = folder
        arguments = [one for one in sys.argv if one != "--compiled"]
        return subprocess.run([sys.executable, *arguments], check=False).returncode


def main() -> None:
    """Print the tables, and write them as JSON if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="for each exploration")
    parser.add_argument("--endurance", type=int, default=100_000, help="how many executions")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--compiled", action="store_true", help="compile the core first")
    options = parser.parse_args()
    if options.compiled:
        raise SystemExit(run_compiled())
    console = Console(width=180)
    speed = [measure(program, options.seconds) for program in PROGRAMS]
    console.print(speed_table(speed))
    first_bugs = first_bug_table()
    console.print(
        "\nExecutions to the first bug; the median of five seeds\n", as_text(first_bugs), "\n"
    )
    processes = [measure_processes(name) for name in PROCESS_PROGRAMS]
    console.print(process_table(processes))
    lasting = endurance(options.endurance, console)
    if options.json:
        figures = {"speed": speed, "first_bugs": first_bugs}
        figures |= {"processes": processes, "endurance": lasting}
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

"""How quick the check is, beside the exhaustive checker `frontrun` on the same programs in the same run.

    python benchmarks/check_speed.py [--seconds 5] [--json FILE]

Needs the extra `bench` (`pip install -e '.[bench]'`). For each program: executions and steps a second, the
executions that it took, whether that was all of them, and the peak memory of the process. The two are run
in turns, each in a process of its own, so that a machine that slows down slows both. Quote the
ratios: absolute figures are this machine's.
"""

from __future__ import annotations

import argparse
import json
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
        "report = check_entry(entry, target='', budget=budget)\n"
        "executions, steps, spent = report.executions, report.steps, report.seconds\n"
        "while report.verdict == 'pass' and spent < 1:\n"
        "    again = check_entry(entry, target='', budget=budget)\n"
        "    executions += again.executions; steps += again.steps; spent += again.seconds\n"
        "memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(json.dumps(dict(executions=report.executions, rate=executions / spent,\n"
        "    steps=steps / spent, seconds=report.seconds, verdict=report.verdict,\n"
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
        "memory_mb": max(float(str(run["memory_mb"])) for run in ours),
        "frontrun_executions": theirs[0]["executions"],
        "frontrun_holds": theirs[0]["holds"],
        "frontrun_rate": their_rate,
        "ratio": rate / their_rate,
    }


def main() -> None:
    """Print the table, and write it as JSON if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="for each exploration")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    table = Table(title=f"Python {sys.version.split()[0]}, {time.strftime('%Y-%m-%d')}")
    columns = ("program", "classes", "executions", "verdict", "executions/s", "steps/s", "MB")
    for column in (*columns, "frontrun: executions", "holds", "executions/s", "ratio"):
        table.add_column(column, justify="left" if column in {"program", "verdict"} else "right")
    rows = []
    for program in PROGRAMS:
        row = measure(program, options.seconds)
        rows.append(row)
        table.add_row(
            program.name,
            str(program.classes or ""),
            f"{row['executions']:,}",
            str(row["verdict"]),
            f"{row['rate']:,.0f}",
            f"{row['steps']:,.0f}",
            f"{row['memory_mb']:.0f}",
            f"{row['frontrun_executions']:,}",
            str(row["frontrun_holds"]),
            f"{row['frontrun_rate']:,.0f}",
            f"{row['ratio']:.0f}",
        )
    Console(width=160).print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()

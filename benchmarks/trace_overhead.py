"""What recording costs: four programs, each plain, traced, and under viztracer, in turns in one run.

    pip install -e '.[dev,bench]' -c constraints.txt
    python benchmarks/trace_overhead.py --rounds 7

The whole command is timed, with the start of Python and the saving of what was recorded. The time of a
contended program varies three-fold from run to run: so the three ways take turns, and medians are shown.
The processor time of all its processes varies less, and is shown too. Quote the ratios.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from parallel_cookbook.trace.launch import command_for, note_run
from parallel_cookbook.trace.reader import read_recording

PROGRAMS = {
    "two_threads_and_a_lock": """\
import threading

def work(lock, n):
    for _ in range(n):
        with lock:
            pass

if __name__ == "__main__":
    lock = threading.Lock()
    threads = [threading.Thread(target=work, args=(lock, 100_000)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
    "pipeline_of_queues": """\
import queue
import threading

def work(source, sink):
    while (item := source.get()) is not None:
        sink.put(item + 1)
    sink.put(None)

if __name__ == "__main__":
    queues = [queue.Queue(100) for _ in range(3)]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(queues, queues[1:])]
    feeder = threading.Thread(target=lambda: [queues[0].put(n) for n in [*range(5_000), None]])
    for thread in [feeder, *threads]:
        thread.start()
    while queues[-1].get() is not None:
        pass
    for thread in [feeder, *threads]:
        thread.join()
""",
    "pool_of_processes": """\
from multiprocessing import Pool

def work(n):
    return sum(range(n % 100))

if __name__ == "__main__":
    with Pool(2) as pool:
        for _ in range(3):
            sum(pool.map(work, range(1_500), chunksize=1))
        pool.close()
        pool.join()
""",
    "cpu_bound": """\
def work(n):
    total = 0
    for i in range(n):
        total = (total * 31 + i) % 1_000_003
    return total

if __name__ == "__main__":
    for _ in range(20):
        work(1_000_000)
""",
}


@dataclass
class Times:
    """What one program took, run by run: wall and processor seconds; and what it left."""

    plain: list[tuple[float, float]] = field(default_factory=list)
    trace: list[tuple[float, float]] = field(default_factory=list)
    viztracer: list[tuple[float, float]] = field(default_factory=list)
    events: int = 0
    bytes: int = 0
    viztracer_bytes: int = 0

    def median(self, way: str, which: int = 0) -> float:
        """Return the median time of one way: 0 wall, 1 processor."""
        return float(statistics.median(pair[which] for pair in getattr(self, way)))


def timed(command: list[str]) -> tuple[float, float]:
    """Run a command to its end and return how long it took, and its processes' processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(file: Path, times: Times, scratch: Path) -> None:
    """Run a program once in each way."""
    times.plain.append(timed([sys.executable, str(file)]))
    folder = Path(tempfile.mkdtemp(dir=scratch))
    note_run(folder, [str(file)])
    times.trace.append(timed(command_for(folder, str(file))))
    recording = read_recording(folder)
    times.events = len(recording.records)
    times.bytes = sum(path.stat().st_blocks * 512 for path in folder.iterdir())
    shutil.rmtree(folder)
    output = scratch / "viztracer.json"
    viztracer = [
        sys.executable,
        "-m",
        "viztracer",
        "--quiet",
        "-o",
        str(output),
        "--tracer_entries",
    ]
    times.viztracer.append(timed([*viztracer, "10000000", str(file)]))
    times.viztracer_bytes = output.stat().st_size


def show(results: dict[str, Times]) -> None:
    """Print the medians, and what of the added time is ours beside viztracer's."""
    table = Table(title=f"Python {sys.version.split()[0]}, medians of whole commands")
    for heading in ("program", "plain", "trace", "viztracer", "added", "viztracer adds", "share"):
        table.add_column(heading, justify="left" if heading == "program" else "right")
    for heading in (
        "share (CPU)",
        "events",
        "CPU ns an event",
        "bytes an event",
        "MB",
        "viztracer MB",
    ):
        table.add_column(heading, justify="right")
    for name, times in results.items():
        plain, traced, other = (times.median(way) for way in ("plain", "trace", "viztracer"))
        cpu, cpu_traced, cpu_other = (
            times.median(way, 1) for way in ("plain", "trace", "viztracer")
        )
        table.add_row(
            name,
            *(f"{seconds:.3f} s" for seconds in (plain, traced, other)),
            *(f"{seconds:+.3f} s" for seconds in (traced - plain, other - plain)),
            f"{(traced - plain) / (other - plain):.0%}",
            f"{(cpu_traced - cpu) / (cpu_other - cpu):.0%}",
            f"{times.events:,}",
            f"{(cpu_traced - cpu) / times.events * 1e9:,.0f}",
            f"{times.bytes / times.events:.0f}",
            f"{times.bytes / 1e6:.1f}",
            f"{times.viztracer_bytes / 1e6:.1f}",
        )
    Console(width=190).print(table)


def main() -> None:
    """Measure all programs, in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run (5)")
    parser.add_argument("--only", choices=PROGRAMS, action="append", help="these programs only")
    options = parser.parse_args()
    results = {name: Times() for name in options.only or PROGRAMS}
    with tempfile.TemporaryDirectory() as scratch:
        for name in results:
            Path(scratch, f"{name}.py").write_text(PROGRAMS[name], encoding="utf-8")
        for _ in range(options.rounds):
            for name, times in results.items():
                measure(Path(scratch, f"{name}.py"), times, Path(scratch))
    show(results)


if __name__ == "__main__":
    main()

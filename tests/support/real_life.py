"""Run a program of processes for real, and say whether the check holds possible what came of it."""

from __future__ import annotations

import builtins
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import parallel_cookbook.run.launcher
from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import Outcome

LAUNCHER = parallel_cookbook.run.launcher.__file__
RUNS = int(os.environ.get("DIFFERENTIAL_RUNS", "1"))
"""How often each program is run for real. A start of a process takes a tenth of a second."""
HANGS_AFTER_S = 3.0
"""How long a program is waited for that may hang; one that must end gets ten times as long."""
_ARBITRARY = re.compile(r"\bpsm_[0-9a-f]+|\bprocess \d+")
"""What the system makes up: names of shared memory, numbers of processes."""
_ERROR = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)
_WAITS = re.compile(r" waits to | for ever")


@dataclass(frozen=True)
class Seen:
    """What came of one real run."""

    lines: tuple[str, ...]
    """What it printed, sorted: what processes print reaches the pipe when each of them ends."""
    hangs: bool
    exit_code: int
    errors: frozenset[str]
    """The types of exceptions that were told on stderr, in whatever process."""
    last_error: str
    """The last of them: that of the first process, if its exit code is 1."""

    def is_told_by(self, outcome: Outcome) -> bool:
        """Whether this is what an outcome of the check says.

        An exception of a process whose exit code the program looks at is no failure; so the check may tell
        of fewer exceptions than were seen, but not of fewer than made the first process fail.
        """
        if self.lines != lines_of(outcome.stdout):
            return False
        if _WAITS.search(outcome.result):
            return self.hangs
        told = set(_ERROR.findall(outcome.result.replace("; ", "\n"))) - {"None", "finished"}
        exits = "SystemExit" in told
        told.discard("SystemExit")
        if self.hangs or not told <= self.errors:
            return False
        if self.exit_code not in {0, 1} or exits:
            return f"SystemExit: {self.exit_code}" in outcome.result
        return not self.exit_code or self.last_error in told


def lines_of(stdout: str) -> tuple[str, ...]:
    """Return what was printed, in an order that does not depend on who was first, without made up names."""
    return tuple(sorted(_ARBITRARY.sub("…", stdout).splitlines()))


def run_for_real(file: Path, function: str = "", max_s: float = HANGS_AFTER_S) -> Seen:
    """Run a program, or one function of it, under spawn; end all that is left of it."""
    command = [sys.executable, LAUNCHER, "spawn", function, str(file)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=max_s)
            hangs = False
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            hangs = True
    errors = [name for name in map(_short, _ERROR.findall(stderr)) if _is_error(name)]
    last = errors[-1] if errors else ""
    return Seen(lines_of(stdout), hangs, process.returncode, frozenset(errors), last)


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _is_error(name: str) -> bool:
    kind = getattr(builtins, name, None)
    is_builtin = isinstance(kind, type) and issubclass(kind, BaseException)
    return is_builtin or name.endswith(("Error", "Empty", "Full"))


def check_all(file: Path, function: str | None = None, max_s: float = 60) -> CheckReport:
    """Return all that the check says can come of a program."""
    return check_entry(
        Entry(file) if function is None else Entry(file, file.stem, function),
        target=file.name,
        strategy="dpor",
        budget=Budget(None, max_s),
        keep_going=True,
    )


def surprise(report: CheckReport, file: Path, runs: int = RUNS, function: str = "") -> str:
    """Run a program for real; return what the check did not foresee, "" if it foresaw all."""
    may_hang = any(_WAITS.search(outcome.result) for outcome in report.outcomes)
    for _ in range(runs):
        seen = run_for_real(file, function, HANGS_AFTER_S if may_hang else 10 * HANGS_AFTER_S)
        if seen.hangs and not _is_foreseen(seen, report):
            seen = run_for_real(file, function, 10 * HANGS_AFTER_S)  # the machine may be busy
        if not _is_foreseen(seen, report):
            foreseen = "\n".join(f"  {o.stdout!r} {o.result}" for o in report.outcomes)
            return f"seen: {seen}\nforeseen:\n{foreseen}\nprogram:\n{file.read_text()}"
    return ""


def _is_foreseen(seen: Seen, report: CheckReport) -> bool:
    return any(seen.is_told_by(outcome) for outcome in report.outcomes)

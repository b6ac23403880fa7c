"""Keeps, for many programs that fail, a schedule that each version of Python has found.

    make environment PYTHON=python3.13 && .venv/3.13/bin/python tests/support/replay_book.py

renews what the interpreter that runs it has found, in tests/replay/schedules.json. The tests replay all of
them on each interpreter.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from parallel_cookbook.check import Budget, Entry, check_entry
from parallel_cookbook.content import load_book

TREE = Path(__file__).parents[2]
BUGS = TREE / "tests" / "replay" / "bugs"
GOLDEN = TREE / "tests" / "golden" / "programs"
SCHEDULES = TREE / "tests" / "replay" / "schedules.json"

Record = dict[str, str]
"""One failure: kind, message, task, schedule."""


@dataclass(frozen=True)
class Failing:
    """A program that fails: a file that is run, or a function in one."""

    file: Path
    function: str = ""

    @property
    def name(self) -> str:
        """Where it is, and which function: what the schedules are kept under."""
        place = self.file.relative_to(TREE).as_posix()
        return f"{place}::{self.function}" if self.function else place

    def entry(self, file: Path | None = None) -> Entry:
        """Return where it begins, or where a copy of it in another file does."""
        file = file or self.file
        return Entry(file, file.stem if self.function else "__main__", self.function)


def failing_programs() -> list[Failing]:
    """Return all pitfalls of the chapters on threads, and the bugs of the tests."""
    found = []
    book = load_book()
    for recipe in (*book.chapter(1).recipes, *book.chapter(2).recipes):
        if not re.search(r"\bmultiprocessing\b|ProcessPool", recipe.code):
            found += [Failing(recipe.path, name) for name in recipe.pitfalls]
    for file in sorted(BUGS.glob("*.py")):
        functions = [
            node.name
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("bug_")
        ]
        found += [Failing(file, name) for name in functions]
    scripts = [file for file in sorted(BUGS.glob("*.py")) if file.stem.startswith("script_")]
    found += [Failing(file) for file in (*scripts, *sorted(GOLDEN.glob("*.py")))]
    return found


def kept_schedules() -> dict[str, dict[str, Record]]:
    """Return by program, then by the version of Python that found it, the failure that is kept."""
    kept: dict[str, dict[str, Record]] = json.loads(SCHEDULES.read_text(encoding="utf-8"))
    return kept


def find(program: Failing) -> Record | None:
    """Check a program; return its first failure, None if it has none."""
    report = check_entry(program.entry(), target=program.file.name, budget=Budget(max_seconds=60))
    if not report.failures:
        return None
    first = report.failures[0]
    return {
        "kind": first.kind,
        "message": first.message,
        "task": first.task,
        "schedule": first.schedule,
    }


def main() -> None:
    """Renew what this version of Python has found."""
    version = "{}.{}".format(*sys.version_info)
    kept = kept_schedules() if SCHEDULES.exists() else {}
    renewed = {}
    for program in failing_programs():
        found = find(program)
        if found is not None:
            renewed[program.name] = {**kept.get(program.name, {}), version: found}
    SCHEDULES.write_text(json.dumps(renewed, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

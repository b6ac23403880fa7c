"""Writes docs/conformance.md: how many of CPython's own tests pass here, and why the others do not.

    make conformance                        # this interpreter's column; or PYTHON=python3.13 for another's
    python tests/support/conformance_page.py

The figures of each version of Python are kept in tests/conformance/figures.json, the reasons in
`primitives_conformance` and `language_conformance`, where the tests themselves find them. The page is
made from these alone. tests/conformance fails when the running interpreter disagrees with its column.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import language_conformance as language
import primitives_conformance as primitives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from language_conformance import Comparison

TREE = Path(__file__).parents[2]
PAGE = TREE / "docs" / "conformance.md"
FIGURES = TREE / "tests" / "conformance" / "figures.json"
RENEW = "docs/conformance.md is out of date: renew it with `make conformance` on this interpreter"
NONE = "-"

Figures = dict[str, Any]
"""What one interpreter gives: its version, and for each test module how many tests did what."""


# --- measure ----------------------------------------------------------------------------------------


def measure() -> Figures:
    """Run all of it on this interpreter. Takes some minutes."""
    return {
        "python": platform.python_version(),
        "primitives": primitives_figures(),
        "language": {
            name: language_figures(_compared(name))
            for name in language.MODULES
            if language.exists(name)
        },
    }


def primitives_figures() -> dict[str, Figures]:
    """Run CPython's tests of the primitives; return for each module what passed, and what did not."""
    found: dict[str, Figures] = {
        module: {"passed": 0, "excepted": Counter(), "skipped": Counter()}
        for module in primitives.MODULES
    }
    for module, name in primitives.all_tests():
        entry = primitives.exception_for(module, name)
        if entry is not None:
            found[module]["excepted"][entry.tests] += 1
            continue
        verdict = primitives.judge(module, name)
        assert verdict.status != "failed", f"{module} {name}: {verdict.detail}"
        if verdict.status == "passed":
            found[module]["passed"] += 1
        else:
            found[module]["skipped"][verdict.detail] += 1
    return found


def language_figures(compared: Comparison) -> Figures:
    """Return what is kept of a module's comparison."""
    return {"tests": compared.tests, "excepted": compared.excepted}


def _compared(module: str) -> Comparison:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # some tests leave files
        try:
            found = language.compare(module)
        finally:
            os.chdir(before)
    assert not found.unlisted, f"{module}: {found.unlisted}"
    return found


# --- keep -------------------------------------------------------------------------------------------


def all_figures() -> dict[str, Figures]:
    """Return what is kept, by version, such as "3.11"."""
    kept: dict[str, Figures] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return kept


def kept_figures() -> Figures | None:
    """Return what is kept for this interpreter; None if nothing is, or for another patch release.

    CPython's tests differ from patch release to patch release, so there is nothing to compare then.
    """
    kept = all_figures().get(_version())
    return kept if kept is not None and kept["python"] == platform.python_version() else None


def _version() -> str:
    return "{}.{}".format(*sys.version_info)


# --- render -----------------------------------------------------------------------------------------

INTRODUCTION = """\
# Conformance: CPython's tests are the judges

Written by `make conformance`, which runs everything below on one interpreter (`make conformance
PYTHON=python3.13`) and renews that version's column; never edited by hand. `make test` fails when the
interpreter that it runs on disagrees with its column. The code: `tests/support/conformance_page.py`; the
reasons: `tests/support/primitives_conformance.py` and `language_conformance.py`.

The tests are the interpreter's own, imported from its `test` package and not changed. "-" stands where the
interpreter at hand came without the module, or has no test that a reason applies to.
"""
PRIMITIVES = """\
## The simulated primitives

CPython's tests of `threading`, `queue`, `concurrent.futures` and what is built on them, each test method an
execution on the simulation. A cell says: passed / not passed, for a reason that is listed below /
skipped as they run.
"""
FAILING = """\
### What does not pass, and why

A test that is "left out" would block for real, fork, or take minutes; the others are run, and it fails the
suite if one passes after all.
"""
SKIPPED = """\
### Skipped as they run

By their own conditions; and those that start an interpreter of their own, which the simulation cannot
reach, by the runner.
"""
LANGUAGE = """\
## Rewritten code

CPython's tests of the language, each module executed as it is and with scheduling points written into it.
A cell says: tests with the same outcome / with another, for a reason that is listed below.
"""
DIFFERING = """\
### What differs, and why

That each of them still occurs is tested.
"""


def render(kept: dict[str, Figures]) -> str:
    """Return the page."""
    versions = sorted(kept, key=lambda version: int(version.partition(".")[2]))
    columns = [kept[version] for version in versions]
    names = [f"Python {column['python']}" for column in columns]
    parts = [
        INTRODUCTION,
        PRIMITIVES,
        _table(["CPython's tests", *names], _primitives_rows(columns)),
        FAILING,
        _table(["reason", "tests", "", *versions], _exception_rows(columns)),
        SKIPPED,
        _table(["reason", *versions], _skip_rows(columns)),
        LANGUAGE,
        _table(["CPython's tests", *names], _language_rows(columns)),
        DIFFERING,
        _table(["reason", "tests", *versions], _difference_rows(columns)),
    ]
    return "\n".join(parts)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    marks = ["---"] * len(head)
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, marks, *rows])


def _primitives_rows(columns: list[Figures]) -> list[list[str]]:
    def numbers(figures: Figures) -> list[int]:
        return [figures["passed"], *(sum(figures[key].values()) for key in ("excepted", "skipped"))]

    return _rows(primitives.CANDIDATES, [column["primitives"] for column in columns], numbers)


def _language_rows(columns: list[Figures]) -> list[list[str]]:
    def numbers(figures: Figures) -> list[int]:
        different = sum(figures["excepted"].values())
        return [figures["tests"] - different, different]

    return _rows(language.MODULES, [column["language"] for column in columns], numbers)


def _rows(
    modules: Iterable[str],
    columns: list[dict[str, Figures]],
    numbers: Callable[[Figures], list[int]],
) -> list[list[str]]:
    """Return a row for each module that some version has, and one for all of them."""
    found = [module for module in modules if any(module in column for column in columns)]
    rows = []
    for module in found:
        cells = [numbers(column[module]) if module in column else [] for column in columns]
        rows.append([f"`{module}`", *map(_in_one_cell, cells)])
    sums = [
        [sum(each) for each in zip(*map(numbers, column.values()), strict=True)]
        for column in columns
    ]
    return [*rows, ["**all**", *(f"**{_in_one_cell(total)}**" for total in sums)]]


def _in_one_cell(numbers: list[int]) -> str:
    return " / ".join(f"{number:,}" for number in numbers) or NONE


def _exception_rows(columns: list[Figures]) -> list[list[str]]:
    rows = []
    for entry in sorted(primitives.EXCEPTED, key=lambda entry: (entry.reason, entry.module)):
        counts = [_count(column["primitives"], entry.module, entry.tests) for column in columns]
        tests = f"`{entry.module}` `{entry.tests}`"
        rows.append([entry.reason, tests, "" if entry.is_run else "left out", *counts])
    return _grouped(rows)


def _difference_rows(columns: list[Figures]) -> list[list[str]]:
    rows = []
    for reason, module, pattern in sorted(
        (reason, module, pattern)
        for listed in (language.EXCEPTED, language.EXCEPTED_SINCE_3_13)
        for module, patterns in listed.items()
        for pattern, reason in patterns.items()
    ):
        counts = [_count(column["language"], module, pattern) for column in columns]
        rows.append([reason, f"`{module}` `{pattern}`", *counts])
    return _grouped(rows)


def _count(column: dict[str, Figures], module: str, pattern: str) -> str:
    return str(column.get(module, {"excepted": {}})["excepted"].get(pattern, NONE))


def _skip_rows(columns: list[Figures]) -> list[list[str]]:
    counts: list[Counter[str]] = [
        sum((Counter(module["skipped"]) for module in column["primitives"].values()), Counter())
        for column in columns
    ]
    reasons = sorted({reason for column in counts for reason in column})
    return [[reason, *(str(column.get(reason, NONE)) for column in counts)] for reason in reasons]


def _grouped(rows: list[list[str]]) -> list[list[str]]:
    """Leave out the first cell where it repeats that of the row above."""
    before = [""] + [row[0] for row in rows]
    return [
        ["" if row[0] == last else row[0], *row[1:]]
        for row, last in zip(rows, before, strict=False)
    ]


def main() -> None:
    """Renew this interpreter's figures, and the page."""
    kept = all_figures() if FIGURES.exists() else {}
    kept[_version()] = measure()
    FIGURES.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(render(kept), encoding="utf-8")


if __name__ == "__main__":
    main()

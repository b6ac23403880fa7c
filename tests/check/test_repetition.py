"""Executions that repeat the first steps of the last one find what those find that begin anew.

tests/soundness/test_repetition.py compares what the kernel notes down; here it is the whole check: races,
outcomes and their numbers, on programs with variables, attributes and containers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.program import Entry
from parallel_cookbook.content import load_book
from whole_search import findings

if TYPE_CHECKING:
    from parallel_cookbook.check.execution import Execution
    from parallel_cookbook.kernel import Chooser

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "programs").glob("*.py"))
RECIPES = [recipe for recipe in load_book().chapter(2).recipes if recipe.pitfalls]
PROGRAMS = [
    *((file, "") for file in GOLDEN),
    *((recipe.path, name) for recipe in RECIPES for name in ("main", *recipe.pitfalls)),
]


class ForgetfulMachine(Machine):
    """Notes down every step of every execution."""

    def execute(self, chooser: Chooser, repeats: int | None = None) -> Execution:
        """Execute the program once."""
        self.could_repeat = getattr(self, "could_repeat", 0) + (repeats or 0)
        return super().execute(chooser)


def new_machine(kind: type[Machine], file: Path, function: str) -> Machine:
    return kind(Entry(file, "program", function), max_steps=10_000)


@pytest.mark.parametrize(
    ("file", "function"), [pytest.param(*each, id=f"{each[0].stem}-{each[1]}") for each in PROGRAMS]
)
def test_repeating_changes_nothing(file: Path, function: str) -> None:
    """The same executions, races, faults and outcomes, with notes and without."""
    judge = new_machine(ForgetfulMachine, file, function)
    expected = findings(judge, 150)
    assert findings(new_machine(Machine, file, function), 150) == expected
    assert judge.could_repeat > 0 or expected[0][0] <= 2  # type: ignore[attr-defined,index]

"""Loops that retry: cutting off rounds that repeat loses no outcome.

Random programs of two tasks that set small variables and wait for them in loops that have effects. What the
reduced search finds, which cuts such rounds off, is what plain depth-first search finds, and contains what
random schedules find, of which nothing is cut off.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry
from parallel_cookbook.strategies.dpor import Dpor

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import CheckReport
    from parallel_cookbook.kernel import Kernel

SEEDS = int(os.environ.get("COOKBOOK_SEEDS", "30"))
NAMES = ("x", "y", "z")


def statement(dice: random.Random, me: int) -> str:
    one, two = dice.choice(NAMES), dice.choice(NAMES)
    return dice.choice(
        [
            f"    {one} = {dice.randrange(2)}\n",
            f"    seen.append(({me}, {one}))\n",
            f"    while {one} == {dice.randrange(2)}:\n        {two} = {dice.randrange(2)}\n",
            f"    while {one} != {two}:\n        {one} = {two}\n",
            f"    while {one} == 0:\n        {two} = 1\n        {two} = 0\n",
            f"    while {one} == 1:\n        with lock:\n            {two} = 1 - {two}\n",
        ]
    )


def program(seed: int) -> str:
    dice = random.Random(seed)
    text = "import threading\nlock = threading.Lock()\nx = 0\ny = 1\nz = 0\nseen = []\n"
    for me in (1, 2):
        text += f"def task_{me}():\n    global x, y, z\n"
        text += "".join(statement(dice, me) for _ in range(2))
    return text + (
        "threads = [threading.Thread(target=f) for f in (task_1, task_2)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
        "print(x, y, z, sorted(seen))\n"
    )


def checked(file: Path, strategy: str, budget: Budget) -> CheckReport:
    return check_entry(
        Entry(file),
        target="program",
        strategy=strategy,
        budget=budget,
        keep_going=True,
        max_steps=300,
    )


def outcomes(report: CheckReport) -> set[str]:
    return {outcome.stdout for outcome in report.outcomes if outcome.stdout}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_outcome_is_lost(seed: int, tmp_path: Path) -> None:
    """All that any schedule prints is printed by one that the reduced search explores."""
    file = tmp_path / "program.py"
    file.write_text(program(seed))
    reduced = checked(file, "dpor", Budget(max_seconds=2))
    plain = checked(file, "dfs", Budget(max_executions=1000, max_seconds=1))
    walked = checked(file, "random", Budget(max_executions=100, max_seconds=1))
    if reduced.exhaustive:
        assert outcomes(walked) <= outcomes(reduced)
        assert outcomes(plain) <= outcomes(reduced)
    if plain.exhaustive:
        assert outcomes(reduced) <= outcomes(plain)
    kinds = {failure.kind for failure in reduced.failures}
    if reduced.exhaustive and not kinds:
        assert not {failure.kind for failure in plain.failures}


def test_a_search_that_does_not_try_all_in_a_round_loses_outcomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above would notice."""
    file = tmp_path / "program.py"
    file.write_text(program(81))
    reduced = checked(file, "dpor", Budget(max_seconds=10))
    careful = Dpor.close_round

    def careless(search: Dpor, kernel: Kernel, _first: int) -> bool:
        return careful(search, kernel, kernel.depth)

    monkeypatch.setattr(Dpor, "close_round", careless)
    found = checked(file, "dpor", Budget(max_seconds=10))
    assert reduced.exhaustive
    assert found.exhaustive
    assert outcomes(found) < outcomes(reduced)

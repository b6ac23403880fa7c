"""Random programs of processes: the reduced search finds what plain depth-first search finds.

SOUNDNESS_SEED makes other programs, SOUNDNESS_PROGRAMS more of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry, replay_entry
from parallel_cookbook.strategies import Dfs, Dpor, RandomWalk
from random_processes import MANAGED, outcomes, random_process_program, search

if TYPE_CHECKING:
    from pathlib import Path

SEED = os.environ.get("SOUNDNESS_SEED", "0")
PROGRAMS = int(os.environ.get("SOUNDNESS_PROGRAMS", "1000")) // 30


def write(folder: Path, number: int, size: int) -> tuple[Path, str]:
    """Write a random program; return the file, and what makes the program again."""
    seed = f"processes/{SEED}/{number}"
    file = folder / f"program{number}.py"
    file.write_text(random_process_program(seed, size))
    return file, f"random_process_program({seed!r}, {size})"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(2))
def test_dpor_finds_every_outcome_of_processes(part: int, tmp_path: Path) -> None:
    """With as few points as the check gets by with, it finds what DFS finds with all of them."""
    compared = 0
    for number in range(part, PROGRAMS, 2):
        file, name = write(tmp_path, number, 2 + number % 3)
        found = outcomes(file, Dpor, 400)
        if found is None:
            continue
        for are_all_points in (False, True):
            judge = outcomes(file, Dfs, 400, are_all_points=are_all_points)
            if judge is not None:
                compared += 1
                assert found == judge, f"{name}:\n{file.read_text()}"
    assert compared


@pytest.mark.timeout(300)
@pytest.mark.parametrize("families", [MANAGED, ("pool",)], ids=["managers", "pools"])
def test_dpor_finds_what_a_random_walk_finds(families: tuple[str, ...], tmp_path: Path) -> None:
    """These have too many executions for a plain search; a random walk with all points finds nothing new."""
    compared = 0
    for number in range(PROGRAMS):
        seed = f"walk/{families[0]}/{SEED}/{number}"
        file = tmp_path / f"program{number}.py"
        file.write_text(random_process_program(seed, 2 + number % 2, families))
        found = outcomes(file, Dpor, 200)
        if found is None:
            continue
        compared += 1
        walked, _ = search(file, lambda: RandomWalk(1), 40, are_all_points=True)
        assert walked <= found, f"random_process_program({seed!r}):\n{file.read_text()}"
    assert compared


def test_failures_of_processes_come_again(tmp_path: Path) -> None:
    """Every shrunk schedule of a failure fails in the same way when it is replayed."""
    replayed = 0
    for number in range(PROGRAMS):
        file, name = write(tmp_path, number, 4)
        entry = Entry(file)
        budget = Budget(300, None)
        report = check_entry(entry, target="", strategy="dpor", budget=budget, keep_going=True)
        for failure in report.failures:
            _, faults, _ = replay_entry(entry, failure.schedule)
            found = {(fault.kind, fault.message) for fault in faults}
            assert (failure.kind, failure.message) in found, f"{name}:\n{file.read_text()}"
            replayed += 1
    assert replayed

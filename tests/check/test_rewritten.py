"""A file that has not changed is rewritten once in a process, and nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import rewritten
from parallel_cookbook.check.asserts import AssertExplainer
from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.program import Entry
from parallel_cookbook.strategies import RoundRobin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from parallel_cookbook.check.execution import Execution

SOURCE = """\
import helper

def main():
    a = [1]
    a.append(helper.two(a))
    assert a == [1, 3], "two"
    return a
"""
HELPER = """\
def two(items):
    assert items == [1]
    return 2
"""


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    rewritten._kept.clear()
    yield
    rewritten._kept.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text(HELPER, encoding="utf-8")
    file = tmp_path / "program.py"
    file.write_text(SOURCE, encoding="utf-8")
    return file


def check_once(file: Path, *, explain: bool = False) -> tuple[Machine, Execution]:
    machine = Machine(Entry(file, "program", "main"), max_steps=100)
    if explain:
        machine.program.explain_asserts(AssertExplainer(machine.kernel))
    return machine, machine.execute(RoundRobin(1, 1000))


@pytest.mark.parametrize("explain", [False, True])
def test_it_is_the_same_the_second_time(file: Path, *, explain: bool) -> None:
    first, execution = check_once(file, explain=explain)
    assert len(rewritten._kept) == 2
    second, again = check_once(file, explain=explain)
    assert len(rewritten._kept) == 2
    assert execution.faults == again.faults != []
    assert list(first.sites) == list(second.sites) != []
    assert first.sites.beginnings == second.sites.beginnings
    codes = [
        machine.program.codes_of(machine.program.modules["helper"]) for machine in (first, second)
    ]
    assert codes[0][0] is codes[1][0]


def test_asserts_are_explained_all_the_same(file: Path) -> None:
    plain = check_once(file)[1].faults[0].message
    for _ in range(2):
        told = check_once(file, explain=True)[1].faults[0].message
        assert "[1, 2] == [1, 3]" in told != plain
    assert check_once(file)[1].faults[0].message == plain


def test_a_change_counts(file: Path) -> None:
    assert check_once(file)[1].faults
    file.write_text(SOURCE.replace("3", "2"), encoding="utf-8")
    assert check_once(file)[1].faults == []


def test_at_other_numbers_it_is_rewritten(file: Path) -> None:
    """The helper's sites come behind those of the main file, which has more of them now."""
    check_once(file)
    file.write_text(SOURCE.replace("a = [1]", "a = [1]; a[0]"), encoding="utf-8")
    machine, _ = check_once(file)
    assert len(rewritten._kept) == 4
    subjects = [site.subject for site in machine.sites if site.file.endswith("helper.py")]
    assert subjects == [site.subject for site in machine.sites][-len(subjects) :] != []


def test_few_are_kept(tmp_path: Path) -> None:
    for number in range(rewritten._MAX_KEPT + 5):
        file = tmp_path / "program.py"
        file.write_text(f"def main(): return {number}", encoding="utf-8")
        assert check_once(file)[1].result == str(number)
    assert len(rewritten._kept) == rewritten._MAX_KEPT

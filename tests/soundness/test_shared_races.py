"""Random programs that add to shared memory: a race is reported exactly if an addition can get lost.

That an addition can get lost is seen from the outcomes, without any detector; so this is a judge of its
own. The mutations show that the judge sees what is wrong.

SOUNDNESS_SEED makes other programs, SOUNDNESS_PROGRAMS more of them.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry, shared_races
from parallel_cookbook.simulation.processes.memory import Section

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parallel_cookbook.kernel import Kernel

SEED = os.environ.get("SOUNDNESS_SEED", "0")
PROGRAMS = int(os.environ.get("SOUNDNESS_PROGRAMS", "1000")) // 10
MUTATION_PROGRAMS = 60
"""How many programs there are to catch a mutation."""

MAKES = (
    ("Value('i', 0)", "x.value"),
    ("Value('i', 0)", "x.value"),
    ("RawValue('i', 0)", "x.value"),
    ("Array('i', 2)", "x[1]"),
    ("RawArray(Point, 2)", "x[1].y"),
    ("SharedMemory(create=True, size=8)", "x.buf[3]"),
    ("ShareableList([0])", "x[0]"),
    ("Manager().dict(n=0)", "x['n']"),
)
"""What is shared, and the number in it."""
PROGRAM = """\
from ctypes import Structure, c_int
from multiprocessing import *
from multiprocessing.shared_memory import ShareableList, SharedMemory
from multiprocessing.sharedctypes import RawArray, RawValue


class Point(Structure):
    _fields_ = [("x", c_int), ("y", c_int)]


def one(x, lock, other, queue, event):
    {one}
    return


def two(x, lock, other, queue, event):
    {two}
    return


if __name__ == "__main__":
    x = {make}
    lock = {lock}
    things = (x, lock, Lock(), Queue(), Event())
    processes = [Process(target=work, args=things) for work in (one, two)]
    for process in processes:
        process.start(){join}
    for process in processes:
        process.join()
    print({number})
"""


def random_program(seed: str) -> tuple[str, int]:
    """Return a program, and what it prints if no addition gets lost."""
    source = random.Random(seed)
    make, number = source.choice(MAKES)
    has_own_lock = make.startswith(("Value", "Array"))
    additions = [
        f"{number} += 1",
        f"before = {number}; {number} = before + 1",
        f"with lock: {number} += 1",
        f"with lock: {number} += 1",
        f"with other: {number} += 1",
        f"before = {number}\n    with lock: {number} = before + 1",
    ]
    if make.startswith("Value"):
        additions += ["x.get_obj().value += 1", "with other: x.get_obj().value += 1"]
    works: list[list[str]] = [[], []]
    count = source.choice((2, 2, 3))
    for place in range(count):
        works[place % 2].append(source.choice(additions))
    if source.random() < 0.3:  # one waits for the other
        works[0].append(source.choice(("queue.put(1)", "event.set()")))
        works[1].insert(0, "queue.get()" if "queue" in works[0][-1] else "event.wait()")
    one, two = ("\n    ".join(work) for work in works)
    join = "\n        process.join()" if source.random() < 0.1 else ""
    lock = "x.get_lock()" if has_own_lock and source.random() < 0.7 else "Lock()"
    text = PROGRAM.format(make=make, number=number, lock=lock, one=one, two=two, join=join)
    return text, count


def judge(folder: Path, programs: int) -> tuple[list[str], int]:
    """Return the programs for which report and outcomes differ, and how many of them race."""
    wrong, racing = [], 0
    for number in range(programs):
        seed = f"shared/{SEED}/{number}"
        text, total = random_program(seed)
        file = folder / f"program{number}.py"
        file.write_text(text)
        report = check_entry(
            Entry(file), target="", strategy="dpor", budget=Budget(3000, None), keep_going=True
        )
        if not report.exhaustive:
            continue
        assert report.verdict == "pass", text
        can_lose = {outcome.stdout for outcome in report.outcomes} != {f"{total}\n"}
        racing += can_lose
        if can_lose != bool(report.warnings):
            wrong.append(f"random_program({seed!r}):\n{text}{report.outcomes}\n{report.warnings}")
    return wrong, racing


def test_a_race_is_reported_exactly_if_an_addition_can_get_lost(tmp_path: Path) -> None:
    """Of whatever kind the memory is, and however many locks are taken, rightly or wrongly."""
    wrong, racing = judge(tmp_path, PROGRAMS)
    assert not wrong, wrong[0]
    assert 0 < racing < PROGRAMS


def _count_own_lock(self: Section, kernel: Kernel, _known: int) -> None:
    ENTER(self, kernel, kernel.running.sync)


def _know_all(*_args: object) -> bool:
    return True


def _know_nothing(*_args: object) -> bool:
    return False


ENTER = Section.enter
MUTATIONS: dict[str, tuple[object, str, Callable[..., object]]] = {
    "everything is ordered": (shared_races, "_knows", _know_all),
    "nothing is ordered": (shared_races, "_knows", _know_nothing),
    "the lock of an access by itself orders updates": (Section, "enter", _count_own_lock),
    "no stale updates": (
        shared_races.SharedRaces,
        "_look_for_stale_update",
        lambda *_args: None,
    ),
    "accesses are not taken back": (shared_races._Notes, "restore", lambda *_args: None),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_noticed(
    tmp_path: Path, mutation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A detector with this fault fails on one of the programs."""
    owner, name, mutant = MUTATIONS[mutation]
    monkeypatch.setattr(owner, name, mutant)
    wrong, _ = judge(tmp_path, MUTATION_PROGRAMS)
    assert wrong

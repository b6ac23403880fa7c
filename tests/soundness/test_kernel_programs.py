"""The search is compared with two judges on random programs; see design.md, "Soundness is tested".

SOUNDNESS_SEED chooses other programs, SOUNDNESS_PROGRAMS how many.
"""

from __future__ import annotations

import os

import pytest

from observe import explore
from parallel_cookbook.strategies import Dpor, Pct, Pos, RandomWalk
from random_programs import Program, random_program
from soundness import Tally, fault, first_fault

SEED = os.environ.get("SOUNDNESS_SEED", "0")
PROGRAMS = int(os.environ.get("SOUNDNESS_PROGRAMS", "1000"))


@pytest.mark.timeout(0 if PROGRAMS > 1000 else 300)
@pytest.mark.parametrize("size", [3, 5, 7])
def test_dpor_finds_every_class_once(size: int) -> None:
    """On random programs DPOR and depth-first search agree on classes, outcomes and deadlocks."""
    message = first_fault((f"{SEED}/{size}/{i}" for i in range(PROGRAMS // 3)), size)
    assert not message, f"SOUNDNESS_SEED={SEED}: {message}"


def test_the_judges_reach_most_programs() -> None:
    """At least nine of ten programs are compared at all, and a third with every single schedule."""
    tally = Tally()
    for i in range(60):
        assert not fault(random_program(f"{SEED}/5/{i}", 5), tally)
    assert tally.skipped <= 6
    assert tally.by_dfs >= 20
    assert tally.classes > 300


@pytest.mark.parametrize("strategy", [RandomWalk, Pct, Pos])
def test_dpor_covers_what_random_executions_meet(strategy: type[RandomWalk | Pct | Pos]) -> None:
    """On programs too large for the judges, DPOR's classes contain those of random executions."""
    for i in range(8):
        program = random_program(f"{SEED}/large/{i}", 11)
        found = explore(program, Dpor(), 4000)
        if not found.is_complete:
            continue
        sample = explore(program, strategy(seed=i), 300)
        assert sample.classes.keys() <= found.classes.keys(), f"SOUNDNESS_SEED={SEED}, {i}"
        assert sample.outcomes <= found.outcomes


def test_a_program_that_once_failed_still_passes() -> None:
    """The programs on which earlier versions of the search missed classes; what each needed is said."""
    for program in REGRESSIONS:
        assert fault(program) == "", str(program)


REGRESSIONS = (
    # A daemon's first step and the end of the program depend on one another.
    Program(((("start", 1),), ()), frozenset({1})),
    Program(((("start", 2),), (), ()), frozenset({2})),
    # Two events in a row on two targets: each hides the race of the other.
    Program(((("start", 2), ("start", 1)), (("copy", 1),), (("copy", 0),))),
    # A task that is blocked only in an execution that is cut off as redundant.
    Program(
        (
            (("start", 2), ("start", 1), ("leave", 1)),
            (("enter", 0), ("leave", 1)),
            (("enter", 0), ("enter", 0)),
        ),
        semaphore=2,
    ),
    # A task that is blocked by two tasks which know nothing of one another.
    Program(
        (
            (("start", 2), ("start", 1), ("acquire_and_store", 1, 1, 0)),
            (("acquire_and_store", 0, 0, 2),),
            (("both", ()),),
        )
    ),
    # The same after an event that both had to come before.
    Program(
        (
            (("start", 3), ("start", 2), ("start", 1)),
            (("both", ()), ("acquire_and_store", 0, 0, 1)),
            (("both", (("store", 1, 0),)),),
            (("claim", 1),),
        )
    ),
    # A daemon may have done nothing when the last task ends, in a step that is no point of its own.
    Program(
        ((("start", 1), ("start", 2)), (("try_put", 0, 0),), (("claim", 0),)),
        frozenset({1}),
        is_quiet=True,
    ),
)

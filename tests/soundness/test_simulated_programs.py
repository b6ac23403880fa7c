"""The random programs again, on the simulated `threading` and `queue`.

What the search relies on is judged here: that each primitive announces what it touches, and that the
points which the kernel leaves out could not be seen.
"""

from __future__ import annotations

import os

import pytest

from observe import explore
from parallel_cookbook.strategies import Dpor
from random_programs import Program, shrink
from simulated_programs import random_simulated_program, simulated
from soundness import fault, quiet_outcomes

SEED = os.environ.get("SOUNDNESS_SEED", "0")
PROGRAMS = int(os.environ.get("SOUNDNESS_PROGRAMS", "1000")) // 10


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(2))
def test_dpor_finds_every_class_on_the_simulation(part: int) -> None:
    """DPOR and depth-first search agree on classes, outcomes and deadlocks."""
    for i in range(part, PROGRAMS, 2):
        program = random_simulated_program(f"simulated/{SEED}/{i}")
        if message := fault(program):
            smallest = shrink(program, lambda p: bool(fault(p)))
            pytest.fail(f"SOUNDNESS_SEED={SEED}, {i}: {message}; the smallest program:\n{smallest}")


def test_points_that_nobody_sees_can_be_left_out() -> None:
    """With as few points as the check gets by with, a program has the same outcomes."""
    compared = 0
    for i in range(PROGRAMS):
        program = random_simulated_program(f"simulated/{SEED}/{i}")
        found = explore(program, Dpor(), 1000)
        if not found.is_complete:
            continue
        if "cannot join" in str(found.outcomes) or "un-acquired" in str(found.outcomes):
            continue  # see below
        compared += 1
        # What is pending in the end names operations, and so depends on which are points.
        outcomes = {outcome[:2] for outcome in found.outcomes}
        assert quiet_outcomes(program) == outcomes, f"SOUNDNESS_SEED={SEED}, {i}:\n{program}"
    assert compared > PROGRAMS // 2


UNSEEN_LOOKS = {
    # A task joins its sibling, which may not be started yet.
    "join": Program(((("start", 2), ("start", 1)), (), (("join", 1),))),
    # A task waits or notifies without the lock, which another may just hold.
    "wait": Program(((("start", 1), ("wait", 0)), (("with", 0, ()),))),
    "notify": Program(((("start", 1), ("notify", 0, 1)), (("with", 0, ()),))),
}


@pytest.mark.parametrize("name", UNSEEN_LOOKS)
def test_a_look_at_what_is_no_point_makes_it_one(name: str) -> None:
    """Where the program can see a start or a release, these become points."""
    program = simulated(UNSEEN_LOOKS[name])
    found = explore(program, Dpor(), 1000)
    assert quiet_outcomes(program) == {outcome[:2] for outcome in found.outcomes}

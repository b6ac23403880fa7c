"""Nothing that threads do for real was left out: what forced switches bring about, the check has foreseen.

The check sees only the accesses that its hooks announce. This asks the interpreter itself: random programs
are run with threads switched between any two instructions, and each outcome must be among those that the
check says are possible. (Not of generators: CPython 3.11 breaks those that several threads step through
while they are traced.) SOUNDNESS_SEED chooses other programs, DIFFERENTIAL_PROGRAMS how many.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.exploration import Budget, Tally, explore
from parallel_cookbook.check.program import Entry
from parallel_cookbook.strategies import Dpor
from random_sources import random_source

SEED = os.environ.get("SOUNDNESS_SEED", "0")
PROGRAMS = int(os.environ.get("DIFFERENTIAL_PROGRAMS", "60"))
RUNS = 40
RUNNER = Path(__file__).parents[1] / "support" / "forced_switches.py"


def real_outcomes(file: Path) -> list[tuple[str, list[str], bool]]:
    done = subprocess.run(
        [sys.executable, str(RUNNER), str(file), str(RUNS), SEED],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return [(printed, raised, is_stuck) for printed, raised, is_stuck in map(json.loads, lines)]


def foreseen(file: Path) -> Tally:
    return explore(
        Machine(Entry(file), max_steps=2000), Dpor, Budget(5000, None), stop_at_first=False
    )


def surprises(file: Path) -> list[object] | None:
    """Return the real outcomes that the check did not foresee; None if there are too many to explore."""
    tally = foreseen(file)
    if not tally.is_exhaustive:
        return None
    expected = {
        (stdout, frozenset(filter(None, result.split("; "))) - {"None"})
        for stdout, result in tally.outcomes
    }
    can_be_stuck = any(fault.kind == "deadlock" for fault in tally.faults)
    return [
        (printed, raised, is_stuck)
        for printed, raised, is_stuck in real_outcomes(file)
        if not (can_be_stuck if is_stuck else (printed, frozenset(raised)) in expected)
    ]


@pytest.mark.timeout(0 if PROGRAMS > 60 else 400)
@pytest.mark.parametrize("part", range(2))
def test_what_threads_do_for_real_was_foreseen(tmp_path: Path, part: int) -> None:
    """Each real outcome is one of those that the check says are possible."""
    compared = 0
    file = tmp_path / "program.py"
    for number in range(part, PROGRAMS, 2):
        source = random_source(f"threads/{SEED}/{number}", has_generators=False)
        file.write_text(source)
        found = surprises(file)
        compared += found is not None
        assert not found, f"SOUNDNESS_SEED={SEED}, {number}:\n{source}\n{found}"
    assert compared > PROGRAMS // 4


def test_what_hooks_overlook_would_be_found(tmp_path: Path) -> None:
    """An access that the check cannot see, here through ctypes, makes an outcome that it did not foresee."""
    file = tmp_path / "program.py"
    file.write_text(
        "import ctypes, threading\n"
        "cell = ctypes.create_string_buffer(1)\n"
        "seen = [0, 0]\n"
        "peek, poke = ctypes.string_at, ctypes.memset\n"
        "here = ctypes.addressof(cell)\n"
        "def work(me):\n"
        "    seen[me] = peek(here, 1)[0]\n"
        "    poke(here, me + 1, 1)\n"
        "threads = [threading.Thread(target=work, args=(me,)) for me in (0, 1)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(seen)\n"
    )
    assert surprises(file)

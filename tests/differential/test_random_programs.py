"""Whatever a random program of processes does for real, the check has said that it can.

DIFFERENTIAL_SEED makes other programs, DIFFERENTIAL_RUNS more runs of more of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from random_processes import random_process_program
from real_life import RUNS, check_all, surprise

if TYPE_CHECKING:
    from pathlib import Path

SEED = os.environ.get("DIFFERENTIAL_SEED", "0")
PROGRAMS = 10 * RUNS
MAX_S = 10
"""How long a program is checked; one that takes longer is too large, and not run."""


@pytest.mark.timeout(60 * RUNS)
@pytest.mark.parametrize("part", range(2))
def test_what_random_programs_do_was_foreseen(part: int, tmp_path: Path) -> None:
    """Whatever they print, and whether they hang, is among the outcomes."""
    compared = 0
    for number in range(part, PROGRAMS, 2):
        seed = f"differential/{SEED}/{number}"
        file = tmp_path / f"program{number}.py"
        file.write_text(random_process_program(seed))
        report = check_all(file, max_s=MAX_S)
        if report.exhaustive:
            compared += 1
            message = surprise(report, file)
            assert not message, f"random_process_program({seed!r}): {message}"
    assert compared

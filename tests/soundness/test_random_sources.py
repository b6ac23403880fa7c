"""What the check leaves out between the source and the search changes no outcome.

Accesses are points only where they race, and some steps of locks and tasks are none; each
program is explored so, and with everything a point. SOUNDNESS_SEED chooses other programs,
SOUNDNESS_PROGRAMS how many.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from random_sources import outcomes, random_source

if TYPE_CHECKING:
    from pathlib import Path

SEED = os.environ.get("SOUNDNESS_SEED", "0")
PROGRAMS = int(os.environ.get("SOUNDNESS_PROGRAMS", "1000")) // 4


@pytest.mark.timeout(0 if PROGRAMS > 150 else 300)
def test_only_racing_accesses_need_be_points(tmp_path: Path) -> None:
    """A program can print the same, and fail in the same ways, as with every access a point."""
    compared = 0
    file = tmp_path / "program.py"
    for i in range(PROGRAMS):
        source = random_source(f"{SEED}/{i}")
        file.write_text(source)
        all_of_them = outcomes(file, is_each_access_a_point=True)
        if all_of_them is None:
            continue
        compared += 1
        assert outcomes(file) == all_of_them, f"SOUNDNESS_SEED={SEED}, {i}:\n{source}"
    assert compared > PROGRAMS // 2

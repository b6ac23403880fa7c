"""Whatever a program of processes does for real, the check has said that it can.

DIFFERENTIAL_RUNS says how often each program is run for real.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from process_programs import PROGRAMS, program
from real_life import check_all, surprise

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_seen_for_real_was_foreseen(name: str, tmp_path: Path) -> None:
    """What was printed, how it ended, and which exceptions were told are among the outcomes."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAMS[name])
    report = check_all(file)
    assert report.exhaustive, report
    assert report.verdict in {"pass", "fail"}, report
    assert not surprise(report, file)


def test_what_was_not_foreseen_is_told(tmp_path: Path) -> None:
    """The comparison can fail: on another output, exit code, exception, and on a program that hangs."""
    end = "print(1)"
    others = (
        "print(2)",
        "print(1)\nsys.exit(3)",
        "print(1)\n1 / 0",
        "1 / 0",
    )
    file = tmp_path / "program.py"
    file.write_text(program("", end))
    report = check_all(file)
    assert not surprise(report, file, 1)
    for other in others:
        file.write_text(program("", other))
        assert surprise(report, file, 1), other

"""What a real run says, as text."""

from __future__ import annotations

from dataclasses import replace

from parallel_cookbook.content import load_book
from parallel_cookbook.report.run import Finished, Target, lucky_line
from parallel_cookbook.run import RunResult, Verdict

LOCK = load_book().find("threads/lock")
PASSED = RunResult(Verdict.PASS, "", 0, 0.1, "", "")


def test_a_pitfall_that_goes_well_says_how_to_see_it_fail() -> None:
    """One run that comes off well proves nothing: the check tries every order."""
    pitfall = Target(LOCK.path, LOCK, "pitfall_check_then_act")
    told = lucky_line(Finished(pitfall, PASSED), "cookbook")
    assert told is not None
    assert "it went well this time" in told.plain
    assert told.plain.endswith("cookbook check threads/lock::pitfall_check_then_act")
    failed = replace(PASSED, verdict=Verdict.EXCEPTION)
    assert lucky_line(Finished(pitfall, failed), "cookbook") is None


def test_a_recipe_or_a_file_that_goes_well_has_no_luck() -> None:
    """Of what is right, and of the reader's own functions, a pass says what it says."""
    for target in (
        Target(LOCK.path, LOCK),
        Target(LOCK.path, LOCK, "main"),
        Target(LOCK.path, None, "pitfall_check_then_act"),
    ):
        assert lucky_line(Finished(target, PASSED), "cookbook") is None

"""CPython's own tests of the synchronisation primitives pass on the simulation.

Every test that does not pass is listed in `primitives_conformance.EXCEPTED` with its reason; one that
does pass, or that no longer exists, must not be listed. docs/conformance.md is the table.
"""

from __future__ import annotations

import sys

import pytest

from primitives_conformance import EXCEPTED, MODULES, all_tests, exception_for, judge


@pytest.mark.parametrize(("module", "name"), all_tests(), ids=lambda part: part)
def test_cpythons_own_test(module: str, name: str) -> None:
    """It passes on the simulation, or is listed with a reason."""
    entry = exception_for(module, name)
    if entry is not None and not entry.is_run:
        pytest.skip(entry.reason)
    verdict = judge(module, name)
    if verdict.status == "skipped":
        assert entry is None
        pytest.skip(verdict.detail)
    if entry is not None:
        assert verdict.status == "failed", "it passes now: take it off the list"
        pytest.skip(entry.reason)
    assert verdict.status == "passed", verdict.detail


def test_each_exception_is_about_a_test_that_exists() -> None:
    """An entry that matches nothing is taken off the list."""
    for entry in EXCEPTED:
        if entry.since <= sys.version_info[:2] < entry.until and entry.module in MODULES:
            assert any(exception_for(*test) is entry for test in all_tests()), entry

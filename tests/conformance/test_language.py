"""CPython's own tests of the language give the same results when they are rewritten.

Every difference is listed in `language_conformance` with its reason; one that no longer occurs
fails the test. docs/conformance.md is the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance_page import RENEW, kept_figures, language_figures
from language_conformance import MODULES, compare, exists

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("module", MODULES)
def test_a_rewritten_test_module_has_the_outcomes_of_the_plain_one(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Test by test, but for the listed differences, each of which must occur; and as the page says."""
    if not exists(module):
        pytest.skip(f"this interpreter has no test.{module}")
    monkeypatch.chdir(tmp_path)
    found = compare(module)
    assert found.tests, "the module has no tests"
    assert found.unlisted == {}
    stale = [pattern for pattern, count in found.excepted.items() if not count]
    assert stale == [], "these differences no longer occur: take them out of the table"
    kept = kept_figures()
    if kept is not None:
        assert language_figures(found) == kept["language"].get(module), RENEW

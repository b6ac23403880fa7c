"""docs/conformance.md says what the running interpreter gives. For rewritten code see test_language.py."""

from __future__ import annotations

import os
import platform

import pytest

from conformance_page import (
    PAGE,
    RENEW,
    Figures,
    all_figures,
    kept_figures,
    primitives_figures,
    render,
)
from language_conformance import MODULES, exists


@pytest.fixture
def kept() -> Figures:
    """Return what is kept for this interpreter."""
    found = kept_figures()
    if found is None:
        message = f"no figures are kept for Python {platform.python_version()}. {RENEW}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def test_the_page_is_made_from_the_figures_and_the_reasons() -> None:
    """Nothing on it was written by hand, or left there when a reason went."""
    assert PAGE.read_text(encoding="utf-8") == render(all_figures()), RENEW


def test_the_primitives_give_what_the_page_says(kept: Figures) -> None:
    """Module by module: how many pass, how many do not for which reason, how many are skipped."""
    assert primitives_figures() == kept["primitives"], RENEW


def test_each_test_module_of_the_language_is_on_the_page(kept: Figures) -> None:
    """Those that this interpreter has, and no other."""
    assert set(kept["language"]) == set(filter(exists, MODULES)), RENEW


def test_a_stale_figure_changes_the_page() -> None:
    """Each number that is kept can be seen on the page: one that is wrong there is found."""
    figures = all_figures()
    figures["3.11"]["primitives"]["test.test_queue"]["passed"] += 1
    assert render(figures) != PAGE.read_text(encoding="utf-8")

"""One headless browser for all tests of pages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from browser import Browser, artefacts, find_browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser; CI must have one."""
    executable = find_browser()
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, and there is no chromium: apt-get install chromium")
        pytest.skip("there is no chromium here: apt-get install chromium")
    with Browser(executable) as started:
        yield started


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Return where a test leaves its screenshots."""
    return artefacts(tmp_path)

"""Golden files: rendered output that is kept, compared, and renewed with RENEW_GOLDEN=1."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden"
PROGRAMS = sorted((FOLDER / "programs").glob("*.py"))


def assert_golden(name: str, text: str) -> None:
    """Assert that `text` is what the file says; write the file instead if RENEW_GOLDEN is set."""
    file = FOLDER / name
    if os.environ.get("RENEW_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    kept = file.read_text(encoding="utf-8") if file.is_file() else ""
    difference = difflib.unified_diff(
        kept.splitlines(), text.splitlines(), str(file), "now", lineterm=""
    )
    assert kept == text, (
        "the rendered text has changed; if it is meant, RENEW_GOLDEN=1 pytest tests/report\n"
        + "\n".join(difference)
    )

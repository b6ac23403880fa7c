"""What `make` says where it cannot go on, and that it mends what it can."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from commands import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run our Makefile in a folder that holds nothing else, without doing anything."""
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).write_text("")
    return subprocess.run(
        ["make", "--dry-run", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_python_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """One line that names it, instead of a trail of errors."""
    ended = make(tmp_path, "test", "PYTHON=/nope")
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "/nope is no Python 3.11 or newer" in ended.stderr


def test_a_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    """The same for one that runs, and says that it is too old."""
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    ended = make(tmp_path, "book", f"PYTHON={old}")
    assert ended.returncode == 2
    assert f"{old} is no Python 3.11 or newer" in ended.stderr


def test_the_environment_of_a_checkout_that_has_moved_is_made_again(tmp_path: Path) -> None:
    """It holds absolute paths: what stands in the old place, or nothing, would be run."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    environment = tmp_path / ".venv" / version
    environment.mkdir(parents=True)
    (environment / ".place").write_text("/somewhere/else\n")
    (environment / "left.txt").write_text("")
    ended = make(tmp_path, "book", f"PYTHON={sys.executable}")
    assert ended.returncode == 0, ended.stderr
    assert "has moved" in ended.stdout
    assert "-m venv" in ended.stdout
    assert not (environment / "left.txt").exists()

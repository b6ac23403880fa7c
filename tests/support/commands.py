"""Start the command `cookbook` as a user would, and look for processes that it left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COOKBOOK = [sys.executable, "-m", "parallel_cookbook"]
ROOT = Path(__file__).resolve().parents[2]
NEVER_ENDS = "import time\nprint('started', flush=True)\ntime.sleep(1000)\n"


def cookbook(
    *arguments: str | Path, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `cookbook arguments…` to its end, with its output captured."""
    return subprocess.run(
        [*COOKBOOK, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **variables},
        timeout=100,
    )


def processes_with(variable: str, value: str) -> list[int]:
    """Return the pids of all live processes whose environment has `variable=value` (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
            except OSError:  # it has ended, or is another user's
                continue
            if f"{variable}={value}".encode() in environment:
                found.append(int(entry.name))
    return found

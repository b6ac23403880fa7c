"""Start the command `cookbook` as a user would, and look for processes that it left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

COOKBOOK = [sys.executable, "-m", "parallel_cookbook"]
ROOT = Path(__file__).resolve().parents[2]
NEVER_ENDS = "import time\nprint('started', flush=True)\ntime.sleep(1000)\n"
WITH_CHILDREN = """\
import multiprocessing, os, sys, time

def child():
    time.sleep(1000)

if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        multiprocessing.get_context(method).Process(target=child).start()
    if os.fork() == 0:
        os.setsid()  # leaves the process group
        child()
    print("started", flush=True)
    child()
"""


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


def on_terminal(*arguments: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """Run `cookbook arguments…` on a terminal of 80 columns; return what it shows there."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {"TERM": "xterm", **os.environ, **variables}
    for name in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"} - variables.keys():
        environment.pop(name, None)
    with subprocess.Popen(
        [*COOKBOOK, *map(str, arguments)],
        stdin=its,
        stdout=its,
        stderr=its,
        cwd=cwd,
        env=environment,
    ):
        os.close(its)
        shown = b""
        with contextlib.suppress(OSError):  # Linux's way to say that nobody has it open any more
            while data := os.read(ours, 65536):
                shown += data
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def wait_until_none(variable: str, value: str) -> list[int]:
    """Wait until no process has the variable, 20 s at most; return those that are left."""
    deadline = time.monotonic() + 20
    while (left := processes_with(variable, value)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


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

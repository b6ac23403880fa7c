"""What to say of a program that stands still in what the check does not control."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import TYPE_CHECKING

from parallel_cookbook.check.fault import Fault
from parallel_cookbook.check.program import is_installed

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from types import FrameType

    from parallel_cookbook.check.program import Entry


def stall_fault(frame: FrameType | None, files: Container[str], task: str, stall_s: float) -> Fault:
    """Return the fault of a program that stands still in `frame`; `files` are its own."""
    inner = frame
    while frame is not None and frame.f_code.co_filename not in files:
        frame = frame.f_back
    where = ""
    if inner is not None and inner is not frame:
        code = inner.f_code
        where = f"(in {code.co_qualname}, {Path(code.co_filename).name}:{inner.f_lineno}) "
    own = None if frame is None else (frame.f_code.co_filename, frame.f_lineno)
    return _fault(own, where, task, stall_s)


def stall_fault_at(entry: Entry, places: Sequence[tuple[str, int]], stall_s: float) -> Fault:
    """Return the same for a program of which only the places are known, the innermost first."""
    root = entry.project or entry.root or entry.file.resolve().parent
    own = None
    for file, line in places:
        path = Path(file).resolve()
        if path == entry.file.resolve() or (path.is_relative_to(root) and not is_installed(path)):
            own = (file, line)
            break
    return _fault(own, "", "", stall_s)


def _fault(place: tuple[str, int] | None, where: str, task: str, stall_s: float) -> Fault:
    text = location = ""
    if place is not None:
        file, line = place
        location = f"{file}:{line}"
        text = f"`{linecache.getline(file, line).strip()}` "
    message = (
        f"{text}{where}has not come back for {stall_s:g} seconds. It waits for, or computes, what is "
        "not under the check's control. If it only takes long, allow it more time with --max-stall"
    )
    return Fault("unsupported", message.strip(), task, location, is_repeatable=False)

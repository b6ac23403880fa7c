"""Tracebacks as the unrewritten program would have left them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_ROOM = str(Path(__file__).parent)


def strip_hook_frames(
    traceback: TracebackType | None, *, also: Collection[str] = ()
) -> TracebackType | None:
    """Return a copy of `traceback` without the frames of this room, and of the files in `also`.

    The traceback itself is left as it is. Returns None when nothing remains.
    """
    kept = []
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if filename not in also and str(Path(filename).parent) != _ROOM:
            kept.append(traceback)
        traceback = traceback.tb_next
    stripped: TracebackType | None = None
    for entry in reversed(kept):
        stripped = TracebackType(stripped, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return stripped

"""Tracebacks as the unrewritten program would have left them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import CodeType

_ROOM = str(Path(__file__).parent)
_PACKAGE = Path(__file__).parents[1]


def file_of(code: CodeType) -> Path:
    """Return the source file of some code; what is compiled names it from the package on."""
    path = Path(code.co_filename)
    return _PACKAGE.parent / path if path.parts[:1] == (_PACKAGE.name,) else path


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

"""Keep our own frames out of the tracebacks that the program prints.

An exception that passes through one of our functions leaves its frame in the traceback. It is taken out
when the traceback is shown: by the interpreter for an uncaught exception, in the main thread or another, or
by the module `traceback`, which `logging` uses, too.
"""

from __future__ import annotations

import os
import sys
import threading

from parallel_cookbook.trace.recorder.patching import replaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType
    from typing import Any

uncaught: list[str] = []
"""The name of the exception that the main thread has ended by."""
_OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep


def _is_own(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OWN)


def without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Take our frames out of a traceback; return its new beginning."""
    while traceback is not None and _is_own(traceback.tb_frame):
        traceback = traceback.tb_next
    if traceback is not None:
        traceback.tb_next = without_own_frames_after(traceback)
    return traceback


def without_own_frames_after(traceback: TracebackType) -> TracebackType | None:
    """Return what follows an entry, without our frames; without recursion, for a traceback may be long."""
    after = traceback
    while after.tb_next is not None:
        if _is_own(after.tb_next.tb_frame):
            after.tb_next = after.tb_next.tb_next
        else:
            after = after.tb_next
    return traceback.tb_next


def clean(error: BaseException | None) -> None:
    """Take our frames out of an exception and of all that it came from."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        traceback = one.__traceback__
        while traceback is not None and _is_leading(traceback):
            traceback = traceback.tb_next
        one.__traceback__ = without_own_frames(traceback)
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _is_leading(traceback: TracebackType) -> bool:
    return _is_own(traceback.tb_frame) or traceback.tb_frame.f_code.co_filename == "<frozen runpy>"


def hide_own_frames() -> None:
    """Let tracebacks of uncaught exceptions show the program alone."""
    before = sys.excepthook  # what shows it if the program sets no other

    def show(
        kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
    ) -> None:
        uncaught.append(kind.__name__)
        clean(error)
        before(kind, error, error.__traceback__)

    sys.excepthook = show
    before_in_thread = threading.excepthook

    def show_in_thread(arguments: threading.ExceptHookArgs) -> None:
        clean(arguments.exc_value)
        before_in_thread(arguments)

    threading.excepthook = show_in_thread


@replaces("traceback", "_walk_tb_with_full_positions", "walk_tb")
def _walk(original: Callable[..., Any]) -> Callable[..., Any]:
    def walk(traceback: TracebackType | None) -> Iterator[Any]:
        yield from original(without_own_frames(traceback))

    return walk

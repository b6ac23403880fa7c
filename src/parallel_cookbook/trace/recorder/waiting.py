"""What recording a wait takes, for all that may wait and is no lock."""

from __future__ import annotations

from _thread import get_ident
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import IN_VAIN, REQUEST
from parallel_cookbook.trace.recorder.places import LIBRARY, place
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.things import Local, new_thing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

__tracebackhide__ = True

inside: set[int] = set()
"""The threads that are in the midst of a recorded operation: what the library does for it is part of it."""
moments: dict[int, int] = {}
"""By thread: when what it last did really took effect, noted in the midst of the operation."""
sizes: dict[int, int] = {}
"""By thread: how many bytes it last sent or received."""


def wait(
    kind: int,
    thing: int,
    site: int,
    call: Callable[..., Any],
    *arguments: Any,
    value: int = 0,
    extra: int = -1,
    is_endless: bool = True,
    succeeded: Callable[[Any], bool] = lambda _: True,
    measure: Callable[[Any], int] | None = None,
) -> Any:
    """Call what may block, with a request before it and a record after it; return what it returns.

    is_endless: whether it waits without a time-out: who looks for deadlocks must know.
    succeeded: tells by the result whether it was not in vain; an exception always says that it was.
    measure: tells by the result what the record's value is.
    """
    ident = get_ident()
    is_outermost = ident not in inside
    inside.add(ident)
    moments.pop(ident, None)
    began = monotonic_ns()
    request = REQUEST if is_endless else REQUEST | IN_VAIN
    if extra < 0:
        tape.write(kind, thing, site, value, request, began)
    else:
        tape.write_long(kind, began, thing, site, value, request, began, extra=extra)
    flags = IN_VAIN
    try:
        result = call(*arguments)
        if succeeded(result):
            flags = 0
        if measure is not None:
            value = measure(result)
        return result
    finally:
        if is_outermost:
            inside.discard(ident)
        tape.write_long(kind, began, thing, site, value, flags, moments.pop(ident, 0), extra=extra)


class as_a_whole:  # noqa: N801 - a context manager, without contextlib's cost
    """What is made and done within is part of one recorded thing; true if that is no part of another."""

    def __enter__(self) -> bool:
        self._ident = get_ident()
        self._is_outermost = self._ident not in inside
        inside.add(self._ident)
        return self._is_outermost

    def __exit__(self, *_: object) -> None:
        if self._is_outermost:
            inside.discard(self._ident)


def made_by_program(self: object, frame: FrameType | None) -> int:
    """Return the line of the program that makes `self`, whose `__init__` is called from `frame`; or LIBRARY.

    The `__init__` of the program's own subclass is passed over.
    """
    while (
        frame is not None
        and frame.f_code.co_name == "__init__"
        and frame.f_code.co_varnames
        and frame.f_locals.get(frame.f_code.co_varnames[0]) is self
    ):
        frame = frame.f_back
    return place(frame)


def mark(self: object, kind: str, frame: FrameType | None, capacity: int = 0) -> int:
    """Let what the program makes have a number, and return it; 0 for what the library makes."""
    site = made_by_program(self, frame)
    if site == LIBRARY:
        return 0
    thing = new_thing(kind, site, capacity)
    vars(self)["_cookbook_thing"] = Local(thing)
    return thing


def thing_of(self: object) -> int:
    """Return the number of what the program made; 0 for what the library made."""
    thing: int = vars(self).get("_cookbook_thing", 0)
    return thing

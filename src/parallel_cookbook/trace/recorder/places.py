"""Tell from which line of the program an operation is called, or that it is not the program that calls it.

What the standard library does inside its own objects (a queue's mutex, a pool's pipes) is not what the reader
wrote: it is recorded as the operation of the whole object, and else not at all. So every recorded
operation first looks at who calls it.
"""

from __future__ import annotations

import os
import sys
from itertools import count, islice

from parallel_cookbook.trace.recorder.tape import tape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

_LIBRARY = os.path.dirname(os.__file__) + os.sep
_OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep
_PACKAGES = (_LIBRARY + "site-packages", _LIBRARY + "dist-packages", _LIBRARY + "test" + os.sep)
_MAX_SITES = 100_000
"""A program that makes code without end does not fill our memory."""
LIBRARY = 0
"""The site of what the standard library does."""
NOWHERE = -1
"""The site of what the program has the library do later, or in another thread."""
_ASK_CALLER = -2
"""The site of generated code, and of a Value's and an Array's methods: their caller's is meant."""
_SHARED_TYPES = os.path.join("multiprocessing", "sharedctypes.py")

sites: dict[int, int] = {}
"""The number of each place, by `id(code) + lasti`: the bytecode lies within its code object, so that
this number belongs to one instruction, as long as the code object lives; `_codes` sees to that."""
find_site = sites.get
_codes: dict[int, CodeType] = {}
_asking: set[int] = set()
"""The ids of code whose site is _ASK_CALLER."""
_lines: dict[tuple[int, int], int] = {}
_numbers = count(1)
"""Of lines and of spots; no two threads get the same one."""
_spots: dict[tuple[int, int, str], int] = {}
"""By the id of the code, the instruction, and the field that something is made for."""


def place(frame: FrameType | None) -> int:
    """Return the number of the line that `frame` is at; LIBRARY if it is the standard library's."""
    while frame is not None:
        site = find_site(id(frame.f_code) + frame.f_lasti)
        if site is None:
            site = _define(frame)
        if site != _ASK_CALLER:
            return site
        frame = frame.f_back
    return LIBRARY


def place_above(frame: FrameType | None) -> int:
    """Return the number of the line of the program that led to `frame`; LIBRARY if none did.

    What is below a process' `_bootstrap` is its parent's, where it was forked.
    """
    while frame is not None and frame.f_code.co_name != "_bootstrap":
        site = place(frame)
        if site != LIBRARY:
            return site
        frame = frame.f_back
    return LIBRARY


def seek(frame: FrameType) -> int:
    """Return the number of the program's line that something the program made is used for.

    The library may be told to use it: `Thread(target=lock.acquire)`. NOWHERE if no line led to that;
    LIBRARY for a look that Condition takes for itself.
    """
    site = place(frame)
    if site != LIBRARY:
        return site
    if frame.f_code.co_name == "_is_owned":
        return LIBRARY
    return place_above(frame.f_back) or NOWHERE


def is_library(file: str) -> bool:
    """Whether this is a file of the standard library, or ours."""
    return file.startswith(("<frozen", _OWN)) or (
        file.startswith(_LIBRARY) and not file.startswith(_PACKAGES)
    )


def _define(frame: FrameType) -> int:
    code = frame.f_code
    if id(code) in _asking:
        return _ASK_CALLER  # and not kept in `sites`: that has nothing but sites
    if len(sites) > _MAX_SITES:
        return LIBRARY
    _codes[id(code)] = code
    if code.co_filename.startswith("<string>") or code.co_filename.endswith(_SHARED_TYPES):
        _asking.add(id(code))
        return _ASK_CALLER
    if is_library(code.co_filename):
        site = LIBRARY
    else:
        line = frame.f_lineno or code.co_firstlineno
        known = _lines.get((id(code), line))
        site = next(_numbers) if known is None else known
        if known is None:
            _lines[id(code), line] = site
            file = os.path.abspath(code.co_filename)
            tape.name(site=site, file=file, line=line, function=code.co_qualname)
    sites[id(code) + frame.f_lasti] = site
    return site


def _line(code: CodeType, line: int) -> int:
    known = _lines.get((id(code), line))
    if known is not None:
        return known
    _codes[id(code)] = code
    _lines[id(code), line] = site = next(_numbers)
    file = os.path.abspath(code.co_filename)
    tape.name(site=site, file=file, line=line, function=code.co_qualname)
    return site


def spot(site: int) -> int:
    """Return the number of the instruction at `site` by which the program makes something just now.

    It says the same as `site`, and the columns, so that what one line makes can be told apart; and
    of what a dataclass makes for a field, which. `site` itself where that is not known.
    """
    if site <= 0:
        return site
    frame: FrameType | None = getframe(2)
    made_for = ""
    while frame is not None:
        code = frame.f_code
        if find_site(id(code) + frame.f_lasti) == site:
            break
        if code.co_filename == "<string>" and code.co_name == "__init__":
            made_for = _field(frame) or made_for
        frame = frame.f_back
    else:
        return site
    lasti = frame.f_lasti
    key = (id(code), lasti, made_for)
    known = _spots.get(key)
    if known is not None or len(sites) > _MAX_SITES:
        return known or site
    columns = next(islice(code.co_positions(), lasti // 2, None), None)
    line = frame.f_lineno or code.co_firstlineno
    _spots[key] = number = next(_numbers)
    file = os.path.abspath(code.co_filename)
    tape.name(
        site=number,
        file=file,
        line=line,
        function=code.co_qualname,
        columns=columns,
        made_for=made_for,
    )
    return number


def _field(frame: FrameType) -> str:
    """Return which field of a dataclass its generated `__init__` is about to set: the first that is not."""
    self = frame.f_locals.get("self")
    fields = getattr(type(self), "__dataclass_fields__", {})
    for name, field in fields.items():
        if callable(getattr(field, "default_factory", None)):
            try:
                object.__getattribute__(self, name)
            except AttributeError:
                return f"{type(self).__qualname__}.{name}"
    return ""


def function_place(function: object) -> int:
    """Return the number of the first line of a function of the program; LIBRARY for all else."""
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None or is_library(code.co_filename) or len(sites) > _MAX_SITES:
        return LIBRARY
    return _line(code, code.co_firstlineno)


getframe = sys._getframe

"""Changes that are lost: what a proxy gives out is a copy, and a change to a copy reaches nobody.

`shared["rooms"].append(5)` appends to a list that was pickled, sent and unpickled for this expression, and
that nobody will see again. A copy that is handed to a call of a proxy after its change, as in
`shared["rooms"] = rooms`, is no loss.

Only plain containers are followed, and only those got by a call for one item or attribute: who asks for a
slice, or for `copy()` or `items()`, wants a copy.
"""

from __future__ import annotations

import io
import pickle
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parallel_cookbook.events import LostChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

    from parallel_cookbook.instrument import SiteTable
    from parallel_cookbook.kernel import Kernel

# Containers of the program under check, which hold anything.
# ruff: noqa: ANN401

_SINGLE = frozenset({"__getattribute__", "__getitem__", "get", "setdefault"})
"""Calls that give out one item or attribute."""
_PLAIN = (list, dict, set, bytearray)
_MAX_DEPTH = 3


def gives_copy(method: str, args: Any, result: Any) -> bool:
    """Whether the answer to a call of a proxy is a copy that might be changed in place of the original."""
    is_one = method in _SINGLE and not (args and isinstance(args[0], slice))
    return is_one and type(result) in _PLAIN


@dataclass(slots=True)
class _Copy:
    obj: Any
    state: bytes
    """What it was when it was got."""
    task: str
    code: CodeType
    line: int
    """Where it was got."""
    source: str
    """What the source calls what it is a copy of."""
    changed_at: tuple[str, int] | None = None


class Copies:
    """Follows the copies that one execution gets."""

    def __init__(self, kernel: Kernel, sites: SiteTable, files: dict[str, str]) -> None:
        self._kernel = kernel
        self._sites = sites
        self._files = files
        self._copies: list[_Copy] = []

    def answered(self, method: str, args: Any, result: Any) -> None:
        """Take notice of a call of a proxy, and of what it gives out."""
        self.look(None)
        given = {id(obj) for obj in _inside(args, _MAX_DEPTH)}
        self._copies = [copy for copy in self._copies if id(copy.obj) not in given]
        state = _state(result) if gives_copy(method, args, result) else None
        frame = sys._getframe(1)  # noqa: SLF001 - to find the program's own line
        while frame.f_code.co_filename not in self._files:
            if frame.f_back is None:
                return
            frame = frame.f_back
        if state is not None:
            code, line = frame.f_code, frame.f_lineno
            source = self._expression(code.co_filename, line)
            name = self._kernel.running.name
            self._copies.append(_Copy(result, state, name, code, line, source))

    def look(self, site: int | None) -> None:
        """See which copies have been changed since the last look: at this site, or where they were got."""
        for copy in self._copies:
            if copy.changed_at is None and _state(copy.obj) != copy.state:
                copy.changed_at = copy.code.co_filename, copy.line
                if site is not None:
                    found = self._sites[site]
                    copy.changed_at = found.file, found.line

    def lost(self) -> Iterator[LostChange]:
        """Yield the changes that have reached nobody, each line once."""
        self.look(None)
        told = set()
        for copy in self._copies:
            if copy.changed_at is not None and copy.changed_at not in told:
                told.add(copy.changed_at)
                yield LostChange(copy.task, *copy.changed_at, copy.source, type(copy.obj).__name__)

    def _expression(self, file: str, line: int) -> str:
        """Return what the source calls what a proxy gives out at a line; empty if that is not clear."""
        kinds = ("load_item", "load_attr", "call_method")
        found = [
            site
            for kind in kinds
            for site in self._sites
            if (site.file, site.line, site.kind) == (file, line, kind)
        ]
        return found[0].subject if found and found[0].kind != "call_method" else ""


def _state(obj: Any) -> bytes | None:
    """Return what a container holds, as bytes that are the same as long as nothing changes.

    None if it holds objects of a class that would have to be asked.
    """
    output = io.BytesIO()
    try:
        _PlainPickler(output).dump(obj)
    except pickle.PicklingError:
        return None
    return output.getvalue()


class _PlainPickler(pickle.Pickler):
    """Refuses whatever is more than data."""

    def reducer_override(self, obj: Any) -> Any:
        raise pickle.PicklingError(type(obj).__name__)


def _inside(obj: Any, depth: int) -> Iterable[Any]:
    """Yield what is in plain containers, and they themselves, down to a depth."""
    yield obj
    if depth and type(obj) in {tuple, list, dict}:
        for item in obj.values() if isinstance(obj, dict) else obj:
            yield from _inside(item, depth - 1)

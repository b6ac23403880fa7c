"""Values as short texts, the same in every execution, without running any code of the program's.

A `__repr__` of the program's own is never called: it would be rewritten code, whose steps would change
the execution that is told. Objects without a text of their own are numbered by class: `Config #1`.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import types
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_LENGTH = 60
_MAX_ITEMS = 6
_MAX_DEPTH = 3
_PLAIN = (int, float, complex, bool, str, bytes, type(None), type(...), type(NotImplemented), range)
_BRACKETS: dict[Any, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    deque: ("deque([", "])"),
}


_PLAINEST: object = object.__repr__


class Describer:
    """Describes the values of one execution; the same object gets the same number."""

    def __init__(self, is_program_file: Callable[[str], bool]) -> None:
        self._is_program_file = is_program_file
        self._numbers: dict[int, int] = {}
        self._counts: dict[str, int] = {}
        self._kept: list[object] = []
        """Numbered objects, which keeps their ids their own."""

    def describe(self, value: object) -> str:
        """Return a text of at most 60 characters."""
        return shortened(self._text(value, 0), MAX_LENGTH)

    def _text(self, value: Any, depth: int) -> str:  # noqa: ANN401 - any value of the program's
        kind = type(value)
        if kind in _PLAIN:
            return _plain(value)
        if depth < _MAX_DEPTH:
            if kind in _BRACKETS:
                return self._items(value, kind, depth)
            if kind is dict:
                pairs = (
                    f"{self._text(key, depth + 1)}: {self._text(item, depth + 1)}"
                    for key, item in list(value.items())[: _MAX_ITEMS + 1]
                )
                return "{" + _joined(pairs) + "}"
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
            return value.__qualname__.rpartition("<locals>.")[2]
        if isinstance(value, enum.Enum):
            return f"{kind.__name__}.{value._name_}"
        return self._object(value, depth)

    def _items(self, value: Any, kind: type, depth: int) -> str:  # noqa: ANN401
        left, right = _BRACKETS[kind]
        items = list(value)
        if kind in {set, frozenset}:
            if not items:
                return f"{kind.__name__}()"
            texts = sorted(self._text(item, depth + 1) for item in items)
        else:
            texts = [self._text(item, depth + 1) for item in items[: _MAX_ITEMS + 1]]
        comma = "," if kind is tuple and len(items) == 1 else ""
        return left + _joined(texts) + comma + right

    def _object(self, value: Any, depth: int) -> str:  # noqa: ANN401
        kind = type(value)
        if dataclasses.is_dataclass(value) and depth < _MAX_DEPTH and not self._has_own_text(kind):
            stored = getattr(value, "__dict__", {})
            pairs = (
                f"{each.name}={self._text(stored[each.name], depth + 1)}"
                for each in dataclasses.fields(value)
                if each.repr and each.name in stored
            )
            return f"{kind.__name__}({_joined(pairs)})"
        if isinstance(value, BaseException):
            return f"{kind.__name__}({_joined(self._text(arg, depth + 1) for arg in value.args)})"
        if getattr(kind, "__repr__", None) is _PLAINEST or self._has_own_text(kind):
            return self._numbered(value)
        try:
            text = repr(value)
        except Exception:  # noqa: BLE001 - whatever a broken __repr__ raises
            return self._numbered(value)
        return self._numbered(value) if re.search(r" at 0x[0-9a-fA-F]+", text) else text

    def _has_own_text(self, kind: type) -> bool:
        """Whether the program says itself how objects of this class look."""
        code = getattr(kind.__repr__, "__code__", None)
        return code is not None and self._is_program_file(code.co_filename)

    def _numbered(self, value: object) -> str:
        number = self._numbers.get(id(value))
        name = type(value).__name__
        if number is None:
            number = self._counts[name] = self._counts.get(name, 0) + 1
            self._numbers[id(value)] = number
            self._kept.append(value)
        return f"<{name} #{number}>"


def shortened(text: str, length: int) -> str:
    """Return `text` on one line, its middle replaced with … if it is longer than `length`."""
    text = " ".join(text.split()) if "\n" in text else text
    if len(text) <= length:
        return text
    tail = length // 4
    return f"{text[: length - tail - 1]}…{text[-tail:]}"


def _plain(value: object) -> str:
    if isinstance(value, str | bytes) and len(value) > 2 * MAX_LENGTH:
        value = value[:MAX_LENGTH] + value[-MAX_LENGTH:]  # type: ignore[operator]
    try:
        return repr(value)
    except ValueError:  # an int of more digits than Python converts
        return "<a very large int>"


def _joined(texts: Iterable[str]) -> str:
    found = list(texts)
    if len(found) > _MAX_ITEMS:
        found[_MAX_ITEMS:] = ["…"]
    return ", ".join(found)

"""What the source calls things: the code at a point, the object it acts on, one name for each object.

The object that a step acts on is known when a replay arrives there; its name is looked for in the syntax
tree at that place: `with self.lock:` takes `self.lock`. The same object may have other names elsewhere,
and the same name may mean other objects, so each also has a *label*, which is unique in the story: its
name if that is clear, else where it can be found from the program's variables (`accounts[0].lock`).

Nothing of the program's own is called: attributes are looked up in `__dict__`s and slots.
"""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import tokenize
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.across import essence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType

_MISSING = object()
_MAX_SEARCHED = 3000
"""How many objects are looked at in search of one."""
_MAX_SEARCH_DEPTH = 3
_MAX_SEARCHED_ITEMS = 50
_STATEMENTS = (ast.If, ast.While, ast.Assert, ast.IfExp)

Position = tuple[int, int, int, int]
"""First line, last line, first column, last column (in UTF-8 bytes from 0)."""


@dataclass(frozen=True, slots=True)
class Code:
    """What stands at a place of the source."""

    text: str
    """The line without indentation, or the body of a lambda."""
    is_test: bool
    """Whether it is part of a condition."""


class Source:
    """One file of the program: its text and its syntax tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines()
        self._nodes: list[ast.AST] = list(ast.walk(ast.parse(text)))
        self._codes: dict[tuple[int, int, int], Code] = {}
        self._comments = dict(_comments(text))

    def line(self, number: int) -> str:
        """Return the line of that number, from 1, without indentation and comment."""
        if not 0 < number <= len(self._lines):
            return ""
        return self._lines[number - 1].encode()[: self._comments.get(number)].decode().strip()

    def code(self, line: int, column: int, end_column: int) -> Code:
        """Return what stands at these columns of a line."""
        key = (line, column, end_column)
        code = self._codes.get(key)
        if code is None:
            position = (line, line, column, end_column)
            code = self._codes[key] = Code(self._text_at(position), self._is_test(position))
        return code

    def loop(self, line: int) -> int:
        """Return the line of the innermost loop around a line; the line itself if there is none."""
        loops = [
            node.lineno
            for node in self._nodes
            if isinstance(node, ast.While | ast.For)
            and node.lineno <= line <= (node.end_lineno or node.lineno)
        ]
        return max(loops, default=line)

    def receivers(self, position: Position) -> list[ast.expr]:
        """Return the expressions that a call or a `with` at this position may act on, the likeliest first."""
        found: list[ast.expr] = []
        for node in self._nodes:
            if isinstance(node, ast.With):
                items = [item.context_expr for item in node.items]
                found = [item for item in items if _span(item) == position] + found
                if _span(node) == position or node.lineno == position[0]:
                    found += items
            elif isinstance(node, ast.Call) and _is_call_at(node, position):
                assert isinstance(node.func, ast.Attribute)  # noqa: S101 - see _is_call_at
                found.insert(0, node.func.value)
        return found

    def _text_at(self, position: Position) -> str:
        bodies = [
            node.body
            for node in self._nodes
            if isinstance(node, ast.Lambda) and _contains(_span(node.body), position)
        ]
        if bodies:
            smallest = min(bodies, key=lambda body: len(ast.unparse(body)))
            text = ast.get_source_segment(self.text, smallest)
            return " ".join((text or ast.unparse(smallest)).split())
        return self.line(position[0])

    def _is_test(self, position: Position) -> bool:
        return any(
            isinstance(node, _STATEMENTS) and _contains(_span(node.test), position)
            for node in self._nodes
        )


def _comments(text: str) -> Iterator[tuple[int, int]]:
    """Yield for each line with a comment behind code where the comment begins, in bytes."""
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            before = token.line[: token.start[1]]
            if token.type == tokenize.COMMENT and before.strip():
                yield token.start[0], len(before.encode())


def _span(node: ast.expr | ast.stmt) -> Position:
    return (
        node.lineno,
        node.end_lineno or node.lineno,
        node.col_offset,
        node.end_col_offset or node.col_offset,
    )


def _contains(outer: Position, inner: Position) -> bool:
    begins = (outer[0], outer[2]) <= (inner[0], inner[2])
    return begins and (inner[1], inner[3]) <= (outer[1], outer[3])


def _is_call_at(node: ast.Call, position: Position) -> bool:
    """Whether it is a method's call that ends where `position` does; its begin may be the attribute's."""
    if not isinstance(node.func, ast.Attribute):
        return False
    _, last, _, end = _span(node)
    return (last, end) == (position[1], position[3])


def position_of(frame: FrameType) -> Position:
    """Return the position of the instruction that `frame` is at."""
    found = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    line = frame.f_lineno
    if found is None or None in found:
        return (line, line, 0, 0)
    first, last, column, end = found
    return (first or line, last or line, column or 0, end or 0)


class Namer:
    """Names the objects of one execution."""

    def __init__(self, source_of: Callable[[str], Source | None]) -> None:
        self._source_of = source_of
        self._names: dict[int, dict[str, None]] = {}
        """For each object, by its id: what the source calls it."""
        self._roots: dict[int, str] = {}
        """For each object, by its id: where it can be found from the program's variables."""
        self._kept: dict[int, object] = {}

    def name(self, obj: object, frame: FrameType, default: str) -> str:
        """Return what the source at the frame's place calls `obj`."""
        source = self._source_of(frame.f_code.co_filename)
        found = ""
        if source is not None:
            candidates = source.receivers(position_of(frame))
            sure = [node for node in candidates if essence(_evaluate(node, frame)) is obj]
            unsure = [node for node in candidates if _evaluate(node, frame) is _MISSING]
            for node in sure or unsure[:1]:
                found = _short_source(node)
                break
        if not found:
            found = next((name for name, one in frame.f_locals.items() if essence(one) is obj), "")
        if not found:
            found = next(iter(self._names.get(id(obj), ())), default)
        self._kept[id(obj)] = obj
        self._names.setdefault(id(obj), {})[found] = None
        return found

    def name_as(self, obj: object, name: str) -> None:
        """Call `obj` so, which the source has no name for."""
        self._kept[id(obj)] = obj
        self._names.setdefault(id(obj), {})[name] = None

    def locate(
        self, obj: object, variables: Iterable[Mapping[str, Any]], is_own: Callable[[type], bool]
    ) -> None:
        """Look for `obj` in these namespaces, the first time that it is met."""
        if id(obj) not in self._roots:
            self._kept[id(obj)] = obj
            self._roots[id(obj)] = _find(obj, variables, is_own)

    def labels(self) -> dict[int, str]:
        """Return for each named object, by its id, a label that no other one has."""
        owners: dict[str, set[int]] = {}
        for key, names in self._names.items():
            for name in names:
                owners.setdefault(name, set()).add(key)
        labels: dict[int, str] = {}
        for key, names in self._names.items():
            first = next(iter(names))
            is_clear = len(names) == 1 and len(owners[first]) == 1
            labels[key] = first if is_clear else self._roots.get(key) or first
        return _numbered(labels)


def _numbered(labels: dict[int, str]) -> dict[int, str]:
    """Make labels differ: append a number to those that are the same."""
    keys: dict[str, list[int]] = {}
    for key, label in labels.items():
        keys.setdefault(label, []).append(key)
    return {
        key: label if len(keys[label]) == 1 else f"{label} #{keys[label].index(key) + 1}"
        for key, label in labels.items()
    }


def _short_source(node: ast.expr) -> str:
    text = ast.unparse(node)
    limit = 40
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _evaluate(node: ast.expr, frame: FrameType) -> object:
    """Return what a name, an attribute or an item is, without calling anything; _MISSING if unknown."""
    if isinstance(node, ast.Name):
        local = frame.f_locals.get(node.id, _MISSING)
        return frame.f_globals.get(node.id, _MISSING) if local is _MISSING else local
    if isinstance(node, ast.Attribute):
        owner = _evaluate(node.value, frame)
        return _MISSING if owner is _MISSING else _attribute(owner, node.attr)
    if isinstance(node, ast.Subscript):
        owner = _evaluate(node.value, frame)
        key = _evaluate(node.slice, frame)
        if type(owner) in {list, tuple, dict} and type(key) in {int, str}:
            try:
                return owner[key]  # type: ignore[index]
            except LookupError:
                return _MISSING
        return _MISSING
    return node.value if isinstance(node, ast.Constant) else _MISSING


def _attribute(owner: object, name: str) -> object:
    for mangled in (name, f"_{type(owner).__name__.lstrip('_')}{name}"):
        stored = _stored(owner).get(mangled, _MISSING)
        if stored is not _MISSING:
            return stored
    kind = owner if isinstance(owner, type) else type(owner)
    for base in kind.__mro__:
        found = base.__dict__.get(name, _MISSING)
        if isinstance(found, property | types.FunctionType | classmethod | staticmethod):
            return _MISSING
        if found is not _MISSING:
            return found
    return _MISSING


def _stored(owner: object) -> dict[str, Any]:
    """Return what an object holds in its `__dict__` and its slots."""
    found: dict[str, Any] = {}
    for base in type(owner).__mro__:
        for name, attribute in list(base.__dict__.items()):
            if isinstance(attribute, types.MemberDescriptorType):
                try:
                    found[name] = attribute.__get__(owner)
                except AttributeError:
                    continue
    if not isinstance(owner, type):
        with contextlib.suppress(AttributeError):
            found.update(object.__getattribute__(owner, "__dict__"))
    return found


def _find(
    wanted: object, variables: Iterable[Mapping[str, Any]], is_own: Callable[[type], bool]
) -> str:
    """Return the shortest way to `wanted` from the variables, "accounts[0].lock"; empty if there is none."""
    queue: list[tuple[str, object, int]] = [
        (name, value, 0)
        for space in variables
        for name, value in list(space.items())
        if not name.startswith(("__", "@", "."))
    ]
    seen: set[int] = set()
    for path, value, depth in itertools.islice(_growing(queue), _MAX_SEARCHED):
        if essence(value) is wanted:
            return path
        if depth < _MAX_SEARCH_DEPTH and id(value) not in seen:
            seen.add(id(value))
            queue += [(path + step, item, depth + 1) for step, item in _children(value, is_own)]
    return ""


def _growing(queue: list[tuple[str, object, int]]) -> Iterator[tuple[str, object, int]]:
    position = 0
    while position < len(queue):
        yield queue[position]
        position += 1


def _children(value: Any, is_own: Callable[[type], bool]) -> Iterator[tuple[str, object]]:  # noqa: ANN401
    kind = type(value)
    if kind in {list, tuple}:
        for index, item in enumerate(value[:_MAX_SEARCHED_ITEMS]):
            yield f"[{index}]", item
    elif kind is dict:
        for key, item in list(value.items())[:_MAX_SEARCHED_ITEMS]:
            if type(key) in {int, str}:
                yield f"[{key!r}]", item
    elif is_own(value if isinstance(value, type) else kind):
        stored = dict(value.__dict__) if isinstance(value, type) else _stored(value)
        for name, item in stored.items():
            if not name.startswith("__"):
                yield f".{name}", item

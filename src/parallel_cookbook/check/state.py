"""The state of a program as one value, to see whether it has come back to where it was.

Two pictures are equal only if the program cannot tell the two moments apart: the same objects hang
together in the same way, with the same values in them. Which objects they are does not matter, nor where
they lie in memory.

Guarantees: looks, and runs no code of the program's. Whatever hides its state from Python, such as an
iterator of `itertools` or an open file, makes the program incomparable: then nothing is claimed.
"""

from __future__ import annotations

import collections
import enum
import functools
import gc
import re
import types
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Kernel, Operation, Target, Task
from parallel_cookbook.simulation.locals import Local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# Objects of the program under check, of which nothing is known.
# ruff: noqa: ANN401

MAX_OBJECTS = 20_000
"""A program with more is taken to be incomparable: to look through it at every turn would take long."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a program's memory holds."""

    tokens: tuple[object, ...]
    """All of it, the counts apart."""
    counts: tuple[int, ...]
    """The numbers of unfinished tasks of its queues: in tokens stands only whether there are any."""


_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None), type(...), range, slice})
_CONSTANT = (
    types.BuiltinFunctionType | types.CodeType | types.WrapperDescriptorType,
    types.MethodDescriptorType | types.ClassMethodDescriptorType | types.GetSetDescriptorType,
    types.MemberDescriptorType | types.GenericAlias | re.Pattern | type(NotImplemented),
    Kernel,
)
"""What does not change, or is none of the program's; a built-in method is told by its object."""
_SEQUENCES = (list, tuple, collections.deque, set, frozenset)
_ITERABLES: tuple[Any, ...] = ([], (), "", b"", range(0), {}, {}.values(), {}.items())
_ITERATORS = {type(iter(one)) for one in _ITERABLES} | {enumerate, reversed, type(reversed([]))}
"""Iterators that say by `__reduce__` where they are."""
_TRANSPARENT_BASES = frozenset(
    {object, list, tuple, dict, set, frozenset, bytearray, collections.deque}
    | {collections.OrderedDict, collections.defaultdict, types.SimpleNamespace, *_PLAIN}
)
_NOT_DATA = frozenset(
    ("__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__builtins__")
)


class IncomparableError(Exception):
    """There is something whose state cannot be seen."""


def picture(roots: Iterable[object], own_modules: Sequence[types.ModuleType]) -> Picture:
    """Return a picture of everything that can be reached from `roots`.

    own_modules: the program's own; of all others nothing is followed.

    Raises IncomparableError. Cost: about a microsecond for each object.
    """
    return _Painter(own_modules).paint(roots)


class _Painter:
    """Goes through the objects, each once, and writes down what it sees."""

    def __init__(self, own_modules: Sequence[types.ModuleType]) -> None:
        self._own_modules = {id(module) for module in own_modules}
        self._own_names = {module.__name__ for module in own_modules}
        self._tokens: list[object] = []
        self._numbers: dict[int, int] = {}
        self._seen: list[object] = []
        """Everything numbered, which keeps its id its own."""
        self._pending: list[object] = []
        self._counts: list[int] = []
        self._opaque: dict[type, bool] = {}

    def paint(self, roots: Iterable[object]) -> Picture:
        self._pending = list(roots)
        self._pending.reverse()
        while self._pending:
            self._add(self._pending.pop())
            if len(self._seen) > MAX_OBJECTS:
                raise IncomparableError(f"more than {MAX_OBJECTS:,} objects")
        return Picture(tuple(self._tokens), tuple(self._counts))

    def _add(self, value: Any) -> None:
        kind = type(value)
        if kind in _PLAIN:
            self._tokens += (
                kind,
                value if kind is not range and kind is not slice else repr(value),
            )
            return
        number = self._numbers.get(id(value))
        if number is not None:
            self._tokens += ("again", number)
            return
        self._numbers[id(value)] = len(self._seen)
        self._seen.append(value)
        parts = list(self._parts(value))
        self._tokens += (kind, len(parts))
        self._pending += reversed(parts)

    def _parts(self, value: Any) -> Iterator[object]:
        """Yield what makes up `value`: its state, and the objects that it refers to."""
        kind = type(value)
        describe = _DESCRIPTIONS.get(kind)
        if describe is not None:
            yield from describe(value)
        elif kind in _ITERATORS:
            yield from value.__reduce__()
        elif kind is Target:
            yield value.kind
            yield self._state_of(value)
        elif issubclass(kind, type | types.ModuleType):
            yield from self._parts_of_space(value)
        elif issubclass(kind, Operation):
            yield value.kind
            yield from (target for target, _, _ in value.parts())
        elif issubclass(kind, _CONSTANT) or _is_ours(kind):
            yield id(value) if kind is types.CodeType else kind.__name__
        elif issubclass(kind, enum.Enum):
            yield value._name_
        elif issubclass(kind, Local):  # of each task its own
            yield object.__getattribute__(value, "_local__storage").dicts
        else:
            yield from self._slots(value, kind)
            yield from _content(value, kind)
            yield from _attributes(value)

    def _parts_of_space(self, value: Any) -> Iterator[object]:
        """Yield the name of a class or a module, and what it holds if it is the program's own."""
        if isinstance(value, types.ModuleType):
            yield value.__name__
            is_own = id(value) in self._own_modules
        else:
            yield f"{value.__module__}.{value.__qualname__}"
            is_own = value.__module__ in self._own_names
        if is_own:
            yield from _pairs({k: v for k, v in vars(value).items() if k not in _NOT_DATA})

    def _slots(self, value: Any, kind: type) -> Iterator[object]:
        """Yield what stands in the slots of an instance of a class written in Python."""
        for owner in kind.__mro__:
            if self._hides_state(owner):
                raise IncomparableError(f"{owner.__module__}.{owner.__qualname__}")
            for name, member in vars(owner).items():
                if isinstance(member, types.MemberDescriptorType) and name != "__dict__":
                    yield name
                    try:
                        yield member.__get__(value)
                    except AttributeError:
                        yield "unset"

    def _state_of(self, target: Target) -> int:
        if target.kind != "unfinished tasks":
            return target.state
        self._counts.append(target.state)
        return min(target.state, 1)

    def _hides_state(self, owner: type) -> bool:
        """Whether a class is written in C, and none of those whose content is known."""
        if owner in _TRANSPARENT_BASES or issubclass(owner, BaseException):
            return False
        opaque = self._opaque.get(owner)
        if opaque is None:
            opaque = self._opaque[owner] = not owner.__flags__ & _HEAP_TYPE or any(
                isinstance(member, types.MethodDescriptorType) and member.__objclass__ is owner
                for member in vars(owner).values()
            )
        return opaque


_HEAP_TYPE = 1 << 9
"""The flag of a class that is not static: of all that are written in Python, and of some in C."""


def _is_ours(kind: type) -> bool:
    """Whether it belongs to the check itself, the simulation apart."""
    module = kind.__module__
    return module.startswith("parallel_cookbook.") and not module.startswith(
        "parallel_cookbook.simulation"
    )


def _pairs(space: dict[Any, Any]) -> Iterator[object]:
    for key, value in space.items():
        yield key
        yield value


def _content(value: Any, kind: type) -> Iterator[object]:
    """Yield what an instance holds because its class is derived from a built-in one."""
    for base in _SEQUENCES:
        if issubclass(kind, base):
            yield from base.__iter__(value)
    if issubclass(kind, dict):
        yield from _pairs(dict(dict.items(value)))
    elif issubclass(kind, BaseException):
        yield vars(BaseException)["args"].__get__(value)
    elif issubclass(kind, bytearray):
        yield bytes(value)
    elif issubclass(kind, int | float | str | bytes):
        yield _plain_of(value)


def _attributes(value: Any) -> Iterator[object]:
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return
    yield from _pairs(attributes)


def _plain_of(value: Any) -> object:
    """Return the number or text that an instance of a subclass is."""
    base = next(base for base in (int, float, str, bytes) if isinstance(value, base))
    return base.__repr__(value)


def _function(value: types.FunctionType) -> Iterator[object]:
    yield id(value.__code__)
    yield value.__defaults__
    yield value.__kwdefaults__
    yield from value.__closure__ or ()
    yield from _pairs(value.__dict__)


def _cell(value: types.CellType) -> Iterator[object]:
    try:
        yield value.cell_contents
    except ValueError:
        yield "empty"


def _generator(value: types.GeneratorType[Any, Any, Any]) -> Iterator[object]:
    yield -1 if value.gi_frame is None else value.gi_frame.f_lasti
    yield from gc.get_referents(value)  # its variables, and what its expressions hold


def _builtin(value: types.BuiltinFunctionType) -> Iterator[object]:
    yield value.__name__
    if not isinstance(value.__self__, types.ModuleType):
        yield value.__self__


_DESCRIPTIONS: dict[type, Callable[[Any], Iterator[object]]] = {
    Task: lambda task: iter((task.uid, task.done.state)),
    list: iter,
    tuple: iter,
    dict: _pairs,
    types.FunctionType: _function,
    types.CellType: _cell,
    types.GeneratorType: _generator,
    types.BuiltinFunctionType: _builtin,
    types.MethodType: lambda method: iter((method.__func__, method.__self__)),
    types.MethodWrapperType: lambda method: iter((method.__name__, method.__self__)),
    types.MappingProxyType: _pairs,
    functools.partial: lambda one: iter((one.func, one.args, one.keywords)),
    property: lambda one: iter((one.fget, one.fset, one.fdel)),
    staticmethod: lambda one: iter((one.__func__,)),
    classmethod: lambda one: iter((one.__func__,)),
    weakref.ref: lambda one: iter((one(),)),
}

"""The hooks of the check: what rewritten code calls, each access turned into reads and writes of places.

A container is not one place but several, so that two tasks that fill different slots of one list do not
conflict: each of its items is one, and its *shape*, which items there are and in which order, is another. To
look at all items is to read the shape and every item; to append is to write the shape.

As long as the program has only one task nothing is noted down: whatever it does then happens before
everything that its later tasks do.
"""

from __future__ import annotations

import enum
import functools
import sys
import types
from collections import OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.cycles import Cycles
from parallel_cookbook.check.polling import Polls
from parallel_cookbook.check.schedule import key_of
from parallel_cookbook.instrument import CONTAINER_TYPES
from parallel_cookbook.instrument.operands import CONTAINER_FUNCTIONS
from parallel_cookbook.simulation.locals import Local
from parallel_cookbook.simulation.processes.shared_memory import announce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.check.memory import Memory, Place
    from parallel_cookbook.kernel import Kernel

# Hooks handle objects of the program under test, of which nothing is known.
# ruff: noqa: ANN401, D102

_ATOMS = frozenset({int, float, str, bool, type(None)})
"""Types of which every object is one value, and no container."""
_CONTAINERS = frozenset(CONTAINER_TYPES)
_CONTAINER_METHODS = frozenset(
    name for kind in CONTAINER_TYPES for name in vars(kind) if not name.startswith("_")
)
_KEYED = frozenset({dict, OrderedDict, defaultdict})
_INDEXED = frozenset({list, deque, bytearray})
_HASHED = _KEYED | {set}
_VIEWS = frozenset({type({}.keys()), type({}.values()), type({}.items())})
_MAKING_VIEWS = frozenset({"keys", "values", "items"})

_LOOKING_METHODS = _MAKING_VIEWS | {"__len__", "__iter__", "__contains__"}
"""Methods that look only at which items there are."""
_READING_METHODS = frozenset(
    ("copy", "count", "difference", "index", "intersection", "isdisjoint", "issubset")
    + ("issuperset", "symmetric_difference", "union", "join", "decode", "find", "startswith")
    + ("endswith", "hex", "split", "strip", "tobytes", "tolist")
)
"""Methods that leave their container as it is; all others are taken to change it."""
_MUTATING_FUNCTIONS = frozenset(
    ("heappush", "heappop", "heapify", "heapreplace", "heappushpop")
    + ("insort", "insort_left", "insort_right", "shuffle")
)
"""Functions of the standard library that change the container they are given."""

_ANNOUNCING_NAMES = _CONTAINER_METHODS | CONTAINER_FUNCTIONS
"""Attributes that may be methods of a container, or functions of a module that look into one."""

_SHAPE, _ITEM = object(), object()
"""In the key of a place: which items a container holds, and one of its items."""


def _find_base(kind: type) -> type | None:
    """Return the built-in container that a type is, or is derived from; None if it is none."""
    return next((base for base in kind.__mro__ if base in _CONTAINERS), None)


_base: Callable[[type], type | None] = functools.lru_cache(maxsize=256)(_find_base)


class _AttributeKind(enum.Enum):
    """Where `obj.name` lives, as far as the type of `obj` says it."""

    INSTANCE = enum.auto()
    """In the object itself."""
    CLASS = enum.auto()
    """In the class, unless the object has one of its own."""
    METHOD = enum.auto()
    """The same, and it is a method or the like: to look at it there tells no data."""
    MODULE = enum.auto()
    """In a module: a global variable."""
    NO_PLACE = enum.auto()
    """Nowhere that tasks could meet: a property, whose own code is rewritten; a thread's own."""


def _attribute_kind(owner: type, name: str) -> tuple[_AttributeKind, type]:  # noqa: PLR0911 - a table
    """Say where the attribute of an object of this type lives, and which class has it, if one does."""
    if issubclass(owner, types.ModuleType):
        return _AttributeKind.MODULE, owner
    if issubclass(owner, type):
        return _AttributeKind.INSTANCE, owner
    if issubclass(owner, Local):
        return _AttributeKind.NO_PLACE, owner
    for found in owner.__mro__:
        if name in found.__dict__:
            attribute = found.__dict__[name]
            if isinstance(attribute, types.MemberDescriptorType):
                return _AttributeKind.INSTANCE, found
            if hasattr(type(attribute), "__set__"):
                return _AttributeKind.NO_PLACE, found
            is_method = hasattr(type(attribute), "__get__")
            return _AttributeKind.METHOD if is_method else _AttributeKind.CLASS, found
    return _AttributeKind.INSTANCE, owner


class CheckHooks:
    """Implements `instrument.Hooks`. One for each exploration."""

    def __init__(self, kernel: Kernel, memory: Memory, max_ticks: int) -> None:
        self._kernel = kernel
        self._memory = memory
        self._max_ticks = max_ticks
        self.ticks = 0
        """Turns of loops in the present execution."""
        self._polls = Polls(kernel)
        self.cycles = Cycles(kernel, memory)
        self.on_endless_loop: Callable[[int], None] = lambda _site: None
        self.class_stores: set[str] = set()
        """The class attributes that have been stored while tasks lived, by their keys."""
        self.has_new_places = False
        """Whether an execution has shown a place that earlier ones, and it itself, overlooked."""
        self._places = memory.places
        self._read = memory.read
        self._write = memory.write
        self._for_loops: set[int] = set()
        """The sites of loops that are no `while` loops."""
        self._attribute_kinds: dict[tuple[type, str], tuple[_AttributeKind, type]] = {}

    def cut_loops(self) -> None:
        """Let the next turn of a loop be one too many."""
        self._max_ticks = 0

    def begin_execution(self) -> None:
        """Forget what concerned the last execution alone."""
        self.ticks = 0
        self._attribute_kinds.clear()  # the program's classes are made anew
        self._polls.begin_execution()
        self.cycles.begin_execution()

    # --- attributes -----------------------------------------------------------------------------

    def load_attr(self, site: int, obj: Any, name: str, /) -> Any:
        kernel = self._kernel
        if name in _ANNOUNCING_NAMES:
            if _base(type(obj)) is not None and name in _CONTAINER_METHODS:
                return self._announcing_method(site, obj, name)  # to be called who knows when
            if type(obj) is types.ModuleType and not kernel.is_alone:
                return self._module_attribute(site, obj, name)
        if not kernel.is_alone:
            place = self._places.get((id(obj), name)) or self._attribute(site, obj, name)
            if place is not None:
                self._read(place, site)
        return getattr(obj, name)

    def _module_attribute(self, site: int, module: Any, name: str) -> Any:
        """Return what may be a function that looks into its arguments, so that it announces that."""
        place = self._attribute(site, module, name)
        if place is not None:
            self._read(place, site)
        function = getattr(module, name)
        if name in CONTAINER_FUNCTIONS:
            return functools.partial(self.call_builtin, site, function)
        return function

    def store_attr(self, value: Any, site: int, obj: Any, name: str, /) -> None:
        self._announce_store(site, obj, name)
        setattr(obj, name, value)

    def del_attr(self, site: int, obj: Any, name: str, /) -> None:
        self._announce_store(site, obj, name)
        delattr(obj, name)

    def attr_target(self, site: int, obj: Any, name: str, /) -> Any:
        return _Slot(lambda value: self.store_attr(value, site, obj, name))

    def begin_aug_attr(self, site: int, obj: Any, name: str, /) -> Any:
        return site, obj, name, self.load_attr(site, obj, name)

    def end_aug_attr(self, begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
        site, obj, name, loaded = begun
        if type(loaded) in _ATOMS and type(value) in _ATOMS:
            new = op(loaded, value)
        else:
            new = self.inplace(site + 2, loaded, value, op)
        self.store_attr(new, site + 1, obj, name)

    def _announce_store(self, site: int, obj: Any, name: str) -> None:
        if isinstance(obj, type):
            self._attribute_kinds.clear()
            if not self._kernel.is_alone:
                self._note_class_store(obj, name)
        if self._kernel.is_alone:
            return
        place = self._places.get((id(obj), name)) or self._attribute(site, obj, name, is_store=True)
        if place is not None:
            self._write(place, site)

    def _note_class_store(self, owner: type, name: str) -> None:
        key = key_of(owner.__module__, owner.__qualname__, name)
        if key not in self.class_stores:
            self.class_stores.add(key)
            self.has_new_places = True

    def _attribute(self, site: int, obj: Any, name: str, *, is_store: bool = False) -> Place | None:
        """Return the place of `obj.name`; None if it is no place: a property, a method.

        A read of an attribute of the class, seen through an object, is noted down here.
        """
        owner = type(obj)
        known = self._attribute_kinds.get((owner, name))
        if known is None:
            known = self._attribute_kinds[owner, name] = _attribute_kind(owner, name)
        kind, found = known
        if kind is _AttributeKind.INSTANCE:
            return self._memory.place((id(obj), name), obj)
        if kind is _AttributeKind.NO_PLACE:
            return None
        if kind is _AttributeKind.MODULE:
            return self._memory.place(self._key_of_global(obj.__name__, name), None)
        if not is_store and name not in getattr(obj, "__dict__", ()):
            # Seen through the object, in its class: the class's own is a place once somebody has stored
            # it; and if it is data, another task may give the object one of its own meanwhile.
            is_stored = self.class_stores and (
                key_of(found.__module__, found.__qualname__, name) in self.class_stores
            )
            if is_stored:
                self._memory.read(self._memory.place((id(found), name), found), site)
            if kind is _AttributeKind.METHOD:
                return None
        return self._memory.place((id(obj), name), obj)

    # --- items and containers -------------------------------------------------------------------

    def load_item(self, site: int, obj: Any, key: Any, /) -> Any:
        if _base(type(obj)) and not self._kernel.is_alone:
            self._read_item(site, obj, key)
        elif type(obj) is memoryview and type(key) is not slice:
            announce(obj, key, is_store=False)
        return obj[key]

    def store_item(self, value: Any, site: int, obj: Any, key: Any, /) -> None:
        if _base(type(obj)) and not self._kernel.is_alone:
            self._write_item(site, obj, key)
        elif type(obj) is memoryview:
            announce(obj, key, is_store=True)
        obj[key] = value

    def item_target(self, site: int, obj: Any, key: Any, /) -> Any:
        return _Slot(lambda value: self.store_item(value, site, obj, key))

    def del_item(self, site: int, obj: Any, key: Any, /) -> None:
        if _base(type(obj)) and not self._kernel.is_alone:
            self._change(site, obj)
        del obj[key]

    def begin_aug_item(self, site: int, obj: Any, key: Any, /) -> Any:
        return site, obj, key, self.load_item(site, obj, key)

    def end_aug_item(self, begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
        site, obj, key, loaded = begun
        self.store_item(self.inplace(site + 2, loaded, value, op), site + 1, obj, key)

    def _read_item(self, site: int, obj: Any, key: Any) -> None:
        while True:
            is_there = _is_item(obj, key)
            if not is_there:
                self._look(site, obj)
            else:
                self._memory.access("load", (self._item(obj, key), self._shape(obj)), (), site)
            if _is_item(obj, key) == is_there:  # else another task changed it while this one waited
                return

    def _write_item(self, site: int, obj: Any, key: Any) -> None:
        while True:
            is_there = _is_item(obj, key)
            if not is_there:
                self._change(site, obj)
            else:
                self._memory.access("store", (self._shape(obj),), (self._item(obj, key),), site)
            if _is_item(obj, key) == is_there:
                return

    def _shape(self, obj: Any) -> Place:
        return self._memory.place((id(obj), _SHAPE), obj, is_atomic=True)

    def _item(self, obj: Any, key: Any) -> Place:
        return self._memory.place((id(obj), _ITEM, key), obj)

    def _look(self, site: int, obj: Any) -> None:
        """Note a look at which items there are."""
        obj = self._owner(obj)
        self._memory.access("look at", (self._shape(obj),), (), site)

    def _look_at_items(self, site: int, obj: Any) -> None:
        """Note a look at all items at once."""
        obj = self._owner(obj)
        places = [self._shape(obj)]
        if _base(type(obj)) in _KEYED:
            places += [self._item(obj, key) for key in list(obj) if _is_item(obj, key)]
        elif _base(type(obj)) in _INDEXED:
            places += [self._item(obj, index) for index in range(len(obj))]
        self._memory.access("look at", places, (), site)

    def _change(self, site: int, obj: Any) -> None:
        """Note a change of which items there are, or of all of them."""
        obj = self._owner(obj)
        self._memory.access("change", (), (self._shape(obj),), site)

    def _owner(self, obj: Any) -> Any:
        """Return the container that a view shows, any other container itself."""
        if type(obj) in _VIEWS:
            _, obj = self._memory.views.get(id(obj), (obj, obj))
        return obj

    def load_method(self, site: int, obj: Any, name: str, /) -> Any:
        if _base(type(obj)) is None:
            if type(obj) is memoryview and name in _READING_METHODS:
                announce(obj, None, is_store=False)
            return self.load_attr(site, obj, name)
        if self._kernel.is_alone and name not in _MAKING_VIEWS:
            return getattr(obj, name)
        return self._announcing_method(site, obj, name)

    def _announcing_method(self, site: int, obj: Any, name: str) -> Any:
        """Return what behaves as the method `obj.name` of a container, and announces its calls."""
        method = getattr(obj, name)
        if not callable(method):
            return method

        def announced(*args: Any, **kwargs: Any) -> Any:
            if not self._kernel.is_alone:
                self._announce_method(site, obj, name, args)
            result = method(*args, **kwargs)
            if type(result) in _VIEWS:
                self._memory.views[id(result)] = (result, obj)
            return result

        announced.__name__ = announced.__qualname__ = name
        announced.stands_for = method  # type: ignore[attr-defined]  # for who pickles it
        return announced

    def _announce_method(self, site: int, obj: Any, name: str, args: tuple[Any, ...]) -> None:
        for arg in args:
            if _base(type(arg)):
                self._look_at_items(site, arg)
        if name in {"get", "__getitem__"} and args:
            self._read_item(site, obj, args[0])
        elif name == "__setitem__" and args:
            self._write_item(site, obj, args[0])
        elif name in _LOOKING_METHODS:
            self._look(site, obj)
        elif name in _READING_METHODS:
            self._look_at_items(site, obj)
        else:
            self._change(site, obj)

    def call_builtin(self, site: int, func: Any, /, *args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if type(arg) is memoryview and func is not len:
                announce(arg, None, is_store=False)
        if not self._kernel.is_alone:
            if func is getattr:
                return self._getattr(site, *args)
            if func is setattr and len(args) == 3:  # noqa: PLR2004 - setattr's own arity
                return self.store_attr(args[2], site, args[0], args[1])
            for arg in args:
                if _base(type(arg)):
                    self._announce_argument(site, func, arg)
        return func(*args, **kwargs)

    def _announce_argument(self, site: int, func: Any, arg: Any) -> None:
        if getattr(func, "__name__", "") in _MUTATING_FUNCTIONS:
            self._change(site, arg)
        elif func in {len, bool, iter}:
            self._look(site, arg)
        else:
            self._look_at_items(site, arg)

    def _getattr(self, site: int, obj: Any, name: str, *default: Any) -> Any:
        try:
            return self.load_attr(site, obj, name)
        except AttributeError:
            if default:
                return default[0]
            raise

    def contains(self, site: int, item: Any, container: Any, /) -> bool:
        if _base(type(container)) and not self._kernel.is_alone:
            owner = self._owner(container)
            (self._look if _base(type(owner)) in _HASHED else self._look_at_items)(site, container)
        return item in container

    def operate(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        if type(left) not in _ATOMS or type(right) not in _ATOMS:
            self.read_container(site, left)
            self.read_container(site, right)
        return op(left, right)

    def inplace(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        if type(left) not in _ATOMS or type(right) not in _ATOMS:
            self.read_container(site, right)
            if _base(type(left)) and not self._kernel.is_alone:
                self._change(site, left)
        return op(left, right)

    def iterate(self, site: int, iterable: Any, /) -> Any:
        if _base(type(iterable)):
            return self._announced_steps(site, iterable)
        if type(iterable) is memoryview:
            announce(iterable, None, is_store=False)
        return iterable

    def _announced_steps(self, site: int, iterable: Any) -> Iterator[Any]:
        """Yield the items; each step looks at the shape, and at the item where they are numbered."""
        owner = self._owner(iterable)
        is_indexed = _base(type(owner)) in _INDEXED
        shape = self._shape(owner)
        iterator = iter(iterable)
        index = 0
        while True:
            if not self._kernel.is_alone:
                if is_indexed and index < len(owner):
                    self._memory.access("load", (shape, self._item(owner, index)), (), site)
                else:
                    self._memory.access("look at", (shape,), (), site)
            try:
                item = next(iterator)
            except StopIteration:
                return
            yield item
            index += 1

    def read_container(self, site: int, obj: Any, /) -> Any:
        if _base(type(obj)) and not self._kernel.is_alone:
            self._look_at_items(site, obj)
        return obj

    # --- names ----------------------------------------------------------------------------------

    def read_global(self, site: int, /) -> None:
        if not self._kernel.is_alone:
            places = self._kernel.running.group.places
            self._read(places.get(site) or self._global(site), site)

    def write_global(self, site: int, value: Any, /) -> Any:
        if not self._kernel.is_alone:
            places = self._kernel.running.group.places
            self._write(places.get(site) or self._global(site), site)
        return value

    def _global(self, site: int) -> Place:
        """Return the place of the global at `site`, which was not asked for yet in this process."""
        found = self._memory.sites[site]
        module = self.module_names.get(found.file, found.file)
        place = self._memory.place(self._key_of_global(module, found.subject), None)
        self._kernel.running.group.places[site] = place
        return place

    def _key_of_global(self, module: str, name: str) -> tuple[object, ...]:
        if module == "__mp_main__":
            module = "__main__"  # as a child process calls it
        return ("global", self._kernel.running.group.uid, module, name)

    def bind_global(self, site: int, value: Any, /) -> Any:
        if not self._kernel.running.group.is_alone:
            self.on_late_binding(site)
        return value

    module_names: dict[str, str] = {}  # noqa: RUF012 - set by the program's loader, for each file
    on_late_binding: Callable[[int], None] = staticmethod(lambda _site: None)

    def new_scope(self) -> Any:
        return _Scope()

    def read_cell(self, site: int, scope: Any, /) -> None:
        if not self._kernel.is_alone:
            memory = self._memory
            name = memory.sites[site].subject
            memory.read(memory.place((id(scope), name), scope), site)

    def write_cell(self, site: int, scope: Any, value: Any, /) -> Any:
        if not self._kernel.is_alone:
            memory = self._memory
            name = memory.sites[site].subject
            memory.write(memory.place((id(scope), name), scope), site)
        return value

    def tick(self, site: int, /) -> None:
        self.ticks += 1
        if self.ticks > self._max_ticks:
            self.on_endless_loop(site)
        if site in self._for_loops or len(self._kernel.tasks) == 1:
            return
        loop = self._memory.sites[site].subject
        if loop == "for":
            self._for_loops.add(site)
            return
        frame = sys._getframe(1)  # noqa: SLF001 - the program's own
        self.cycles.turn(site, frame)
        if loop == "while":
            self._polls.turn(site, frame)


class _Scope:
    """One activation of a function that owns cells."""

    __slots__ = ()


class _Slot:
    """Stores when its `value` is set."""

    __slots__ = ("_store",)

    def __init__(self, store: Callable[[Any], None]) -> None:
        self._store = store

    @property
    def value(self) -> Any:
        raise AttributeError("only ever set")

    @value.setter
    def value(self, value: Any) -> None:
        self._store(value)


def _is_item(obj: Any, key: Any) -> bool:
    """Whether `obj[key]` is one item that is there, so that its store leaves the shape alone."""
    kind = _base(type(obj))
    if kind in _KEYED:
        return type(key) in {str, int, float, bool, tuple, type(None)} and key in obj
    if kind in {list, deque, bytearray}:
        return type(key) is int and 0 <= key < len(obj)
    return False

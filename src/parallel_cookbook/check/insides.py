"""What objects hold, as places: the items of containers, and what code keeps that announces nothing.

A container is not one place but several, so that two tasks that fill different slots of one list do not
conflict: each of its items is one, and its *shape*, which items there are and in which order, is another. To
look at all items is to read the shape and every item; to append is to write the shape.

A closed object (see check/natures.py) is one place. Each use of it is indivisible, save for a step of a
generator, which executes code of the program: it takes two changes, and who comes between them finds the
generator executing.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, defaultdict, deque
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.check.natures import Nature, nature_of
from parallel_cookbook.check.type_table import TypeTable
from parallel_cookbook.instrument import CONTAINER_TYPES
from parallel_cookbook.instrument.operands import CONTAINER_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parallel_cookbook.check.memory import Memory, Place
    from parallel_cookbook.kernel import Kernel

# Hooks handle objects of the program under test, of which nothing is known.
# ruff: noqa: ANN401

_CONTAINERS: Final = frozenset(CONTAINER_TYPES)
CONTAINER_METHODS: Final = frozenset(
    name for kind in CONTAINER_TYPES for name in vars(kind) if not name.startswith("_")
)
_KEYED: Final = frozenset({dict, OrderedDict, defaultdict})
_INDEXED: Final = frozenset({list, deque, bytearray})
_HASHED: Final = _KEYED | {set}
VIEWS: Final = frozenset({type({}.keys()), type({}.values()), type({}.items())})
_KEYS: Final = frozenset({str, int, float, bool, tuple, type(None)})
"""Types of keys that are equal to others only as the interpreter says."""

MAKING_VIEWS: Final = frozenset({"keys", "values", "items"})
_LOOKING_METHODS: Final = MAKING_VIEWS | {"__len__", "__iter__", "__contains__"}
"""Methods that look only at which items there are."""
READING_METHODS: Final = frozenset(
    ("copy", "count", "difference", "index", "intersection", "isdisjoint", "issubset")
    + ("issuperset", "symmetric_difference", "union", "join", "decode", "find", "startswith")
    + ("endswith", "hex", "split", "strip", "tobytes", "tolist", "cast")
)
"""Methods that leave their container as it is; all others are taken to change it."""
_READING_CLOSED: Final = (
    _LOOKING_METHODS | READING_METHODS | {"get", "getvalue", "getbuffer", "closed"}
)
"""Methods that leave a closed object as it is."""
_MUTATING_FUNCTIONS = frozenset(
    ("heappush", "heappop", "heapify", "heapreplace", "heappushpop")
    + ("insort", "insort_left", "insort_right", "shuffle")
)
"""Functions of the standard library that change the container they are given."""
_READERS = CONTAINER_FUNCTIONS - _MUTATING_FUNCTIONS
"""Functions that leave what they are given as it is, save for iterators."""
_CONSUMERS = frozenset(
    ("all", "any", "bytes", "bytearray", "dict", "enumerate", "filter", "frozenset", "list", "map")
    + ("max", "min", "set", "sorted", "sum", "tuple", "zip", "reduce", "chain", "islice", "fsum")
    + (
        "nlargest",
        "nsmallest",
        "deque",
        "Counter",
        "OrderedDict",
        "accumulate",
        "batched",
        "compress",
    )
    + ("dropwhile", "filterfalse", "groupby", "pairwise", "starmap", "takewhile", "zip_longest")
    + ("cycle", "join", "extend", "update", "extendleft", "writelines", "fromkeys", "union", "mean")
)
"""Functions and methods that step through the iterators they are given, now or later."""
_LAZY = frozenset(
    ("enumerate", "filter", "map", "zip", "chain", "islice", "accumulate", "batched", "compress")
    + (
        "dropwhile",
        "filterfalse",
        "groupby",
        "pairwise",
        "starmap",
        "takewhile",
        "zip_longest",
        "cycle",
    )
)
"""Those that do it later."""
_DEEP_FUNCTIONS = frozenset(
    {"repr", "str", "format", "ascii", "print", "deepcopy", "dumps", "asdict", "astuple", "pformat"}
)
"""Functions that look at what is in what they are given, however deep."""
_DEPTH = 8
"""So deep they are followed."""

_SHAPE: Final = object()
_ITEM: Final = object()
_WHOLE: Final = object()
"""In the key of a place: which items a container holds, one of its items, a closed object."""
STEPPED: Final = frozenset({Nature.ITERATOR, Nature.GENERATOR})


def _find_base(kind: type) -> type | None:
    """Return the built-in container that a type is, or is derived from; None if it is none."""
    return next((base for base in kind.__mro__ if base in _CONTAINERS), None)


base_of: Final[Callable[[type], type | None]] = TypeTable(_find_base).__getitem__


class Insides:
    """Announces the accesses to what objects hold. One for each exploration."""

    def __init__(self, kernel: Kernel, memory: Memory) -> None:
        self._kernel = kernel
        self._memory = memory
        self.key_of_global: Callable[[str, str], tuple[object, ...]]
        """Returns the key of the place of a module's global variable."""
        self.on_module_store: Callable[[ModuleType, str], None] = lambda _module, _name: None
        """Called when a global variable of a module is stored otherwise than by its name."""
        self._executing: set[int] = set()
        """The generators of which a step has begun and not ended, by their ids."""

    # --- items ----------------------------------------------------------------------------------

    def read_item(self, site: int, obj: Any, key: Any) -> None:
        """Announce the load of `obj[key]`, of a container."""
        while True:
            key = _from_the_front(obj, key)
            is_there = _is_item(obj, key)
            if is_there or (type(key) is str and id(obj) in self._memory.instances):
                self._memory.access("load", (self._item(obj, key), self._shape(obj)), (), site)
            elif type(key) in _KEYS:
                self.look(site, obj)
            else:
                self.look_at_items(site, obj)
            if _is_item(obj, _from_the_front(obj, key)) == is_there:
                return  # else another task changed it while this one waited

    def write_item(self, site: int, obj: Any, key: Any) -> None:
        """Announce the store of `obj[key]`, of a container."""
        owner = self._memory.instances.get(id(obj))
        if owner is not None and isinstance(owner[1], ModuleType):
            self.on_module_store(owner[1], key)
        while True:
            key = _from_the_front(obj, key)
            is_there = _is_item(obj, key)
            if not is_there:
                self.change(site, obj)
            else:
                self._memory.access("store", (self._shape(obj),), (self._item(obj, key),), site)
            if _is_item(obj, key) == is_there:
                return

    def _shape(self, obj: Any) -> Place:
        return self._memory.place((id(obj), _SHAPE), obj, is_atomic=True)

    def _item(self, obj: Any, key: Any) -> Place:
        owner = self._memory.instances.get(id(obj))
        if owner is None:
            return self._memory.place((id(obj), _ITEM, key), obj)
        if isinstance(owner[1], ModuleType):
            return self._memory.place(self.key_of_global(owner[1].__name__, key), None)
        return self._memory.place((id(owner[1]), key), owner[1])

    # --- containers as a whole ------------------------------------------------------------------

    def look(self, site: int, obj: Any) -> None:
        """Announce a look at which items there are."""
        obj = self.shown(obj)
        self._memory.access("look at", (self._shape(obj),), (), site)

    def look_at_items(self, site: int, obj: Any) -> None:
        """Announce a look at all items at once."""
        self._memory.access("look at", self._all_places(self.shown(obj)), (), site)

    def look_deep(self, site: int, objects: Iterable[Any]) -> None:
        """Announce a look at all that is in these objects, and in what is in them."""
        places: list[Place] = []
        self._collect(objects, places, set(), 0)
        if places:
            self._memory.access("look at", places, (), site)

    def _collect(
        self, objects: Iterable[Any], places: list[Place], seen: set[int], depth: int
    ) -> None:
        for obj in objects:
            kind = type(obj)
            if kind is tuple or kind is frozenset:
                self._collect(obj, places, seen, depth)
                continue
            nature = nature_of(kind)
            if nature is Nature.PLAIN or id(obj) in seen or depth > _DEPTH:
                continue
            seen.add(id(obj))
            if nature is Nature.CONTAINER:
                shown = self.shown(obj)
                places += self._all_places(shown)
                base = base_of(type(shown))
                if base is not bytearray:
                    held = [*dict.values(shown)] if base in _KEYED else base.__iter__(shown)  # type: ignore[union-attr] # it is a container
                    self._collect(list(held), places, seen, depth + 1)
            elif nature is Nature.RECORD:
                held = obj.__dict__ if hasattr(obj, "__dict__") else {}
                places += [self._memory.place((id(obj), name), obj) for name in held]
                self._collect(list(held.values()), places, seen, depth + 1)
            elif nature is Nature.CLOSED:
                places.append(self.whole(obj))

    def _all_places(self, obj: Any) -> list[Place]:
        places = [self._shape(obj)]
        base = base_of(type(obj))
        if base in _KEYED:
            places += [self._item(obj, key) for key in list(obj) if _is_item(obj, key)]
        elif base in _INDEXED:
            places += [self._item(obj, index) for index in range(len(obj))]
        return places

    def store_new(self, site: int, space: Any, place: Place) -> None:
        """Announce that an attribute is made, or deleted, in an object whose `__dict__` is looked at."""
        self._memory.access("store", (), (place, self._shape(space)), site)

    def change(self, site: int, obj: Any) -> None:
        """Announce a change of which items there are, or of all of them."""
        obj = self.shown(obj)
        self._memory.access("change", (), (self._shape(obj),), site)

    def shown(self, obj: Any) -> Any:
        """Return the container that a view shows, any other container itself."""
        if type(obj) in VIEWS:
            _, obj = self._memory.views.get(id(obj), (obj, obj))
        return obj

    def contains(self, site: int, obj: Any) -> None:
        """Announce that an item is looked for."""
        if base_of(type(self.shown(obj))) in _HASHED:
            self.look(site, obj)
        else:
            self.look_at_items(site, obj)

    def steps(
        self, site: int, iterable: Any, start: Callable[[Any], Iterator[Any]] = iter
    ) -> Iterator[Any]:
        """Yield a container's items; each step looks at the shape, and at the item if numbered.

        start: what makes the iterator.
        """
        shown = self.shown(iterable)
        is_indexed = base_of(type(shown)) in _INDEXED and start is iter
        shape = self._shape(shown)
        iterator = start(iterable)
        index = 0
        while True:
            if not self._kernel.is_alone:
                if is_indexed and index < len(shown):
                    self._memory.access("load", (shape, self._item(shown, index)), (), site)
                else:
                    self._memory.access("look at", (shape,), (), site)
            try:
                item = next(iterator)
            except StopIteration:
                return
            yield item
            index += 1

    # --- closed objects -------------------------------------------------------------------------

    def whole(self, obj: Any) -> Place:
        """Return the one place of a closed object, which dies when the program lets go of it.

        A file is closed then, and a generator's `finally` is executed: to keep it would change that.
        """
        key = (id(obj), _WHOLE)
        place = self._memory.places.get(key)
        if place is None:
            try:
                keep: object = weakref.ref(obj, lambda _: self._memory.retire(key))
            except TypeError:
                keep = obj
            place = self._memory.place(key, keep, is_atomic=True)
        return place

    def look_closed(self, site: int, obj: Any) -> None:
        """Announce a use of a closed object that leaves it as it is."""
        self._memory.access("look at", (self.whole(obj),), (), site)

    def change_closed(self, site: int, obj: Any) -> None:
        """Announce any other use of one."""
        self._memory.access("change", (), (self.whole(obj),), site)

    def iterate_closed(self, site: int, obj: Any) -> Iterator[Any]:
        """Yield what a closed object yields; each step is announced."""
        is_stepped = nature_of(type(obj)) in STEPPED
        iterator = iter(obj)
        while True:
            try:
                if is_stepped:
                    item = self.step(site, obj, iterator.__next__)
                else:
                    if not self._kernel.is_alone:
                        self.look_closed(site, obj)
                    item = next(iterator)
            except StopIteration:
                return
            yield item

    def step(self, site: int, obj: Any, perform: Callable[..., Any], *args: Any) -> Any:
        """Perform one step of a closed object; return its result."""
        if self._kernel.is_alone:
            return perform(*args)
        self.change_closed(site, obj)
        if nature_of(type(obj)) is not Nature.GENERATOR:
            return perform(*args)
        if id(obj) in self._executing:
            raise ValueError("generator already executing")
        self._executing.add(id(obj))
        try:
            self.change_closed(site, obj)  # who comes now finds it executing
            return perform(*args)
        finally:
            self._executing.discard(id(obj))

    def begin_execution(self) -> None:
        """Forget what concerned the last execution alone."""
        self._executing.clear()

    # --- calls of code that announces nothing ---------------------------------------------------

    def with_stand_ins(self, site: int, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments of a function; iterators that it steps through announce each step.

        An iterator of built-in code that is exhausted on the spot is so indivisibly, and stays itself.
        """
        if name not in _CONSUMERS:
            return args
        natures = [nature_of(type(arg)) for arg in args]
        if STEPPED.isdisjoint(natures):
            return args
        return tuple(
            self.iterate_closed(site, arg)
            if nature is Nature.GENERATOR or (nature is Nature.ITERATOR and name in _LAZY)
            else arg
            for arg, nature in zip(args, natures, strict=True)
        )

    def announce_arguments_of_method(self, site: int, args: Iterable[Any]) -> None:
        """Announce that a method looks at what it is given."""
        for arg in args:
            self._pass(site, arg, changes=False)

    def announce_method(self, site: int, obj: Any, name: str, args: tuple[Any, ...]) -> None:
        """Announce the call of a method of a container, or of a closed object."""
        nature = nature_of(type(obj))
        if nature is Nature.CONTAINER:
            self._announce_container_method(site, obj, name, args)
        elif nature is Nature.CLOSED and name in _READING_CLOSED:
            self.look_closed(site, obj)
        elif not isinstance(obj, str | bytes):
            self.change_closed(site, obj)

    def _announce_container_method(
        self, site: int, obj: Any, name: str, args: tuple[Any, ...]
    ) -> None:
        if name in {"get", "__getitem__"} and args:
            self.read_item(site, obj, args[0])
        elif name == "__setitem__" and args:
            self.write_item(site, obj, args[0])
        elif name in _LOOKING_METHODS:
            self.look(site, obj)
        elif name in READING_METHODS:
            self.look_at_items(site, obj)
        else:
            self.change(site, obj)

    def announce_arguments(self, site: int, func: Any, args: Iterable[Any]) -> None:
        """Announce what a function that announces nothing does to what it is given.

        One of which nothing is known is taken to change its arguments.
        """
        name = getattr(func, "__name__", "")
        if name in _DEEP_FUNCTIONS:
            self.look_deep(site, args)
            return
        is_reader = isinstance(func, type) or name in _READERS
        for arg in args:
            if (func is len or func is bool or func is iter) and base_of(type(arg)):
                self.look(site, arg)
            else:
                self._pass(site, arg, changes=not is_reader)

    def _pass(self, site: int, arg: Any, *, changes: bool) -> None:
        """Announce that an argument is looked at, or changed."""
        nature = nature_of(type(arg))
        if nature is Nature.PLAIN or nature is Nature.RECORD:
            return
        if nature is Nature.CONTAINER:
            (self.change if changes else self.look_at_items)(site, arg)
        elif nature is Nature.CLOSED and not changes:
            self.look_closed(site, arg)
        else:
            self.change_closed(site, arg)


def _is_item(obj: Any, key: Any) -> bool:
    """Whether `obj[key]` is one item that is there, so that its store leaves the shape alone."""
    kind = base_of(type(obj))
    if kind in _KEYED:
        return type(key) in _KEYS and key in obj
    if kind in _INDEXED:
        return type(key) is int and 0 <= key < len(obj)
    return False


def _from_the_front(obj: Any, key: Any) -> Any:
    """Return the number of the item that `key` counts from the end; any other key as it is."""
    if type(key) is int and key < 0 and base_of(type(obj)) in _INDEXED:
        return key + len(obj) if key + len(obj) >= 0 else key
    return key

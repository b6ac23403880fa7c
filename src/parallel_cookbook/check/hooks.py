"""The hooks of the check: what rewritten code calls, each access turned into reads and writes of places.

As long as the program has only one task nothing is noted down: whatever it does then happens before
everything that its later tasks do.
"""

from __future__ import annotations

import enum
import functools
import sys
import types
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.cycles import Cycles
from parallel_cookbook.check.insides import (
    CONTAINER_METHODS,
    MAKING_VIEWS,
    READING_METHODS,
    STEPPED,
    VIEWS,
    Insides,
    base_of,
)
from parallel_cookbook.check.natures import (
    Nature,
    comes_closed,
    is_closed_class,
    is_foreign_module,
    nature_of,
)
from parallel_cookbook.check.polling import Polls
from parallel_cookbook.check.schedule import key_of
from parallel_cookbook.check.space import SeenModules
from parallel_cookbook.instrument.operands import CONTAINER_FUNCTIONS, FRAME_READING_FUNCTIONS
from parallel_cookbook.simulation.locals import Local
from parallel_cookbook.simulation.processes.shared_memory import announce

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.check.memory import Memory, Place
    from parallel_cookbook.kernel import Kernel

# Hooks handle objects of the program under test, of which nothing is known.
# ruff: noqa: ANN401, D102

_ATOMS = frozenset({int, float, str, bool, type(None)})
"""Types of which every object is one value, and no container."""
_ANNOUNCING_NAMES = CONTAINER_METHODS | CONTAINER_FUNCTIONS | {"modules"}
"""Attributes that may be methods of a container, functions of a module that look into one, `sys.modules`."""

_TEXTS = frozenset({str, bytes})
_TEXT_METHODS = frozenset({"join", "format", "format_map"})
"""Methods of texts that look into what they are given."""
_BOUND = frozenset({types.MethodType, types.BuiltinMethodType, types.MethodWrapperType})
_SLOTS = frozenset({"__setattr__", "__getattribute__", "__delattr__"})
"""What classes define to have a say in the access to attributes; `object`'s own make the access."""


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
    CLOSED = enum.auto()
    """In code that announces nothing: it is part of the object as a whole."""
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
            if is_closed_class(found):
                return _AttributeKind.CLOSED, found
            if isinstance(attribute, types.MemberDescriptorType):
                return _AttributeKind.INSTANCE, found
            if hasattr(type(attribute), "__set__"):
                return _AttributeKind.NO_PLACE, found
            is_method = hasattr(type(attribute), "__get__")
            return _AttributeKind.METHOD if is_method else _AttributeKind.CLASS, found
    return _AttributeKind.INSTANCE, owner


_CLOSED: Any = object()
"""Stands for the place of an object as a whole."""
_ON_ATTRIBUTES = (getattr, hasattr, setattr, delattr)


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
        self._insides = Insides(kernel, memory)
        self._insides.key_of_global = self._key_of_global
        self._insides.on_module_store = self._note_module_store
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
        self._insides.begin_execution()
        self._polls.begin_execution()
        self.cycles.begin_execution()

    # --- attributes -----------------------------------------------------------------------------

    def load_attr(self, site: int, obj: Any, name: str, /) -> Any:
        kernel = self._kernel
        if name in _ANNOUNCING_NAMES:
            if base_of(type(obj)) is not None and name in CONTAINER_METHODS:
                return self._announcing_method(site, obj, name)  # to be called who knows when
            if obj is sys and name == "modules":
                return SeenModules(kernel.running.group.space)
            if type(obj) is types.ModuleType and not kernel.is_alone:
                return self._module_attribute(site, obj, name)
        if not kernel.is_alone:
            place = self._places.get((id(obj), name)) or self._attribute(site, obj, name)
            if place is _CLOSED:
                return self._closed_attribute(site, obj, name)
            if place is not None:
                self._read(place, site)
        value = getattr(obj, name)
        if type(value) in _BOUND and kernel.is_alone:
            return self._closed_method(site, obj, name, value)
        return self._note_instance(obj, value) if name == "__dict__" else value

    def _closed_attribute(self, site: int, obj: Any, name: str) -> Any:
        """Return an attribute that code keeps which announces nothing, or a method of such code."""
        method = getattr(obj, name)
        if type(method) in _BOUND:
            return self._announcing(site, obj, name, method)
        self._insides.look_closed(site, obj)
        return getattr(obj, name)

    def _closed_method(self, site: int, obj: Any, name: str, method: Any) -> Any:
        """Return a method that is kept to be called later, when there may be other tasks."""
        if comes_closed(type(obj), name):
            return self._announcing(site, obj, name, method)
        return method

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
        if isinstance(obj, types.ModuleType):
            self._note_module_store(obj, name)
        place = self._places.get((id(obj), name)) or self._attribute(site, obj, name, is_store=True)
        if place is _CLOSED:
            self._insides.change_closed(site, obj)
        elif place is not None:
            self._write(place, site)

    def _note_module_store(self, module: types.ModuleType, name: str) -> None:
        """Let loads of the variable by its name be accesses, too, if the module is the program's."""
        file = getattr(module, "__file__", None)
        if file in self.module_names:
            self.on_module_store(file, name)

    def _note_class_store(self, owner: type, name: str) -> None:
        key = key_of(owner.__module__, owner.__qualname__, name)
        if key not in self.class_stores:
            self.class_stores.add(key)
            self.has_new_places = True

    def _attribute(self, site: int, obj: Any, name: str, *, is_store: bool = False) -> Place | None:
        """Return the place of `obj.name`; None if it is no place: a property, a method.

        `_CLOSED` if it is part of an object whose code announces nothing.

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
        if kind is _AttributeKind.CLOSED:
            return _CLOSED  # type: ignore[no-any-return] # compared by identity alone
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
        if not self._kernel.is_alone:
            nature = nature_of(type(obj))
            if nature is Nature.CONTAINER:
                self._insides.read_item(site, obj, key)
            elif nature is Nature.CLOSED:
                self._insides.look_closed(site, obj)
        if type(obj) is memoryview and type(key) is not slice:
            self._announce_view(site, obj, key)
        return obj[key]

    def store_item(self, value: Any, site: int, obj: Any, key: Any, /) -> None:
        if not self._kernel.is_alone:
            nature = nature_of(type(obj))
            if nature is Nature.CONTAINER:
                self._insides.write_item(site, obj, key)
            elif nature is Nature.CLOSED:
                self._insides.change_closed(site, obj)
        if type(obj) is memoryview:
            self._announce_view(site, obj, key, is_store=True)
        obj[key] = value

    def item_target(self, site: int, obj: Any, key: Any, /) -> Any:
        return _Slot(lambda value: self.store_item(value, site, obj, key))

    def del_item(self, site: int, obj: Any, key: Any, /) -> None:
        if not self._kernel.is_alone:
            nature = nature_of(type(obj))
            if nature is Nature.CONTAINER:
                self._insides.change(site, obj)
            elif nature is Nature.CLOSED:
                self._insides.change_closed(site, obj)
        del obj[key]

    def begin_aug_item(self, site: int, obj: Any, key: Any, /) -> Any:
        return site, obj, key, self.load_item(site, obj, key)

    def end_aug_item(self, begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
        site, obj, key, loaded = begun
        self.store_item(self.inplace(site + 2, loaded, value, op), site + 1, obj, key)

    def load_method(self, site: int, obj: Any, name: str, /) -> Any:
        kind = type(obj)
        if self._kernel.is_alone and name not in MAKING_VIEWS:
            return getattr(obj, name)
        if kind is types.ModuleType:
            return self._function(site, obj, name)
        if base_of(kind) is not None or (kind in _TEXTS and name in _TEXT_METHODS):
            return self._announcing_method(site, obj, name)
        if kind is memoryview and name in READING_METHODS:
            self._announce_view(site, obj, None)
        if kind is super:
            return self._inherited_method(site, obj, name)
        if obj is object and name in _SLOTS:
            return functools.partial(self._access_plainly, site, name)
        return self.load_attr(site, obj, name)

    def _function(self, site: int, module: types.ModuleType, name: str) -> Any:
        """Return a function of a module, which announces what it does to its arguments."""
        function = self.load_attr(site, module, name)
        if is_foreign_module(module) and name not in FRAME_READING_FUNCTIONS:
            return functools.partial(self.call_builtin, site, function)
        return function

    def _inherited_method(self, site: int, obj: Any, name: str) -> Any:
        """Return `super().name`, which announces its call if it is built-in code of a container."""
        method = getattr(obj, name)
        owner = getattr(method, "__self__", None)
        if type(method) in _BOUND and not isinstance(method, types.MethodType):
            if base_of(type(owner)) is not None:
                return self._announcing(site, owner, name, method)
            if name in _SLOTS and getattr(method, "__objclass__", object) is object:
                return functools.partial(self._access_plainly, site, name, owner)
        return method

    def _access_plainly(self, site: int, slot: str, obj: Any, name: str, *value: Any) -> Any:
        """Do what `object.__setattr__` and the like do, and announce it."""
        if slot == "__getattribute__":
            if not self._kernel.is_alone:
                place = self._attribute(site, obj, name)
                if place is not None and place is not _CLOSED:
                    self._read(place, site)
        else:
            self._announce_store(site, obj, name)
        return getattr(object, slot)(obj, name, *value)

    def _announcing_method(self, site: int, obj: Any, name: str) -> Any:
        """Return what behaves as the method `obj.name` of a container, and announces its calls."""
        method = getattr(obj, name)
        return self._announcing(site, obj, name, method) if callable(method) else method

    def _announcing(self, site: int, obj: Any, name: str, method: Callable[..., Any]) -> Any:
        insides = self._insides

        def announced(*args: Any, **kwargs: Any) -> Any:
            if self._kernel.is_alone:
                result = method(*args, **kwargs)
            else:
                args = insides.with_stand_ins(site, name, args)
                insides.announce_arguments_of_method(site, (*args, *kwargs.values()))
                if type(obj) is types.GeneratorType:
                    return insides.step(site, obj, method, *args)
                insides.announce_method(site, obj, name, args)
                result = method(*args, **kwargs)
            if type(result) in VIEWS:
                self._memory.views[id(result)] = (result, obj)
            return result

        announced.__name__ = announced.__qualname__ = name
        announced.stands_for = method  # type: ignore[attr-defined]  # for who pickles it
        return announced

    def call_builtin(self, site: int, func: Any, /, *args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if type(arg) is memoryview and func is not len:
                self._announce_view(site, arg, None)
        if self._kernel.is_alone:
            return (
                self._note_instance(args[0], func(*args)) if func is vars else func(*args, **kwargs)
            )
        if any(func is one for one in _ON_ATTRIBUTES):
            return self._on_attribute(site, func, *args)
        if func is vars:
            return self._note_instance(args[0], func(*args))
        if func is next and nature_of(type(args[0])) in STEPPED:
            return self._insides.step(site, args[0], next, *args)
        if func is reversed and len(args) == 1 and base_of(type(args[0])) is not None:
            return self._insides.steps(site, args[0], reversed)
        args = self._insides.with_stand_ins(site, getattr(func, "__name__", ""), args)
        self._insides.announce_arguments(site, func, (*args, *kwargs.values()))
        return func(*args, **kwargs)

    def _on_attribute(self, site: int, func: Any, obj: Any, name: str, *more: Any) -> Any:
        """Do what `getattr`, `hasattr`, `setattr` and `delattr` do."""
        if func is setattr:
            return self.store_attr(more[0], site, obj, name)
        if func is delattr:
            return self.del_attr(site, obj, name)
        if func is getattr:
            return self._getattr(site, obj, name, *more)
        try:
            self.load_attr(site, obj, name)
        except AttributeError:
            return False
        return True

    def _note_instance(self, obj: Any, space: Any) -> Any:
        """Remember that `space` is where `obj` keeps its attributes."""
        if type(space) is dict and not isinstance(obj, type):
            self._memory.instances[id(space)] = (space, obj)
        return space

    def own_globals(self, space: Any, /) -> Any:
        modules = self._kernel.running.group.space.modules
        module = modules.get(space.get("__name__"))
        if module is not None and vars(module) is space:
            self._note_instance(module, space)
        return space

    def _getattr(self, site: int, obj: Any, name: str, *default: Any) -> Any:
        try:
            return self.load_attr(site, obj, name)
        except AttributeError:
            if default:
                return default[0]
            raise

    def contains(self, site: int, item: Any, container: Any, /) -> bool:
        if not self._kernel.is_alone:
            nature = nature_of(type(container))
            if nature is Nature.CONTAINER:
                self._insides.contains(site, container)
            elif nature is Nature.CLOSED:
                self._insides.look_closed(site, container)
            elif nature in STEPPED:
                self._insides.change_closed(site, container)
        return item in container

    def operate(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        if (type(left) not in _ATOMS or type(right) not in _ATOMS) and not self._kernel.is_alone:
            self._insides.look_deep(site, (left, right))
        return op(left, right)

    def inplace(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        if (type(left) not in _ATOMS or type(right) not in _ATOMS) and not self._kernel.is_alone:
            self.read_container(site, right)
            nature = nature_of(type(left))
            if nature is Nature.CONTAINER:
                self._insides.change(site, left)
            elif nature is Nature.CLOSED:
                self._insides.change_closed(site, left)
        return op(left, right)

    def iterate(self, site: int, iterable: Any, /) -> Any:
        nature = nature_of(type(iterable))
        if nature is Nature.CONTAINER:
            return self._insides.steps(site, iterable)
        if nature is Nature.CLOSED or nature in STEPPED:
            return self._insides.iterate_closed(site, iterable)
        if type(iterable) is memoryview:
            self._announce_view(site, iterable, None)
        return iterable

    def delegate(self, site: int, iterable: Any, /) -> Any:
        if nature_of(type(iterable)) is Nature.CONTAINER:
            return self._insides.steps(site, iterable)
        return self.read_container(site, iterable)

    def read_container(self, site: int, obj: Any, /) -> Any:
        if not self._kernel.is_alone:
            nature = nature_of(type(obj))
            if nature is Nature.CONTAINER or nature is Nature.RECORD:
                self._insides.look_deep(site, (obj,))
            elif nature is Nature.CLOSED:
                self._insides.look_closed(site, obj)
        return obj

    def truth(self, site: int, obj: Any, /) -> Any:
        if not self._kernel.is_alone:
            nature = nature_of(type(obj))
            if nature is Nature.CONTAINER:
                self._insides.look(site, obj)
            elif nature is Nature.CLOSED:
                self._insides.look_closed(site, obj)
        return obj

    def unpack(self, site: int, obj: Any, /) -> Any:
        if not self._kernel.is_alone:
            nature = nature_of(type(obj))
            if nature is Nature.CONTAINER:
                self._insides.look_at_items(site, obj)
            elif nature is Nature.CLOSED:
                self._insides.look_closed(site, obj)
            elif nature is Nature.ITERATOR:
                self._insides.change_closed(site, obj)
            elif nature is Nature.GENERATOR:
                return self._insides.iterate_closed(site, obj)
        return obj

    def _announce_view(
        self, site: int, view: memoryview, key: Any, *, is_store: bool = False
    ) -> None:
        """Announce an access to memory through a view of it."""
        announce(view, key, is_store=is_store)
        if base_of(type(view.obj)) is None or self._kernel.is_alone:
            return
        if is_store:
            self._insides.change(site, view.obj)
        else:
            self._insides.look_at_items(site, view.obj)

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
    on_module_store: Callable[[str, str], None] = staticmethod(lambda _file, _name: None)
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

"""The hooks of the check: what rewritten code calls, each access turned into reads and writes of places.

They come in three parts, each derived from the one before: names and loops (check/name_hooks.py), items and
containers (check/container_hooks.py), and here attributes and calls.

As long as the program has only one task nothing is noted down: whatever it does then happens before
everything that its later tasks do.
"""

from __future__ import annotations

import array
import enum
import functools
import sys
import types
from typing import TYPE_CHECKING, Any, Final

from mypy_extensions import mypyc_attr

from parallel_cookbook.check import type_table
from parallel_cookbook.check.container_hooks import ATOMS, ContainerHooks, Slot
from parallel_cookbook.check.insides import (
    CONTAINER_METHODS,
    MAKING_VIEWS,
    READING_METHODS,
    STEPPED,
    VIEWS,
    base_of,
)
from parallel_cookbook.check.memory import Place
from parallel_cookbook.check.natures import (
    comes_closed,
    is_closed_class,
    is_foreign_module,
    nature_of,
)
from parallel_cookbook.check.schedule import key_of
from parallel_cookbook.check.shared_arguments import NAMES as SHARING_NAMES
from parallel_cookbook.check.shared_arguments import announce_object, writes_view
from parallel_cookbook.check.space import SeenModules
from parallel_cookbook.check.stand_in import stand_in
from parallel_cookbook.instrument.operands import CONTAINER_FUNCTIONS, FRAME_READING_FUNCTIONS
from parallel_cookbook.simulation.locals import Local
from parallel_cookbook.simulation.processes.ctypes_views import Shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.check.memory import Memory
    from parallel_cookbook.kernel import Kernel

# Hooks handle objects of the program under test, of which nothing is known.
# ruff: noqa: ANN401, D102

_ANNOUNCING_NAMES: Final = CONTAINER_METHODS | CONTAINER_FUNCTIONS | {"modules"}
"""Attributes that may be methods of a container, functions of a module that look into one, `sys.modules`."""

_TEXTS: Final = frozenset({str, bytes})
_TEXT_METHODS: Final = frozenset({"join", "format", "format_map"})
"""Methods of texts that look into what they are given."""
_BUILT_IN: Final = frozenset(
    {types.BuiltinMethodType, types.MethodWrapperType, type(array.array("b").extend)}
)
"""The types of bound methods of built-in code; the last is that of those that know their class."""
_BOUND: Final = _BUILT_IN | {types.MethodType}
_LOOKED_AT: Final = MAKING_VIEWS | SHARING_NAMES | READING_METHODS
"""Methods and functions that matter even if the process has one thread only."""
_SLOTS: Final = frozenset({"__setattr__", "__getattribute__", "__delattr__"})
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


_SPACES: Final = key_of("the __dict__ of any object")
"""Stands among the class attributes that are stored, once the program has looked at such a one."""
_SPECIAL_OWNERS: Final = (type, types.ModuleType)
"""A store into one of these may concern more than the place of the attribute."""
CLOSED: Final = Place("closed", is_atomic=False)
"""Stands for the place of an object as a whole."""
_ON_ATTRIBUTES = (getattr, hasattr, setattr, delattr)


@mypyc_attr(allow_interpreted_subclasses=True)
class CheckHooks(ContainerHooks):
    """Implements `instrument.Hooks`: names and containers by its bases, attributes and calls here.

    One for each exploration.
    """

    def __init__(self, kernel: Kernel, memory: Memory, max_ticks: int) -> None:
        super().__init__(kernel, memory, max_ticks)
        self.class_stores: set[str] = set()
        """The class attributes that have been stored while tasks lived, by their keys."""
        self._attribute_kinds: dict[tuple[type, str], tuple[_AttributeKind, type]] = {}
        self._kinds_before: dict[tuple[type, str], tuple[_AttributeKind, type]] = {}
        """Those that the last execution has asked for: most classes are made anew, but not all."""

    def begin_execution(self) -> None:
        super().begin_execution()
        self._kinds_before, self._attribute_kinds = self._attribute_kinds, {}
        type_table.begin_execution()

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
            if place is CLOSED:
                return self._closed_attribute(site, obj, name)
            if place is not None and (
                not kernel.is_repeating
                or self._memory.visible[site]
                or kernel.running.looked is not None
            ):
                self._memory.read(place, site)  # else it has nothing to do
            value = getattr(obj, name)
        else:
            value = getattr(obj, name)
            if type(value) in _BOUND:
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
            self._memory.read(place, site)
        function = getattr(module, name)
        if name in CONTAINER_FUNCTIONS:
            return functools.partial(self.call_builtin, site, function)
        return function

    def store_attr(self, value: Any, site: int, obj: Any, name: str, /) -> None:
        if self.class_stores or isinstance(obj, _SPECIAL_OWNERS):
            self._announce_store(site, obj, name)
        elif not self._kernel.is_alone:
            place = self._places.get((id(obj), name))
            if place is not None:
                self._memory.write(place, site)
            else:
                self._announce_store(site, obj, name)
        setattr(obj, name, value)

    def del_attr(self, site: int, obj: Any, name: str, /) -> None:
        self._announce_store(site, obj, name, is_deletion=True)
        delattr(obj, name)

    def attr_target(self, site: int, obj: Any, name: str, /) -> Any:
        return Slot(lambda value: self.store_attr(value, site, obj, name))

    def begin_aug_attr(self, site: int, obj: Any, name: str, /) -> Any:
        return site, obj, name, self.load_attr(site, obj, name)

    def end_aug_attr(self, begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
        site, obj, name, loaded = begun
        if type(loaded) in ATOMS and type(value) in ATOMS:
            new = op(loaded, value)
        else:
            new = self.inplace(site + 2, loaded, value, op)
        self.store_attr(new, site + 1, obj, name)

    def _announce_store(self, site: int, obj: Any, name: str, *, is_deletion: bool = False) -> None:
        if isinstance(obj, type):
            self._attribute_kinds.clear()
            self._kinds_before.clear()
            if not self._kernel.is_alone:
                self._note_class_store(obj, name)
        if self._kernel.is_alone:
            return
        if isinstance(obj, types.ModuleType):
            self._note_module_store(obj, name)
        place = self._places.get((id(obj), name)) or self._attribute(site, obj, name, is_store=True)
        if place is CLOSED:
            self._insides.change_closed(site, obj)
        elif place is not None:
            space = self._looked_at_space(obj, name, is_deletion=is_deletion)
            if space is None:
                self._memory.write(place, site)
            else:
                self._insides.store_new(site, space, place)

    def _looked_at_space(self, obj: Any, name: str, *, is_deletion: bool) -> Any:
        """Return the `__dict__` of `obj` if the store of `name` changes which attributes there are.

        Unless the program looks at the `__dict__` of its objects, nobody can see that: None.
        """
        if not self.class_stores or _SPACES not in self.class_stores:
            return None
        space = getattr(obj, "__dict__", None)
        if type(space) is not dict or (name in space and not is_deletion):
            return None
        self._note_instance(obj, space)
        return space

    def _note_class_store(self, owner: type, name: str) -> None:
        key = key_of(owner.__module__, owner.__qualname__, name)
        if key not in self.class_stores:
            self.class_stores.add(key)
            self.has_new_places = True

    def _attribute(self, site: int, obj: Any, name: str, *, is_store: bool = False) -> Place | None:
        """Return the place of `obj.name`; None if it is no place: a property, a method.

        `CLOSED` if it is part of an object whose code announces nothing.

        A read of an attribute of the class, seen through an object, is noted down here.
        """
        owner = type(obj)
        key = (owner, name)
        known = self._attribute_kinds.get(key)
        if known is None:
            known = self._kinds_before.get(key) or _attribute_kind(owner, name)
            self._attribute_kinds[key] = known
        kind, found = known
        if kind is _AttributeKind.INSTANCE:
            return self._memory.place((id(obj), name), obj)
        if kind is _AttributeKind.NO_PLACE:
            return None
        if kind is _AttributeKind.CLOSED:
            return CLOSED
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

    # --- calls ----------------------------------------------------------------------------------

    def load_method(self, site: int, obj: Any, name: str, /) -> Any:  # noqa: PLR0911 - a table
        kind = type(obj)
        if self._kernel.is_alone and name not in _LOOKED_AT:
            return getattr(obj, name)
        if kind is types.ModuleType:
            return self._function(site, obj, name)
        if base_of(kind) is not None or (kind in _TEXTS and name in _TEXT_METHODS):
            return self._announcing_method(site, obj, name)
        if kind is memoryview:
            return self._method_of_view(site, obj, name)
        if kind is super:
            return self._inherited_method(site, obj, name)
        if obj is object and name in _SLOTS:
            return functools.partial(self._access_plainly, site, name)
        method = self.load_attr(site, obj, name)
        return method if name not in SHARING_NAMES else self._method_on_shared(site, method)

    def _method_on_shared(self, site: int, method: Any) -> Any:
        """Return a method of built-in code that announces what it does to shared memory that it is given."""
        if type(method) in _BUILT_IN:
            return functools.partial(self.call_builtin, site, method)
        return self._looking_for_shared(site, method) if hasattr(method, "stands_for") else method

    def _looking_for_shared(self, site: int, method: Callable[..., Any]) -> Any:
        """Return what behaves as a method, and announces what it does to shared memory that it is given."""

        def announced(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            self._announce_all_shared(site, method, args)
            return method(*args, **kwargs)

        return stand_in(method.__name__, method, announced)

    def _method_of_view(self, site: int, view: memoryview, name: str) -> Any:
        """Return a method of a view, which is announced when it is called."""
        method = getattr(view, name)
        if not callable(method):
            return method

        def announced(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if name in {"__setitem__", "__getitem__"} and args:
                self._announce_view(site, view, args[0], is_store=name == "__setitem__")
            elif name in READING_METHODS:
                self._announce_view(site, view, None)
            return method(*args, **kwargs)

        return stand_in(name, method, announced)

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
                if place is not None and place is not CLOSED:
                    self._memory.read(place, site)
        else:
            self._announce_store(site, obj, name, is_deletion=slot == "__delattr__")
        return getattr(object, slot)(obj, name, *value)

    def _announcing_method(self, site: int, obj: Any, name: str) -> Any:
        """Return what behaves as the method `obj.name` of a container, and announces its calls."""
        method = getattr(obj, name)
        return self._announcing(site, obj, name, method) if callable(method) else method

    def _announcing(self, site: int, obj: Any, name: str, method: Callable[..., Any]) -> Any:
        insides = self._insides

        def announced(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
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

        return stand_in(name, method, announced)

    def call_builtin(self, site: int, func: Any, /, *args: Any, **kwargs: Any) -> Any:
        self._announce_all_shared(site, func, (*args, *kwargs.values()) if kwargs else args)
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

    def _announce_all_shared(self, site: int, func: Any, args: tuple[Any, ...]) -> None:
        for arg in args:
            if type(arg) is memoryview or isinstance(arg, Shared):
                self._announce_shared(site, func, arg)

    def _announce_shared(self, site: int, func: Any, arg: Any) -> None:
        """Announce what a function does to a view, or to an object in shared memory."""
        if type(arg) is not memoryview:
            announce_object(self._kernel, func, arg)
        elif func is not len:
            self._announce_view(site, arg, None, is_store=writes_view(self._kernel, func, arg))

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
            if _SPACES not in self.class_stores:
                self.class_stores.add(_SPACES)
                self.has_new_places = True
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

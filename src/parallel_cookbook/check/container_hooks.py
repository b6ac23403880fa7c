"""The hooks of the check for items, and for containers as a whole: each access announced by its places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mypy_extensions import mypyc_attr

from parallel_cookbook.check.insides import STEPPED, base_of
from parallel_cookbook.check.name_hooks import NameHooks
from parallel_cookbook.check.natures import Nature, nature_of
from parallel_cookbook.simulation.processes.shared_memory import announce

if TYPE_CHECKING:
    from collections.abc import Callable

# Hooks handle objects of the program under test, of which nothing is known.
# ruff: noqa: ANN401, D102

ATOMS: Final = frozenset({int, float, str, bool, type(None)})
"""Types of which every object is one value, and no container."""


@mypyc_attr(allow_interpreted_subclasses=True)
class ContainerHooks(NameHooks):
    """Announces what is done to containers, to other objects that hold something, and to views of them."""

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
        return Slot(lambda value: self.store_item(value, site, obj, key))

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
        if (type(left) not in ATOMS or type(right) not in ATOMS) and not self._kernel.is_alone:
            self._insides.look_deep(site, (left, right))
        return op(left, right)

    def inplace(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        if (type(left) not in ATOMS or type(right) not in ATOMS) and not self._kernel.is_alone:
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


class Slot:
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

"""Hooks that do nothing but keep the meaning. See `hooks.Hooks` for what each must do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from parallel_cookbook.instrument.hooks import Hooks, entries

if TYPE_CHECKING:
    from collections.abc import Callable

# What each function stands for is said in `hooks.Hooks`; they handle objects of any type.
# ruff: noqa: D103, ANN401, ARG001, ARG002


def null_hooks() -> dict[str, object]:
    """Return the `__builtins__` entries under which rewritten code behaves as its source does."""
    return entries(cast("Hooks", sys.modules[__name__]))


def load_attr(site: int, obj: Any, name: str, /) -> Any:
    return getattr(obj, name)


def load_method(site: int, obj: Any, name: str, /) -> Any:
    return getattr(obj, name)


def store_attr(value: Any, site: int, obj: Any, name: str, /) -> None:
    setattr(obj, name, value)


class AttrTarget:
    """Sets an attribute when its own `value` is set."""

    __slots__ = ("_name", "_obj")

    def __init__(self, site: int, obj: Any, name: str) -> None:
        self._obj = obj
        self._name = name

    @property
    def value(self) -> Any:
        """The attribute; only ever set."""
        return getattr(self._obj, self._name)

    @value.setter
    def value(self, value: Any) -> None:
        setattr(self._obj, self._name, value)


attr_target = AttrTarget


def del_attr(site: int, obj: Any, name: str, /) -> None:
    delattr(obj, name)


def begin_aug_attr(site: int, obj: Any, name: str, /) -> Any:
    return obj, name, getattr(obj, name)


def end_aug_attr(begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
    obj, name, loaded = begun
    setattr(obj, name, op(loaded, value))


def load_item(site: int, obj: Any, key: Any, /) -> Any:
    return obj[key]


def store_item(value: Any, site: int, obj: Any, key: Any, /) -> None:
    obj[key] = value


class ItemTarget:
    """Sets an item when its own `value` is set."""

    __slots__ = ("_key", "_obj")

    def __init__(self, site: int, obj: Any, key: Any) -> None:
        self._obj = obj
        self._key = key

    @property
    def value(self) -> Any:
        """The item; only ever set."""
        return self._obj[self._key]

    @value.setter
    def value(self, value: Any) -> None:
        self._obj[self._key] = value


item_target = ItemTarget


def del_item(site: int, obj: Any, key: Any, /) -> None:
    del obj[key]


def begin_aug_item(site: int, obj: Any, key: Any, /) -> Any:
    return obj, key, obj[key]


def end_aug_item(begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
    obj, key, loaded = begun
    obj[key] = op(loaded, value)


def read_global(site: int, /) -> None:
    pass


def write_global(site: int, value: Any, /) -> Any:
    return value


bind_global = write_global


def new_scope() -> Any:
    return None


def read_cell(site: int, scope: Any, /) -> None:
    pass


def write_cell(site: int, scope: Any, value: Any, /) -> Any:
    return value


def call_builtin(site: int, func: Any, /, *args: Any, **kwargs: Any) -> Any:
    return func(*args, **kwargs)


def contains(site: int, item: Any, container: Any, /) -> bool:
    return item in container


def operate(site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
    return op(left, right)


inplace = operate


def iterate(site: int, iterable: Any, /) -> Any:
    return iterable


read_container = unpack = truth = delegate = iterate


def own_globals(space: Any, /) -> Any:
    return space


def tick(site: int, /) -> None:
    pass

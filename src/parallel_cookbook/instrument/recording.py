"""Hooks that note every access: for tests, and as the plainest example of an implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from parallel_cookbook.instrument import null
from parallel_cookbook.instrument.hooks import Hooks, entries
from parallel_cookbook.instrument.operands import CONTAINER_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.instrument.sites import Kind, SiteTable

# What each method does is said in `hooks.Hooks`; they handle objects of any type.
# ruff: noqa: D102, ANN401, S101


class Access(NamedTuple):
    """One access that was made, as its site describes it."""

    site: int
    kind: Kind
    subject: str


def recording_hooks(sites: SiteTable, log: list[Access]) -> dict[str, object]:
    """Return `__builtins__` entries that append each access to `log` before it is made.

    Hooks that concern containers note only what really is one; loops note each turn.
    """
    return entries(RecordingHooks(sites, log))


def _is_container(obj: object) -> bool:
    return isinstance(obj, CONTAINER_TYPES)


class RecordingHooks(Hooks):
    """The null hooks, with notes."""

    def __init__(self, sites: SiteTable, log: list[Access]) -> None:
        self._sites = sites
        self._log = log
        self._scopes = 0

    def _note(self, number: int) -> None:
        site = self._sites[number]
        self._log.append(Access(number, site.kind, site.subject))

    def load_attr(self, site: int, obj: Any, name: str, /) -> Any:
        self._note(site)
        return null.load_attr(site, obj, name)

    def load_method(self, site: int, obj: Any, name: str, /) -> Any:
        method = null.load_method(site, obj, name)
        if not isinstance(obj, str) and not _is_container(obj):
            self._note(site)
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            if any(map(_is_container, [obj, *args, *kwargs.values()])):
                self._note(site)
            return method(*args, **kwargs)

        return call

    def store_attr(self, value: Any, site: int, obj: Any, name: str, /) -> None:
        self._note(site)
        null.store_attr(value, site, obj, name)

    def attr_target(self, site: int, obj: Any, name: str, /) -> Any:
        self._note(site)
        return null.attr_target(site, obj, name)

    def del_attr(self, site: int, obj: Any, name: str, /) -> None:
        self._note(site)
        null.del_attr(site, obj, name)

    def begin_aug_attr(self, site: int, obj: Any, name: str, /) -> Any:
        self._note(site)
        return site, null.begin_aug_attr(site, obj, name)

    def end_aug_attr(self, begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
        site, (obj, name, loaded) = begun
        result = self.inplace(site + 2, loaded, value, op)
        self.store_attr(result, site + 1, obj, name)

    def load_item(self, site: int, obj: Any, key: Any, /) -> Any:
        self._note(site)
        return null.load_item(site, obj, key)

    def store_item(self, value: Any, site: int, obj: Any, key: Any, /) -> None:
        self._note(site)
        null.store_item(value, site, obj, key)

    def item_target(self, site: int, obj: Any, key: Any, /) -> Any:
        self._note(site)
        return null.item_target(site, obj, key)

    def del_item(self, site: int, obj: Any, key: Any, /) -> None:
        self._note(site)
        null.del_item(site, obj, key)

    def begin_aug_item(self, site: int, obj: Any, key: Any, /) -> Any:
        self._note(site)
        return site, null.begin_aug_item(site, obj, key)

    def end_aug_item(self, begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
        site, (obj, key, loaded) = begun
        result = self.inplace(site + 2, loaded, value, op)
        self.store_item(result, site + 1, obj, key)

    def read_global(self, site: int, /) -> None:
        self._note(site)

    def write_global(self, site: int, value: Any, /) -> Any:
        self._note(site)
        return value

    def bind_global(self, site: int, value: Any, /) -> Any:
        self._note(site)
        return value

    def new_scope(self) -> int:
        self._scopes += 1
        return self._scopes

    def read_cell(self, site: int, scope: Any, /) -> None:
        assert isinstance(scope, int), scope
        self._note(site)

    def write_cell(self, site: int, scope: Any, value: Any, /) -> Any:
        assert isinstance(scope, int), scope
        self._note(site)
        return value

    def call_builtin(self, site: int, func: Any, /, *args: Any, **kwargs: Any) -> Any:
        if any(map(_is_container, [*args, *kwargs.values()])):
            self._note(site)
        return func(*args, **kwargs)

    def contains(self, site: int, item: Any, container: Any, /) -> bool:
        if _is_container(container):
            self._note(site)
        return item in container

    def operate(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        if _is_container(left) or _is_container(right):
            self._note(site)
        return op(left, right)

    def inplace(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        return self.operate(site, left, right, op)

    def iterate(self, site: int, iterable: Any, /) -> Any:
        return self._steps(site, iterable) if _is_container(iterable) else iterable

    def _steps(self, site: int, iterable: Any) -> Iterator[Any]:
        iterator = iter(iterable)
        while True:
            self._note(site)
            try:
                item = next(iterator)
            except StopIteration:
                return
            yield item

    def read_container(self, site: int, obj: Any, /) -> Any:
        if _is_container(obj):
            self._note(site)
        return obj

    unpack = truth = read_container

    def delegate(self, site: int, iterable: Any, /) -> Any:
        return self._steps(site, iterable) if _is_container(iterable) else iterable

    def own_globals(self, space: Any, /) -> Any:
        return space

    def tick(self, site: int, /) -> None:
        self._note(site)

"""The parts of functools that remember results: `cache`, `lru_cache`, `cached_property`.

Guarantees, as in CPython (Modules/_functoolsmodule.c, Lib/functools.py from 3.12 on): looking a result up and
storing it are one step each, and the function runs between them without any lock. So two tasks that ask
at once may both compute. `cached_property` held a lock before 3.12, one for all instances of a class.

All else is the real module's.
"""

from __future__ import annotations

import functools as _real
import sys
from collections import OrderedDict
from functools import *  # noqa: F403 - this module stands for it
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.locks import RLock

if TYPE_CHECKING:
    from collections.abc import Callable

# Whatever the program caches, of any type.
# ruff: noqa: ANN401

_MISSING = object()


def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:  # type: ignore[no-redef]
    """Remember the results of a function, at most `maxsize` of them; see `functools.lru_cache`."""
    if callable(maxsize) and isinstance(typed, bool):
        return _wrap(maxsize, 128, typed=typed)
    if maxsize is not None and not isinstance(maxsize, int):
        raise TypeError("Expected first argument to be an integer, a callable, or None")
    size = None if maxsize is None else max(maxsize, 0)
    return lambda function: _wrap(function, size, typed=typed)


def cache(function: Callable[..., Any]) -> Any:  # type: ignore[no-redef]
    """Remember all results of a function; see `functools.cache`."""
    return _wrap(function, None, typed=False)


def _wrap(function: Callable[..., Any], maxsize: int | None, *, typed: bool) -> Any:
    if not callable(function):
        raise TypeError("the first argument must be callable")
    kernel = active_kernel()
    target = kernel.new_target("cache", name=getattr(function, "__name__", ""))
    # A hit moves the result to the young end of a bounded cache, which others can see in what it drops.
    look_up = Operation("look up", target, Mode.READ if maxsize is None else Mode.WRITE)
    change = Operation("remember", target)
    results: OrderedDict[Any, Any] = OrderedDict()
    counts = {"hits": 0, "misses": 0}

    @_real.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        key = _key(args, kwargs, typed=typed)
        hash(key)
        kernel.point(look_up)
        found = results.get(key, _MISSING)
        if found is not _MISSING:
            counts["hits"] += 1
            if maxsize is not None:
                results.move_to_end(key)
            return found
        counts["misses"] += 1
        result = function(*args, **kwargs)
        if maxsize != 0:
            kernel.point(change)
            results.setdefault(key, result)
            if maxsize is not None and len(results) > maxsize:
                results.popitem(last=False)
        return result

    def cache_info() -> Any:
        kernel.point(look_up)
        return _real._CacheInfo(counts["hits"], counts["misses"], maxsize, len(results))  # noqa: SLF001

    def cache_clear() -> None:
        kernel.point(change)
        results.clear()
        counts.update(hits=0, misses=0)

    wrapper.cache_info = cache_info  # type: ignore[attr-defined]
    wrapper.cache_clear = cache_clear  # type: ignore[attr-defined]
    wrapper.cache_parameters = lambda: {"maxsize": maxsize, "typed": typed}  # type: ignore[attr-defined]
    return wrapper


def _key(args: tuple[Any, ...], kwargs: dict[str, Any], *, typed: bool) -> Any:
    named = tuple(kwargs.items())
    if not typed:
        return args, named
    return args, named, tuple(map(type, args)), tuple(type(value) for _, value in named)


class cached_property:  # type: ignore[no-redef]  # noqa: N801 - functools's name
    """Compute an attribute once for each instance; see `functools.cached_property`."""

    def __init__(self, func: Callable[[Any], Any]) -> None:
        self.func = func
        self.attrname: str | None = None
        self.__doc__ = func.__doc__
        kernel = self._kernel = active_kernel()
        self._target = kernel.new_target("cached property", name=getattr(func, "__name__", ""))
        self._lock = RLock() if sys.version_info < (3, 12) else None

    def __set_name__(self, owner: type, name: str) -> None:
        if self.attrname is None:
            self.attrname = name
        elif name != self.attrname:
            raise TypeError(
                "Cannot assign the same cached_property to two different names "
                f"({self.attrname!r} and {name!r})."
            )

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.attrname is None:
            raise TypeError(
                "Cannot use cached_property instance without calling __set_name__ on it."
            )
        found = self._look_up(instance)
        if found is not _MISSING:
            return found
        if self._lock is None:
            return self._compute(instance)
        with self._lock:
            found = self._look_up(instance)
            return self._compute(instance) if found is _MISSING else found

    def _look_up(self, instance: Any) -> Any:
        self._kernel.point(Operation("look up", self._target, Mode.READ))
        return instance.__dict__.get(self.attrname, _MISSING)

    def _compute(self, instance: Any) -> Any:
        value = self.func(instance)
        self._kernel.point(Operation("remember", self._target))
        instance.__dict__[self.attrname] = value
        return value

    __class_getitem__: Any = classmethod(GenericAlias)

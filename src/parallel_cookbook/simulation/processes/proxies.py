"""Proxies: what a process has of an object that a manager owns.

A proxy is pickled as the token of its object. Each method is one call of `Server.call`. Results that are
given as proxies need the manager object, which only the process that has started it has; CPython fails
elsewhere, and so does this.

What CPython does: Lib/multiprocessing/managers.py, class BaseProxy and those below it.
"""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, Self

from parallel_cookbook.simulation.processes.managed import Token, error_of
from parallel_cookbook.simulation.processes.servers import server_at
from parallel_cookbook.simulation.time import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Whatever a manager holds, and whatever its methods take.
# ruff: noqa: ANN401


class BaseProxy:
    """Stands for an object of a manager; see `multiprocessing.managers.BaseProxy`."""

    __module__ = "multiprocessing.managers"

    _exposed_: tuple[str, ...] | None = None
    _isauto = False

    def __init__(  # noqa: PLR0917 - CPython's
        self,
        token: Token,
        serializer: str,
        manager: Any = None,
        authkey: bytes | None = None,
        exposed: Iterable[str] | None = None,  # noqa: ARG002 - CPython's
        incref: bool = True,  # noqa: ARG002 - nothing is disposed of
        manager_owned: bool = False,  # noqa: ARG002 - likewise
    ) -> None:
        self._token = token
        self._id = token.id
        self._manager = manager
        self._serializer = serializer
        self._authkey = authkey

    def _callmethod(self, methodname: str, args: Any = (), kwds: Any = {}) -> Any:  # noqa: B006
        """Call a method of the object; return a copy of the result."""
        kind, result = server_at(self._token.address).call(self._id, methodname, args, kwds)
        if kind == "#RETURN":
            return result
        if kind == "#PROXY":
            exposed, token = result
            make = self._manager._registry[token.typeid][-1]  # noqa: SLF001
            return make(token, self._serializer, manager=self._manager, exposed=exposed)
        raise error_of(kind, result)

    def _getvalue(self) -> Any:
        """Return a copy of the object."""
        return self._callmethod("#GETVALUE")

    def __reduce__(self) -> Any:
        if self._isauto:
            return _rebuild, (AutoProxy, self._token, self._serializer, self._exposed_)
        return _rebuild, (type(self), self._token, self._serializer, None)

    def __deepcopy__(self, _memo: Any) -> Any:
        return self._getvalue()

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"<{kind} object, typeid {self._token.typeid!r} at {id(self):#x}>"

    def __str__(self) -> str:
        try:
            return str(self._callmethod("__repr__"))
        except Exception:  # noqa: BLE001 - as CPython
            return f"{repr(self)[:-1]}; '__str__()' failed>"


def _rebuild(
    make: Callable[..., Any], token: Token, serializer: str, exposed: tuple[str, ...] | None
) -> Any:
    """Return a proxy for the running process."""
    if exposed is None:
        return make(token, serializer)
    return make(token, serializer, exposed=exposed)


def _forwarding(name: str) -> Callable[..., Any]:
    def method(self: BaseProxy, /, *args: Any, **kwargs: Any) -> Any:
        return self._callmethod(name, args, kwargs)

    method.__name__ = method.__qualname__ = name
    return method


def MakeProxyType(name: str, exposed: Iterable[str]) -> type[BaseProxy]:  # noqa: N802 - CPython's
    """Return a type of proxies that have these methods."""
    names = tuple(exposed)
    members: dict[str, Any] = {name: _forwarding(name) for name in names}
    members |= {"_exposed_": names, "__module__": "multiprocessing.managers"}
    return type(name, (BaseProxy,), members)


def AutoProxy(  # noqa: N802, PLR0917 - CPython's
    token: Token,
    serializer: str,
    manager: Any = None,
    authkey: bytes | None = None,
    exposed: Iterable[str] | None = None,
    incref: bool = True,
    manager_owned: bool = False,
) -> BaseProxy:
    """Return a proxy with the public methods of the object."""
    if exposed is None:
        exposed = server_at(token.address).methods_of(token.id)
    kind = MakeProxyType(f"AutoProxy[{token.typeid}]", exposed)
    proxy = kind(token, serializer, manager, authkey, None, incref, manager_owned)
    proxy._isauto = True  # noqa: SLF001 - of this module
    return proxy


class IteratorProxy(MakeProxyType("IteratorProxy", ("__next__", "send", "throw", "close"))):  # type: ignore[misc]  # a type made by a function
    """Stands for an iterator."""

    __module__ = "multiprocessing.managers"

    def __iter__(self) -> Self:
        return self


class AcquirerProxy(BaseProxy):
    """Stands for a lock or a semaphore."""

    __module__ = "multiprocessing.managers"
    _exposed_: tuple[str, ...] | None = ("acquire", "release")

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> Any:
        """Take it, in the server; only the caller waits."""
        return self._callmethod("acquire", (blocking,) if timeout is None else (blocking, timeout))

    def release(self) -> Any:
        """Give it back."""
        return self._callmethod("release")

    def __enter__(self) -> Any:
        return self._callmethod("acquire")

    def __exit__(self, *_error: object) -> Any:
        return self._callmethod("release")


class ConditionProxy(AcquirerProxy):
    """Stands for a condition."""

    __module__ = "multiprocessing.managers"
    _exposed_ = ("acquire", "release", "wait", "notify", "notify_all")

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until notified, or for `timeout` seconds."""
        return self._callmethod("wait", (timeout,))

    def notify(self, n: int = 1) -> Any:
        """Wake `n` of those that wait."""
        return self._callmethod("notify", (n,))

    def notify_all(self) -> Any:
        """Wake all that wait."""
        return self._callmethod("notify_all")

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until the predicate holds, or for `timeout` seconds; return what it says last."""
        end = None if timeout is None else monotonic() + timeout
        while not (result := predicate()):
            patience = None if end is None else end - monotonic()
            if patience is not None and patience <= 0:
                break
            self.wait(patience)
        return result


class EventProxy(MakeProxyType("EventProxy", ("is_set", "set", "clear", "wait"))):  # type: ignore[misc]  # a type made by a function
    """Stands for an event."""

    __module__ = "multiprocessing.managers"

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until it is set, or for `timeout` seconds."""
        return self._callmethod("wait", (timeout,))


class BarrierProxy(BaseProxy):
    """Stands for a barrier."""

    __module__ = "multiprocessing.managers"
    _exposed_ = ("__getattribute__", "wait", "abort", "reset")

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the others, or for `timeout` seconds."""
        return self._callmethod("wait", (timeout,))

    def abort(self) -> Any:
        """Break it."""
        return self._callmethod("abort")

    def reset(self) -> Any:
        """Make it new; who waits gets BrokenBarrierError."""
        return self._callmethod("reset")

    parties = property(lambda self: self._callmethod("__getattribute__", ("parties",)))
    n_waiting = property(lambda self: self._callmethod("__getattribute__", ("n_waiting",)))
    broken = property(lambda self: self._callmethod("__getattribute__", ("broken",)))


class NamespaceProxy(BaseProxy):
    """Stands for a Namespace: its attributes are read and assigned in the server."""

    __module__ = "multiprocessing.managers"
    _exposed_ = ("__getattribute__", "__setattr__", "__delattr__")

    def __getattr__(self, key: str) -> Any:
        if key[0] == "_":
            return object.__getattribute__(self, key)
        return self._callmethod("__getattribute__", (key,))

    def __setattr__(self, key: str, value: Any) -> None:
        if key[0] == "_":
            object.__setattr__(self, key, value)
        else:
            self._callmethod("__setattr__", (key, value))

    def __delattr__(self, key: str) -> None:
        if key[0] == "_":
            object.__delattr__(self, key)
        else:
            self._callmethod("__delattr__", (key,))


class ValueProxy(BaseProxy):
    """Stands for a Value; `value += 1` is two calls."""

    __module__ = "multiprocessing.managers"
    _exposed_ = ("get", "set")

    def get(self) -> Any:
        """Return the value."""
        return self._callmethod("get")

    def set(self, value: Any) -> None:
        """Assign the value."""
        self._callmethod("set", (value,))

    value = property(get, set)  # noqa: A003 - the method of this class is meant
    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]


BaseListProxy = MakeProxyType(
    "BaseListProxy",
    ("__add__", "__contains__", "__delitem__", "__getitem__", "__len__", "__mul__")
    + ("__reversed__", "__rmul__", "__setitem__", "append", "count", "extend", "index", "insert")
    + ("pop", "remove", "reverse", "sort", "__imul__"),
)


class ListProxy(BaseListProxy):  # type: ignore[misc, valid-type]  # a type made by a function
    """Stands for a list."""

    __module__ = "multiprocessing.managers"

    def __iadd__(self, value: Any) -> Self:
        self._callmethod("extend", (value,))
        return self

    def __imul__(self, value: Any) -> Self:
        self._callmethod("__imul__", (value,))
        return self

    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]


_DICT_METHODS = (
    "__contains__",
    "__delitem__",
    "__getitem__",
    "__iter__",
    "__len__",
    "__setitem__",
    "clear",
) + ("copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values")


class DictProxy(MakeProxyType("DictProxy", _DICT_METHODS)):  # type: ignore[misc]  # a type made by a function
    """Stands for a dict."""

    __module__ = "multiprocessing.managers"
    _method_to_typeid_ = {"__iter__": "Iterator"}  # noqa: RUF012 - CPython's

    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]


ArrayProxy = MakeProxyType("ArrayProxy", ("__len__", "__getitem__", "__setitem__"))

"""What a check cannot control is refused when it is used, not hung on: sockets, processes, signals.

`refusing_module` gives a program a stand-in for a standard module. Importing it is free, and so are its
constants and exceptions, for `except` clauses and annotations; whoever calls a function or makes an object
of a class ends the execution with a report that names the call.
"""

from __future__ import annotations

import importlib
import os as _real_os
from types import ModuleType
from typing import Any, NoReturn

from parallel_cookbook.kernel import active_kernel

# Whatever the refused modules hold, of any type.
# ruff: noqa: ANN401

REFUSED_MODULES = frozenset(
    ("asyncio", "ftplib", "http.client", "http.server", "imaplib", "multiprocessing", "poplib")
    + ("pty", "select", "selectors", "signal", "smtplib", "socket", "socketserver", "ssl")
    + ("subprocess", "urllib.request", "wsgiref.simple_server", "xmlrpc.client", "xmlrpc.server")
)
"""Modules of which nothing can be called, nor anything of the modules below them."""

REFUSED_OS_FUNCTIONS = frozenset(
    ("_exit", "abort", "fork", "forkpty", "kill", "killpg", "pipe", "popen", "posix_spawn")
    + ("posix_spawnp", "system", "wait", "wait3", "wait4", "waitid", "waitpid")
    + tuple(name for name in dir(_real_os) if name.startswith(("exec", "spawn")))
)
"""Functions of `os` that start, end or wait for processes."""

_HARMLESS = frozenset({"multiprocessing.cpu_count", "asyncio.iscoroutinefunction"})


def is_refused(name: str) -> bool:
    """Whether the module `name` is one of those, or below one."""
    return any(name == refused or name.startswith(refused + ".") for refused in REFUSED_MODULES)


def refuse(what: str) -> NoReturn:
    """End the execution, because the program has used what a check cannot control."""
    active_kernel().refuse(what)


def refusing_module(name: str) -> ModuleType:
    """Return a stand-in for the standard module `name`; ImportError if there is none."""
    return _RefusingModule(name, importlib.import_module(name))


def atexit_module() -> ModuleType:
    """Return a module like `atexit` that calls nothing: an execution is not the end of the process."""
    module = ModuleType("atexit")
    vars(module)["register"] = lambda function, *_args, **_kwargs: function
    vars(module)["unregister"] = lambda _function: None
    return module


class _RefusingModule(ModuleType):
    def __init__(self, name: str, real: ModuleType) -> None:
        super().__init__(name, real.__doc__)
        self.__real = real
        if hasattr(real, "__path__"):
            self.__path__ = real.__path__
        if hasattr(real, "__all__"):
            self.__all__ = real.__all__

    def __getattr__(self, name: str) -> Any:
        return refusal(f"{self.__name__}.{name}", getattr(self.__real, name))


def refusal(name: str, real: Any) -> Any:
    """Return what stands for `real`: itself, if it is harmless; else what refuses to be called."""
    if name in _HARMLESS or not callable(real):
        return real
    if isinstance(real, type) and issubclass(real, BaseException | int | str):
        return real  # an exception, or an enumeration's constants
    if isinstance(real, type):
        return _refusing_class(name, real)

    def refused(*_args: Any, **_kwargs: Any) -> NoReturn:
        refuse(name)

    refused.__name__ = name.rpartition(".")[2]
    return refused


def _refusing_class(name: str, real: type) -> type:
    def new(*_args: Any, **_kwargs: Any) -> NoReturn:
        refuse(name)

    return type(real.__name__, (), {"__new__": new, "__module__": real.__module__})

"""`threading` for a program under check: each public name of the real module.

Guarantees: the behaviour of the running interpreter's own module, its error types and messages
included, except for what the modules named below say. Each operation that another thread could notice
is one step, or as many as their docstrings say.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from _thread import TIMEOUT_MAX
from types import FunctionType
from typing import Any

from parallel_cookbook.simulation.barriers import Barrier, BrokenBarrierError
from parallel_cookbook.simulation.conditions import Condition, Event
from parallel_cookbook.simulation.locals import Local as local  # noqa: N813 - CPython's name
from parallel_cookbook.simulation.locks import Lock as _LockType
from parallel_cookbook.simulation.locks import RLock as _RLock
from parallel_cookbook.simulation.locks import allocate_lock as _allocate_lock
from parallel_cookbook.simulation.semaphores import BoundedSemaphore, Semaphore
from parallel_cookbook.simulation.threads import (
    Thread,
    Timer,
    _DummyThread,  # noqa: F401 - programs look at it now and then, as at the next two
    _MainThread,  # noqa: F401
    _register_atexit,  # noqa: F401
    active_count,
    activeCount,  # noqa: F401 - public, though not in __all__
    current_thread,
    currentThread,  # noqa: F401 - public, though not in __all__
    enumerate,  # noqa: A004 - CPython's name
    get_ident,
    get_native_id,
    getprofile,
    gettrace,
    main_thread,
    setprofile,
    settrace,
    stack_size,
)
from parallel_cookbook.simulation.uncaught import ExceptHookArgs, excepthook

ThreadError = RuntimeError
_HAVE_THREAD_NATIVE_ID = True
__excepthook__ = excepthook

Lock: Any
if sys.version_info >= (3, 13):
    Lock = _LockType
else:
    Lock = _allocate_lock

_CRLock = _PyRLock = _RLock


def RLock(*args: Any, **kwargs: Any) -> _RLock:  # noqa: ANN401, N802 - CPython's name
    """Return a new re-entrant lock."""
    if (args or kwargs) and sys.version_info >= (3, 13):
        warnings.warn(
            "Passing arguments to RLock is deprecated and will be removed in 3.15",
            DeprecationWarning,
            stacklevel=2,
        )
    return _RLock(*args, **kwargs)


_dangling: weakref.WeakSet[Thread] = weakref.WeakSet()
"""For CPython's test support, which looks for threads that were not joined."""

__all__ = [  # noqa: RUF022 - CPython's order
    "get_ident",
    "active_count",
    "Condition",
    "current_thread",
    "enumerate",
    "main_thread",
    "TIMEOUT_MAX",
    "Event",
    "Lock",
    "RLock",
    "Semaphore",
    "BoundedSemaphore",
    "Thread",
    "Barrier",
    "BrokenBarrierError",
    "Timer",
    "ThreadError",
    "setprofile",
    "settrace",
    "local",
    "stack_size",
    "excepthook",
    "ExceptHookArgs",
    "gettrace",
    "getprofile",
    "get_native_id",
]

if sys.version_info >= (3, 12):
    setprofile_all_threads = setprofile
    settrace_all_threads = settrace
    __all__ += ["setprofile_all_threads", "settrace_all_threads"]

for _name in {*__all__, "RLock", "currentThread", "activeCount"}:
    # As functions say in CPython where they come from.
    if isinstance(globals()[_name], FunctionType):
        globals()[_name].__module__ = "threading"

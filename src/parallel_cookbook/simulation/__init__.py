"""The standard library's primitives on the check kernel: a module for each module it stands for.

A program under check gets these instead of the real ones; `fresh_module` makes the program's own copy
for one execution.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.processes.spawning import processes_left, shut_down_processes
from parallel_cookbook.simulation.refused import refusal
from parallel_cookbook.simulation.registry import registry_of
from parallel_cookbook.simulation.threads import shut_down

__all__ = ["SIMULATED", "fresh_module", "processes_left", "shut_down", "shut_down_processes"]

if TYPE_CHECKING:
    from collections.abc import Callable

_MODELS = {
    "_thread": "_thread",
    "concurrent.futures": "concurrent_futures",
    "concurrent.futures._base": "concurrent_futures",
    "concurrent.futures.process": "processes.executor",
    "concurrent.futures.thread": "concurrent_futures",
    "functools": "functools",
    "multiprocessing": "processes.context",
    "multiprocessing.connection": "processes.connection",
    "multiprocessing.context": "processes.context",
    "multiprocessing.heap": "processes.heap",
    "multiprocessing.pool": "processes.pool",
    "multiprocessing.managers": "processes.managers",
    "multiprocessing.process": "processes.process",
    "multiprocessing.queues": "processes.queues",
    "multiprocessing.reduction": "processes.pickling",
    "multiprocessing.shared_memory": "processes.shared_memory",
    "multiprocessing.sharedctypes": "processes.sharedctypes",
    "multiprocessing.synchronize": "processes.synchronize",
    "pickle": "processes.pickling",
    "queue": "queue",
    "random": "random",
    "signal": "processes.signal",
    "threading": "threading",
    "time": "time",
}
"""Which module of this package stands for which of the standard library's."""

SIMULATED = tuple(_MODELS)
"""The modules that `fresh_module` knows."""

_IMPORTED_ALONG = {f"multiprocessing.{name}" for name in ("context", "process", "reduction")}
"""Modules that are there as soon as the package above them is imported."""

_names: dict[str, dict[str, Any]] = {}
"""The names of each of them, once it has been asked for; never changed."""


def fresh_module(name: str) -> ModuleType:
    """Return a new module that stands for the standard module `name` during one execution.

    The program may set attributes in it: no other execution sees them. Raises KeyError for a name that
    is not in `SIMULATED`, RuntimeError if no execution is running. Cost: some microseconds.
    """
    names = _names.get(name) or _load(name)
    module = ModuleType(name)
    module.__dict__.update(names)
    if name == "threading":
        registry_of(active_kernel()).threading = module
    return module


def _refusing_rest(name: str, real: ModuleType) -> Callable[[str], Any]:
    """Return a `__getattr__` for what is not simulated of a module."""

    def rest(attribute: str) -> Any:  # noqa: ANN401 - whatever the module holds
        inner = f"{name}.{attribute}"
        if inner in _IMPORTED_ALONG:
            space = active_kernel().running.group.space
            return fresh_module(inner) if space is None else space.find(inner)
        if inner in sys.modules:
            raise AttributeError(attribute)  # a module below it, to be imported
        return refusal(f"{name}.{attribute}", getattr(real, attribute))

    return rest


def _load(name: str) -> dict[str, Any]:
    if name not in SIMULATED:
        raise KeyError(name)
    model = importlib.import_module(f"parallel_cookbook.simulation.{_MODELS[name]}")
    real = importlib.import_module(name)
    names = {
        key: value
        for key, value in vars(model).items()
        if key in ("__all__", "__excepthook__", "__getattr__")
        or (not key.startswith("__") and (key.startswith("_") or hasattr(real, key)))
    }
    names |= {"__doc__": real.__doc__, "__spec__": real.__spec__, "__loader__": None}
    names["__file__"] = getattr(real, "__file__", None)
    if hasattr(real, "__path__"):
        names["__path__"] = list(real.__path__)
    if name.startswith("multiprocessing"):
        names["__getattr__"] = _refusing_rest(name, real)
    _names[name] = names
    return names

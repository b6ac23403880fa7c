"""What this machine and this interpreter offer to a parallel program: facts, looked up now."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import platform
import sys
import sysconfig
from dataclasses import dataclass
from importlib import metadata

EXTRAS = {
    "greenlet": "used by: cookbook check",
    "dask": "used by: chapter 6, to come",
    "ray": "used by: chapter 6, to come",
    "mpi4py": "used by: chapter 6, to come",
}
"""Packages that the command can use where they are, and what for."""


@dataclass(frozen=True)
class Fact:
    """One line of the report. `value` is JSON-ready; `note` says what follows from it."""

    name: str
    value: str | int | bool | list[str] | None
    note: str = ""


def facts() -> list[Fact]:
    """Return all facts, in the order of the report. Cost: some milliseconds; starts no process."""
    return [*_interpreter(), *_cores(), *_processes()]


def extras() -> list[Fact]:
    """Return, for each optional package, its version, or None if it is not installed."""
    return [Fact(name, _version(name), purpose) for name, purpose in EXTRAS.items()]


def _interpreter() -> list[Fact]:
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    # Only 3.13+ can say; before, the GIL is always there.
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    gil_note = (
        "one thread runs Python code at a time: threads for waiting, processes for computing"
        if gil
        else "threads run Python code at the same time"
    )
    modules = ("concurrent.interpreters", "_interpreters", "_xxsubinterpreters")
    found = next((name for name in modules if _can_import(name)), None)
    return [
        Fact("python", platform.python_version(), platform.python_implementation()),
        Fact("executable", sys.executable),
        Fact("free-threaded build", free_threaded),
        Fact("gil", gil, gil_note),
        Fact(
            "switch interval",
            f"{sys.getswitchinterval() * 1000:g} ms",
            "how long a thread may keep the GIL",
        ),
        Fact("subinterpreters", found, "" if found else "needs Python 3.12 or newer"),
    ]


def _cores() -> list[Fact]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    note = "" if (usable or 1) > 1 else "on one core nothing computes in parallel"
    return [Fact("cores", os.cpu_count()), Fact("usable cores", usable, note)]


def _processes() -> list[Fact]:
    methods = multiprocessing.get_all_start_methods()
    return [
        Fact("platform", platform.platform()),
        Fact("start methods", methods),
        Fact("default start method", multiprocessing.get_context().get_start_method()),
        Fact(
            "process locks",
            _can_import("multiprocessing.synchronize"),
            "" if _can_import("multiprocessing.synchronize") else "no POSIX semaphores here",
        ),
        Fact("shared memory", _can_import("_posixshmem")),
    ]


def _can_import(name: str) -> bool:
    """Whether `name` can be imported; imports its parents only, except for the process locks."""
    if name == "multiprocessing.synchronize":  # it raises ImportError where semaphores are missing
        try:
            importlib.import_module(name)
        except ImportError:
            return False
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None

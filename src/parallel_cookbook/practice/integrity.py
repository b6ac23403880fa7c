"""Whether an answer has changed what it shares with its judge: the classes and functions that both use.

The fence of practice/reach.py is read from the text, and a text can be clever. What was changed and not put
back is seen here, whoever did it and how.
"""

from __future__ import annotations

import builtins
import sys
from types import FunctionType
from typing import TYPE_CHECKING

from parallel_cookbook.practice.reach import ALLOWED_MODULES

if TYPE_CHECKING:
    from types import ModuleType

_OURSELVES = __name__.partition(".")[0]
Fingerprint = dict[str, int]


def fingerprint() -> Fingerprint:
    """Return what the functions and classes of all shared modules consist of. Cost: some milliseconds."""
    found: Fingerprint = {f"builtins.{name}": id(thing) for name, thing in vars(builtins).items()}
    for name, module in list(sys.modules.items()):
        first = name.partition(".")[0]
        if first == _OURSELVES or first in ALLOWED_MODULES:
            _add(found, module)
    return found


def first_change(before: Fingerprint) -> str:
    """Return the name of something that is no longer what it was; empty if all is."""
    after = fingerprint()
    for name, identity in before.items():
        if after.get(name) != identity:
            return name
    return ""


def _add(found: Fingerprint, module: ModuleType) -> None:
    for name, thing in list(vars(module).items()):
        if isinstance(thing, FunctionType):
            found[f"{module.__name__}.{name}"] = id(thing)
            found[f"{module.__name__}.{name}.__code__"] = id(thing.__code__)
        elif isinstance(thing, dict | list | set) and not name.startswith("_"):
            found[f"{module.__name__}.{name}"] = hash((id(thing), len(thing)))
        elif isinstance(thing, type):
            found[f"{module.__name__}.{name}"] = id(thing)
            if thing.__module__ == module.__name__:
                for attribute, value in list(vars(thing).items()):
                    if callable(value) or hasattr(type(value), "__get__"):
                        found[f"{module.__name__}.{name}.{attribute}"] = id(value)

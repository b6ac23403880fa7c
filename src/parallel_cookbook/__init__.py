"""Recipes for parallel programming in Python, and the tools that run and prove them.

`from parallel_cookbook import check` explores every interleaving of a function that uses threads.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

TYPE_CHECKING = False  # typing takes longer to import than a recorder in a traced program may
if TYPE_CHECKING:
    from typing import Any

    # For readers and type checkers; when it runs, `_Package` below has these names.
    from parallel_cookbook.library import CheckFailedError, CheckReport, check  # noqa: TC004

__all__ = ["CheckFailedError", "CheckReport", "check"]


def _late(name: str) -> property:
    def fetch(_package: ModuleType) -> Any:  # noqa: ANN401 - whatever has that name
        return getattr(importlib.import_module("parallel_cookbook.library"), name)

    def keep(_package: ModuleType, _module: object) -> None:
        """Leave the name alone: the import of the room `check` would bind it to the room."""

    return property(fetch, keep)


class _Package(ModuleType):
    """This package: what it exports is imported when it is asked for, so that commands start fast."""

    check = _late("check")
    CheckFailedError = _late("CheckFailedError")
    CheckReport = _late("CheckReport")


sys.modules[__name__].__class__ = _Package

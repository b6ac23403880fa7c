"""Functions that behave like those written in C: as an attribute of a class they bind to nothing.

`class Worker: make_lock = threading.Lock` works with the real module, because a built-in function is no
descriptor. A Python function would be called with the instance.
"""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def builtin(
    function: Callable[Concatenate[str, Parameters], Result],
) -> Callable[Parameters, Result]:
    """Bind `function` to its first parameter, as functions in C are bound to their module.

    A bound method is a descriptor too, but one that stays as it is.
    """
    module = function.__module__ = "time" if function.__module__.endswith("time") else "_thread"
    return MethodType(function, module)

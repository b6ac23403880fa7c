"""random, seeded anew in each execution: the same program under the same schedule draws the same.

The hidden generator that the module's functions share is one target: who draws first gets the first
number, so each draw is a step that conflicts with the others. Generators that the program makes itself
with `Random()` are seeded with a number of their own, in the order in which their task makes them.
"""

from __future__ import annotations

import random as _real
from random import *  # noqa: F403 - this module stands for it
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Operation, active_kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel import Kernel

# ruff: noqa: ANN401 - values of any type; no cryptography

SEED = 0


class Random(_real.Random):  # type: ignore[no-redef]
    """A generator that is seeded even if the program does not say with what."""

    __module__ = "random"

    def __init__(self, x: Any = None) -> None:
        if x is None:
            kernel = active_kernel()
            # The next one draws other numbers: so the execution is not where it was.
            kernel.state["generators"] = kernel.state.get("generators", 0) + 1
            x = kernel.new_uid()
        super().__init__(x)


class _Shared:
    """The hidden generator of one process."""

    def __init__(self, kernel: Kernel) -> None:
        group = kernel.running.group
        self.generator = _real.Random(SEED + group.uid)
        self.draw = Operation("draw", kernel.group_target("random"))


def _shared_method(name: str) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        kernel = active_kernel()
        state = kernel.running.group.state
        shared = state.get("random")
        if shared is None:
            shared = state["random"] = _Shared(kernel)
        if not kernel.is_alone:
            kernel.point(shared.draw)
        return getattr(shared.generator, name)(*args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__module__ = "random"
    return method


for _name in _real.__all__:
    if _name not in {"Random", "SystemRandom"}:
        globals()[_name] = _shared_method(_name)

"""Turn a schedule into a story: replay it, and note down every step with its source line and values.

Told are the steps that were scheduled, and besides them, because a reader needs them to understand, what is
no choice: locks that are given back, and accesses to places that another task writes. A replay has
the same scheduling points as the exploration: to watch is not to disturb.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.hooks import CheckHooks
from parallel_cookbook.check.narrator import Narrator
from parallel_cookbook.instrument import CONTAINER_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parallel_cookbook.check.execution import Execution, Machine
    from parallel_cookbook.events import Interleaving
    from parallel_cookbook.kernel import Chooser

# Hooks handle objects of the program under test, of which nothing is known.
# ruff: noqa: ANN401, D102

_CONTAINERS = frozenset(CONTAINER_TYPES)
_LOOKING = (len, sum, min, max, any, all, sorted, list, tuple, set, frozenset, dict)
"""Built-in functions of whose result a reader is told: `len(jobs) = 2`."""


def narrate(
    machine: Machine, chooser: Chooser, visible: Iterable[str]
) -> tuple[Interleaving, Execution]:
    """Execute once under `chooser`, and return what happened, step by step, with what came of it.

    `machine` must have been made with `NarratingHooks`. `visible` are the keys of the sites that are points.
    """
    narrator = Narrator(machine, chooser)
    assert isinstance(machine.hooks, NarratingHooks)  # noqa: S101 - the caller's promise
    machine.hooks.tell = narrator.tell
    machine.hooks.changed = narrator.copies.look
    machine.set_grain(visible)
    try:
        with narrator.watching():
            execution = machine.execute(narrator)
    finally:
        machine.hooks.tell, machine.hooks.changed = _tell_nobody, _look_at_nothing
    return narrator.story(execution.ending), execution


def _tell_nobody(_site: int, _verb: str, _value: object) -> None:
    """Stand in for the narrator when there is none."""


def _look_at_nothing(_site: int) -> None:
    """The same for who follows copies."""


class NarratingHooks(CheckHooks):
    """The hooks of the check, which also tell the values that are read and written."""

    tell: Callable[[int, str, object], None] = staticmethod(_tell_nobody)
    changed: Callable[[int], None] = staticmethod(_look_at_nothing)

    def load_attr(self, site: int, obj: Any, name: str, /) -> Any:
        value = super().load_attr(site, obj, name)
        self.tell(site, "reads", value)
        return value

    def store_attr(self, value: Any, site: int, obj: Any, name: str, /) -> None:
        super().store_attr(value, site, obj, name)
        self.tell(site, "writes", value)

    def load_item(self, site: int, obj: Any, key: Any, /) -> Any:
        try:
            value = super().load_item(site, obj, key)
        except LookupError:
            self.tell(site, "misses", obj)
            raise
        self.tell(site, "reads", value)
        return value

    def store_item(self, value: Any, site: int, obj: Any, key: Any, /) -> None:
        super().store_item(value, site, obj, key)
        self.tell(site, "writes", value)
        self.changed(site)

    def del_item(self, site: int, obj: Any, key: Any, /) -> None:
        super().del_item(site, obj, key)
        self.changed(site)

    def inplace(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        result = super().inplace(site, left, right, op)
        self.changed(site)
        return result

    def load_method(self, site: int, obj: Any, name: str, /) -> Any:
        method = super().load_method(site, obj, name)
        if type(obj) not in _CONTAINERS:
            return method

        def told(*args: Any, **kwargs: Any) -> Any:
            is_alone = self._kernel.is_alone
            try:
                result = method(*args, **kwargs)
            except Exception:
                if not is_alone:
                    self.tell(site, "method sees", obj)
                raise
            if not is_alone:
                self.tell(site, "method", obj)
            self.changed(site)
            return result

        return told

    def call_builtin(self, site: int, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = super().call_builtin(site, function, *args, **kwargs)
        if args and type(args[0]) in _CONTAINERS and any(function is each for each in _LOOKING):
            self.tell(site, "reads", result)
        return result

    def contains(self, site: int, item: Any, container: Any, /) -> bool:
        found = super().contains(site, item, container)
        self.tell(site, "sees", container)
        return found

    def read_container(self, site: int, obj: Any, /) -> Any:
        found = super().read_container(site, obj)
        self.tell(site, "sees", obj)
        return found

    def truth(self, site: int, obj: Any, /) -> Any:
        found = super().truth(site, obj)
        self.tell(site, "sees", obj)
        return found

    def unpack(self, site: int, obj: Any, /) -> Any:
        found = super().unpack(site, obj)
        if found is obj:
            self.tell(site, "sees", obj)
        return found

    def iterate(self, site: int, iterable: Any, /) -> Any:
        steps = super().iterate(site, iterable)
        if type(iterable) not in _CONTAINERS:
            return steps
        return self._told_steps(site, iterable, steps)

    def _told_steps(self, site: int, iterable: Any, steps: Any) -> Iterator[Any]:
        for item in steps:
            self.tell(site, "sees", iterable)
            yield item

    def read_global(self, site: int, /) -> None:
        super().read_global(site)
        self._tell_name(site)

    def write_global(self, site: int, value: Any, /) -> Any:
        super().write_global(site, value)
        self.tell(site, "writes", value)
        return value

    def read_cell(self, site: int, scope: Any, /) -> None:
        super().read_cell(site, scope)
        self._tell_name(site)

    def write_cell(self, site: int, scope: Any, value: Any, /) -> Any:
        super().write_cell(site, scope, value)
        self.tell(site, "writes", value)
        return value

    def _tell_name(self, site: int) -> None:
        if not self._kernel.is_alone:
            frame = sys._getframe(2)  # noqa: SLF001 - the program's own, which is about to read
            name = self._memory.sites[site].subject
            self.tell(site, "reads", frame.f_locals.get(name, frame.f_globals.get(name)))

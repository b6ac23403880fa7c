"""Memory that processes share: each access is a step, on the cell that it touches.

A cell is what one access touches: a value, an item of an array, a field of a structure, a byte of a
block. As long as the program has one task only, its accesses are no steps: all others come after them.
Cells only store: to meet there is not to synchronise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.kernel import Mode, Operation

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from parallel_cookbook.kernel import Kernel, Target


class Cells:
    """The cells of one piece of shared memory, by whatever names them."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._uid = kernel.new_uid()
        self._targets: dict[Hashable, Target] = {}

    def _target(self, name: Hashable) -> Target:
        target = self._targets.get(name)
        if target is None:
            kind = f"cell {name}"
            record = self._kernel.record
            target = record.target(self._uid, kind, 0, "", is_variable=True)
            self._targets[name] = target
        return target

    def load(self, names: Iterable[Hashable]) -> None:
        """Announce that the running task reads these cells. One step."""
        self._access("load", Mode.READ, names)

    def store(self, names: Iterable[Hashable]) -> None:
        """Announce that the running task writes these cells. One step."""
        self._access("store", Mode.WRITE, names)

    def _access(self, kind: str, mode: Mode, names: Iterable[Hashable]) -> None:
        kernel = self._kernel
        if kernel.is_unwinding or len(kernel.tasks) == 1:
            return
        targets = [self._target(name) for name in names]
        if targets:
            first, *others = targets
            more = tuple((target, mode, None) for target in others)
            kernel.point(Operation(kind, first, mode, None, more))

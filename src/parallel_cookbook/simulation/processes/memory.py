"""Memory that processes share: each access is a step, on the cell that it touches.

A cell is what one access touches: a value, an item of an array, a field of a structure, a word of a
block. As long as the program has one task only, its accesses are no steps: all others come after them.
Cells only store: to meet there is not to synchronise.

After its step, each access is told to who looks for data races (check/shared_races.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from parallel_cookbook.kernel import Kernel, Target, Task

ALL = 1
"""The mask of an access to the whole of a cell that has no parts."""


class Section:
    """Who is in the critical section of a lock, and what that task knew before it came in.

    Kept with the target of a lock that guards shared memory, from one execution to the next.
    """

    __slots__ = ("known", "task")

    def __init__(self) -> None:
        self.task: Task | None = None
        """Who has entered last."""
        self.known = 0
        """The events that this task knew of before it did; see `Task.sync`."""

    def enter(self, kernel: Kernel, known: int) -> None:
        """Note that the running task has just entered. In steps that are repeated, that is noted already."""
        if not kernel.is_repeating:
            kernel.record.trail.append((self, self.task, self.known))
            self.task, self.known = kernel.running, known

    def restore(self, entry: tuple[Any, ...]) -> None:
        """Take back one `enter`; see `Record.rewind`."""
        _, self.task, self.known = entry


class Cells:
    """The cells of one piece of shared memory, by whatever names them."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._uid = kernel.new_uid()
        self._targets: dict[Hashable, Target] = {}
        self.entered: Callable[[], int | None] = lambda: None
        """Returns what the running task knew before it took the lock of this memory; None if it has not."""

    def _target(self, name: Hashable) -> Target:
        target = self._targets.get(name)
        if target is None:
            kind = f"cell {name}"
            record = self._kernel.record
            target = record.target(self._uid, kind, 0, "", is_variable=True)
            self._targets[name] = target
        return target

    def load(self, names: Iterable[Hashable], masks: Iterable[int] | None = None) -> None:
        """Announce that the running task reads these cells. One step.

        masks: which parts of each cell, as bits; other parts are accesses that cannot race with this one.
        """
        self._access("load", Mode.READ, names, masks)

    def store(self, names: Iterable[Hashable], masks: Iterable[int] | None = None) -> None:
        """Announce that the running task writes these cells. One step."""
        self._access("store", Mode.WRITE, names, masks)

    def _access(
        self, kind: str, mode: Mode, names: Iterable[Hashable], masks: Iterable[int] | None
    ) -> None:
        kernel = self._kernel
        if kernel.is_unwinding or len(kernel.tasks) == 1:
            return
        targets = [self._target(name) for name in names]
        if not targets:
            return
        first, *others = targets
        more = tuple((target, mode, None) for target in others)
        kernel.point(Operation(kind, first, mode, None, more))
        if kernel.is_repeating:
            return
        known = self.entered()
        for target, mask in zip(targets, masks or [ALL] * len(targets), strict=True):
            kernel.on_shared_access(target, None, mask, mode != Mode.READ, known)

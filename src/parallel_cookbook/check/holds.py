"""Who holds what, while a replay is told: locks by their own state, places of semaphores by what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.events import Hold
from parallel_cookbook.simulation.conditions import Condition
from parallel_cookbook.simulation.locks import HELD, Lock, RLock
from parallel_cookbook.simulation.semaphores import Semaphore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parallel_cookbook.kernel import Target

RawHold = tuple[int, object, int]
"""A task's index, what it holds, and the line where it took it."""


class Holds:
    """Watches the locks and semaphores that a story meets."""

    def __init__(self) -> None:
        self._locks: dict[int, Lock | RLock] = {}
        self._conditions: dict[int, Condition] = {}
        """For each lock, by its id, that was only met as part of a condition: the condition."""
        self._holds: dict[tuple[int, int], RawHold] = {}
        """Who holds what since which line, by the id of the object and the task."""

    def notice(self, obj: object) -> None:
        """Watch an object from now on, if it is one that can be held."""
        if isinstance(obj, Condition):
            lock = obj._lock  # noqa: SLF001
            if isinstance(lock, Lock | RLock) and id(lock) not in self._locks:
                self._locks[id(lock)] = lock
                self._conditions[id(lock)] = obj
        elif isinstance(obj, Lock | RLock):
            self._locks[id(obj)] = obj
            self._conditions.pop(id(obj), None)

    def step(self, task: int, kind: str, obj: object, line: int) -> None:
        """Note that a task takes or gives back a place of a semaphore."""
        if not isinstance(obj, Semaphore):
            return
        if kind == "acquire":
            self._holds[id(obj), task] = (task, obj, line)
        elif kind == "release":
            self._holds.pop((id(obj), task), None)

    def look(self, line: int) -> tuple[RawHold, ...]:
        """Return who holds what now; `line` is where the last step was taken."""
        now: set[tuple[int, int]] = set()
        for key, lock in self._locks.items():
            if lock._target.state != HELD:  # noqa: SLF001
                continue
            owner = getattr(lock, "_owner" if isinstance(lock, RLock) else "_holder", None)
            if owner is not None:
                now.add((key, owner.index))
                self._holds.setdefault((key, owner.index), (owner.index, lock, line))
        for key, task in list(self._holds):
            if key in self._locks and (key, task) not in now:
                del self._holds[key, task]
        return tuple(self._holds.values())

    def holder(self, target: Target) -> int | None:
        """Return the index of the task that holds the lock with this target."""
        for key, task in self._holds:
            lock = self._locks.get(key)
            if lock is not None and lock._target is target:  # noqa: SLF001
                return task
        return None

    def label(self, obj: object, default: str, labels: Mapping[int, str]) -> str:
        """Return the label of an object; a lock that only its condition knows bears the condition's."""
        condition = self._conditions.get(id(obj))
        return labels.get(id(obj if condition is None else condition), default)

    def told(self, holds: tuple[RawHold, ...], labels: Mapping[int, str]) -> tuple[Hold, ...]:
        """Return holds as a story tells them."""
        return tuple(
            Hold(task, self.label(obj, "a lock", labels), line) for task, obj, line in holds
        )

"""Warn of locks that are taken in opposite orders, even where that did no harm.

While one execution runs, each lock that a task takes while it holds another is an edge from the
held one to the taken one. A cycle of edges of different tasks is a deadlock waiting for its schedule,
unless all the tasks hold a common lock meanwhile, which keeps them apart (Havelund, "Using Runtime
Analysis to Guide Model Checking of Java Programs", SPIN 2000: the GoodLock algorithm).

Cost: for each lock taken, the locks that its task holds.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.kernel import Operation, Target, Task

_LONGEST_CYCLE = 4


@dataclass(frozen=True, slots=True)
class Edge:
    """One task took a lock while it held another."""

    held: int
    taken: int
    task: str
    task_uid: int
    place: str
    """Where the second was taken: `file:line`."""
    guards: frozenset[int]
    """All the locks that the task held then."""


class LockOrder:
    """Collects the edges of one execution; its methods are the kernel's `on_point` and `on_settle`."""

    def __init__(self, is_own_file: Callable[[str], bool]) -> None:
        self._is_own_file = is_own_file
        self._held: dict[int, list[Target]] = {}
        self._pending: dict[int, Target | None] = {}
        self._edges: dict[tuple[int, int, int], Edge] = {}

    def step(self, task: Task, operation: Operation) -> None:
        """Note what a task is about to do; what it was about to do before has been done."""
        held = self._held.setdefault(task.uid, [])
        taken = self._pending.pop(task.uid, None)
        if taken is not None:
            held.append(taken)
        target = operation.target
        if operation.kind == "acquire":
            self._pending[task.uid] = target
            if held:
                self._note(task, held, target)
        elif operation.kind == "release" and target in held:
            held.remove(target)

    def _note(self, task: Task, held: list[Target], taken: Target) -> None:
        place = self._place()
        guards = frozenset(lock.uid for lock in held)
        for lock in held:
            key = (lock.uid, taken.uid, task.uid)
            if key not in self._edges:
                self._edges[key] = Edge(lock.uid, taken.uid, task.name, task.uid, place, guards)

    def _place(self) -> str:
        frame = sys._getframe()  # noqa: SLF001 - to find the program's own line
        while frame.f_back is not None and not self._is_own_file(frame.f_code.co_filename):
            frame = frame.f_back
        return f"{frame.f_code.co_filename}:{frame.f_lineno}"

    def inversions(self) -> Iterator[tuple[Edge, ...]]:
        """Yield each cycle of edges that different tasks could close, the shortest first, once."""
        edges = list(self._edges.values())
        seen: set[frozenset[int]] = set()
        for length in range(2, _LONGEST_CYCLE + 1):
            for cycle in self._cycles(edges, length):
                locks = frozenset(edge.held for edge in cycle)
                if locks not in seen:
                    seen.add(locks)
                    yield cycle

    @staticmethod
    def _cycles(edges: list[Edge], length: int) -> Iterator[tuple[Edge, ...]]:
        def extend(path: tuple[Edge, ...]) -> Iterator[tuple[Edge, ...]]:
            if len(path) == length:
                if path[-1].taken == path[0].held:
                    yield path
                return
            for edge in edges:
                if edge.held == path[-1].taken and all(_can_meet(edge, other) for other in path):
                    yield from extend((*path, edge))

        for edge in edges:
            yield from extend((edge,))


def _can_meet(one: Edge, other: Edge) -> bool:
    return one.task_uid != other.task_uid and not one.guards & other.guards


def describe(cycle: tuple[Edge, ...]) -> str:
    """Return the warning for one cycle."""
    parts = [f"{edge.task} in line {edge.place.rpartition(':')[2]}" for edge in cycle]
    pairs = itertools.chain(parts[:-1], [f"and {parts[-1]}"])
    return "locks are taken in a circle while others are held: " + ", ".join(pairs)

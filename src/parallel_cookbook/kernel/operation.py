"""What tasks act on, and what they are about to do to it.

A `Target` is anything that two tasks can meet at: a lock, a queue, a variable. An `Operation` is what a
task is about to do to one or more targets, in one indivisible step. From these alone follow who is
blocked, which operations depend on one another, and which orders are worth trying:

- An operation is *enabled* if each of its targets is in a state that the operation can go on with.
- Two operations *conflict* if they share a target and at least one of them writes it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Final

from mypy_extensions import mypyc_attr


class Mode(enum.IntEnum):
    """What an operation does to a target."""

    READ = 0
    """Looks; two reads do not conflict."""
    WRITE = 1
    """Changes it, or must be ordered with everything else that touches it."""


Need = Callable[[int], bool]
"""Whether an operation can go on with a target that is in this state."""


class Target:
    """A meeting place of tasks. `state` says, as a small number, what it lets operations do."""

    __slots__ = (
        "history",
        "is_variable",
        "kind",
        "last",
        "last_write",
        "name",
        "notes",
        "operations",
        "state",
        "sync",
        "sync_write",
        "uid",
        "version",
    )

    def __init__(
        self, uid: int, kind: str, state: int = 0, name: str = "", *, is_variable: bool = False
    ) -> None:
        self.uid: Final = uid
        """The same in every execution in which the same task makes it as the same of its creations."""
        self.kind: Final = kind
        self.state = state
        self.name = name
        self.is_variable: Final = is_variable
        """Whether it only stores a value: tasks that meet at a variable do not synchronise."""
        self.operations: tuple[Operation, ...] = ()
        """What can be done to it, if its owner keeps that here: made once for many executions."""
        self.version = 0
        """How many operations have written it."""
        self.notes: Any = None
        """For those who watch it: what they keep, from one execution to the next, with its other notes."""
        # What is noted down of one execution; see kernel/record.py.
        self.history: list[tuple[int, Mode, int]] = []
        """Of each event on it: its position in the execution, its mode, the state before it."""
        self.last = 0
        """All events that happen before the next write, as a set of positions (bit i: event i)."""
        self.last_write = 0
        """All events that happen before the next read."""
        # The same for the race detector, which goes by synchronisation alone.
        self.sync = 0
        """All events that a task knows of after it has written the target, as a set of positions."""
        self.sync_write = 0
        """The same after it has only read it."""

    def restore(self, entry: tuple[Any, ...]) -> None:
        """Take back what one event has noted here; see `Record.rewind`."""
        _, self.last, self.last_write, self.sync, self.sync_write, has_history, task, past, sync = (
            entry
        )
        if has_history:
            self.history.pop()
        if task is not None:
            task.past = past
            task.sync = sync
            task.positions.pop()

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name or self.uid}>"


_WITHOUT_EFFECT = frozenset({"acquire", "release", "try to acquire", "wait on", "leave", "look at"})
"""Kinds of operations by which a loop that waits changes nothing, from one turn to the next."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Operation:
    """One indivisible step: what it does, to what, and in which states it can.

    Immutable, and shared: a lock makes its operations once, and every task that takes it uses the same.
    """

    __slots__ = ("_parts", "is_effect", "kind", "mode", "more", "need", "target")

    def __init__(
        self,
        kind: str,
        target: Target,
        mode: Mode = Mode.WRITE,
        need: Need | None = None,
        more: tuple[tuple[Target, Mode, Need | None], ...] = (),
    ) -> None:
        self.kind: Final = kind
        self.target: Final = target
        self.mode: Final = mode
        self.need: Final = need
        """None: it never blocks on its target."""
        self.more: Final = more
        """Further targets, for an operation that acts on several at once."""
        self._parts: Final = ((target, mode, need), *more)
        self.is_effect: Final = mode != 0 and kind not in _WITHOUT_EFFECT
        """Whether it leaves something changed that the same task does not change back."""

    def is_enabled(self) -> bool:
        """Whether every target lets it go on, now."""
        for target, _, need in self._parts:  # noqa: SIM110 - all() costs twice as much here
            if need is not None and not need(target.state):
                return False
        return True

    def parts(self) -> tuple[tuple[Target, Mode, Need | None], ...]:
        """Return all targets, each with what is done to it and in which states that can be."""
        return self._parts

    def extended(self, part: tuple[Target, Mode, Need | None]) -> Operation:
        """Return the same operation on one more target."""
        return Operation(self.kind, self.target, self.mode, self.need, (*self.more, part))

    def is_like(self, other: Operation | None) -> bool:
        """Whether it is the same operation, seen in another execution."""
        return other is self or (
            other is not None and self.kind == other.kind and self.target.uid == other.target.uid
        )

    def count_writes(self) -> None:
        """Let its targets be seen to have been written; when a step is repeated, all that is noted."""
        for target, mode, _ in self._parts:
            if mode:
                target.version += 1

    def conflicts_with(self, other: Operation) -> bool:
        """Whether their order can matter: a target in common that one of them writes."""
        if not self.more and not other.more:
            return self.target is other.target and (self.mode or other.mode) != 0
        return any(
            mine is theirs and (my_mode or their_mode)
            for mine, my_mode, _ in self.parts()
            for theirs, their_mode, _ in other.parts()
        )

    def __repr__(self) -> str:
        return f"{self.kind} {self.target!r}"

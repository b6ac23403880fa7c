"""A task: a simulated thread, which runs between scheduling points and waits at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenlet import greenlet

    from parallel_cookbook.kernel.operation import Operation, Target


class Killed(BaseException):
    """Raised inside a task that is still parked when its execution has ended, to unwind it."""


class Task:
    """One flow of control of the program under check.

    `index` numbers the tasks of an execution in the order of their creation; `uid` is the same in every
    execution in which the same parent makes it as the same of its creations.
    """

    __slots__ = (
        "changes",
        "created",
        "done",
        "function",
        "greenlet",
        "index",
        "is_daemon",
        "kills",
        "looked",
        "name",
        "operation",
        "operations",
        "past",
        "positions",
        "start_position",
        "steps",
        "sync",
        "thread",
        "uid",
    )

    def __init__(self, uid: int, done: Target) -> None:
        self.index = -1
        self.uid: Final = uid
        self.name = ""
        self.function: Callable[[], object] | None = None
        self.done: Final = done
        """Its state is 0 before the start, 1 while it lives, 2 when it has ended."""
        self.is_daemon = False
        self.greenlet: greenlet | None = None
        self.operation: Operation | None = None
        """What it is about to do; None before it is started, while it runs, and when it has ended."""
        self.operations: tuple[Operation, ...] = ()
        """What can be done to it, if the simulation keeps that here: made once for many executions."""
        self.steps = 0
        """How many operations it has performed."""
        self.changes = 0
        """How many of its steps had an effect that lasts; see `Operation.is_effect`."""
        self.looked: dict[Target, int] | None = None
        """If asked for: what it has looked at, and the version that it saw first."""
        self.kills = 0
        """How often it was told that its execution has ended."""
        self.created = 0
        """How many targets and tasks it has made; numbers them, the same way in every execution."""
        self.past = 0
        """All events that happen before its next one, by conflicts, as a set of positions."""
        self.sync = 0
        """All events that it knows of by synchronisation alone: what the race detector goes by."""
        self.start_position = 0
        """The position of the step that started it."""
        self.positions: list[int] = []
        """The position of each of its steps in the execution."""
        self.thread: Any = None
        """The program's own object for it, if it has one."""

    def begin(self, name: str, function: Callable[[], object]) -> None:
        """Be ready for one more execution; what was noted down stays."""
        self.index = -1
        self.name = name
        self.function = function
        self.is_daemon = False
        self.greenlet = self.operation = self.looked = self.thread = None
        self.steps = self.changes = self.kills = self.created = 0

    def restore(self, entry: tuple[Any, ...]) -> None:
        """Take back what its last event has noted here; see `Record.rewind`."""
        _, self.past, self.sync, length = entry
        del self.positions[length:]

    def __repr__(self) -> str:
        return f"<task {self.index} {self.name!r}>"

"""A task: a simulated thread, which runs between scheduling points and waits at them.

Tasks of one group share a fate and a memory: they are the threads of one process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.kernel.operation import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenlet import greenlet

    from parallel_cookbook.kernel.operation import Operation, Target


class Killed(BaseException):
    """Raised inside a task that is still parked when its execution has ended, to unwind it."""


class Group:
    """Tasks that share a fate and a memory: a process. The program's first task is in the root group."""

    __slots__ = (
        "end_parts",
        "has_ended",
        "is_alone",
        "life",
        "main",
        "places",
        "prefix",
        "space",
        "state",
        "uid",
    )

    def __init__(self, life: Target) -> None:
        self.uid: Final = life.uid
        self.prefix: Final = f"{life.name}/" if life.name else ""
        """What the names of its tasks begin with, its main task apart."""
        self.life: Final = life
        """Its state is the number of non-daemon tasks that live."""
        self.end_parts: Final = ((life, Mode.READ, None),)
        """What the start and the end of each of its tasks do besides."""
        self.has_ended = False
        """Whether it was ended as a whole."""
        self.is_alone = True
        """Whether it has had one task only, so far."""
        self.main: Task | None = None
        """The task that it begins with."""
        self.state: dict[str, Any] = {}
        """For the simulation: what its modules remember of this process."""
        self.space: Any = None
        """The modules that its tasks see, for those who load them."""
        self.places: dict[int, Any] = {}
        """For the race detector: the places of its global variables, by site."""


class Task:
    """One flow of control of the program under check.

    `index` numbers the tasks of an execution in the order of their creation; `uid` is the same in every
    execution in which the same parent makes it as the same of its creations.
    """

    __slots__ = (
        "changes",
        "created",
        "done",
        "effect",
        "function",
        "greenlet",
        "group",
        "index",
        "is_daemon",
        "is_helper",
        "is_mortal",
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

    group: Group

    def __init__(self, uid: int, done: Target) -> None:
        self.index = -1
        self.uid: Final = uid
        self.name = ""
        self.function: Callable[[], object] | None = None
        self.done: Final = done
        """Its state is 0 before the start, 1 while it lives, 2 when it has ended."""
        self.is_daemon = False
        self.is_helper = False
        """Whether it is no task of the program's: nobody waits for it who does not join it."""
        self.is_mortal = False
        """Whether something else may end it anywhere: each of its steps looks whether its group lives."""
        self.effect: Callable[[], object] | None = None
        """Of a task that is a single step and has no code of its own: what the step does."""
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

    def begin(self, name: str, function: Callable[[], object], group: Group) -> None:
        """Be ready for one more execution; what was noted down stays."""
        self.index = -1
        self.name = name
        self.function = function
        self.group = group
        self.is_daemon = self.is_helper = self.is_mortal = False
        self.effect = self.greenlet = self.operation = self.looked = self.thread = None
        self.steps = self.changes = self.kills = self.created = 0

    def restore(self, entry: tuple[Any, ...]) -> None:
        """Take back what its last event has noted here; see `Record.rewind`."""
        _, self.past, self.sync, length = entry
        del self.positions[length:]

    def __repr__(self) -> str:
        return f"<task {self.index} {self.name!r}>"

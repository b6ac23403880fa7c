"""The vocabulary of everything below: what happened, in which task, to what, and where in the source.

One event is one step of a task: an operation that others could see or that saw what others did. A
counterexample is a sequence of events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that a task holds: a lock, a place of a semaphore."""

    task: int
    label: str
    """What is held, by its label; see `Event.label`."""
    line: int
    """Where it was taken."""


@dataclass(frozen=True, slots=True)
class Event:
    """One step of an execution, as a person would be told of it."""

    step: int
    """Its position in the execution, from 0."""
    task: int
    """The index of the task that took it."""
    kind: str
    """What was done: "acquire", "store", "start" …"""
    subject: str
    """To what, in the words of the source there: "counter", "self.lock", "worker-1"."""
    file: str
    line: int
    """Where in the source; an empty file and 0 where there is no place, as for a task's end."""
    detail: str = ""
    """What came of it, in a few words: "reads counter = 0", "times out" …"""
    is_preemption: bool = False
    """Whether the task before it was switched away from although it could have gone on."""
    label: str = ""
    """One name for the same object in all events of a story, and for no other object."""
    source: str = ""
    """The code that took it: its line without indentation, or the body of a lambda."""
    places: tuple[int, ...] = ()
    """The places in memory that it touched, as numbers; empty for what is no access."""
    is_write: bool = False
    """Whether it changed them."""
    value: str = ""
    """What was read or written, as a short text."""
    is_test: bool = False
    """Whether it is part of a condition: the test of an `if`, a `while`, an `assert`."""
    could_go_on: frozenset[int] = frozenset()
    """Which other tasks could have gone on instead."""
    held: tuple[Hold, ...] = ()
    """Who holds what after it."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A task that waits at the end of an execution, and for what."""

    task: int
    kind: str
    """What it waits for: "lock", "notify", "event", "join", "get", "put", "semaphore", "barrier" …"""
    subject: str
    """What the source there calls it."""
    file: str
    line: int
    holder: int | None = None
    """The index of the task that it waits for: who holds the lock, who is joined."""
    label: str = ""
    """See `Event.label`."""
    source: str = ""
    """The code that waits."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Messages that nobody has received when an execution ends."""

    label: str
    """Of the queue or the connection, see `Event.label`."""
    count: int
    where: str
    """"still in the pipe" or "not yet fed"."""
    task: int = -1
    """The index of the feeder that was to bring them into the pipe."""


@dataclass(frozen=True, slots=True)
class LostChange:
    """A change to a copy that a proxy has given out: the manager's own object does not have it."""

    task: str
    """The name of who has made it."""
    file: str
    line: int
    source: str
    """What the source calls what it is a copy of; empty if that is not clear."""
    kind: str
    """The type of the copy: "list", "dict" …"""


@dataclass(frozen=True, slots=True)
class Uncaught:
    """An exception that has ended a process whose exit code the program looked at afterwards."""

    task: str
    """The name of the process."""
    message: str
    location: str
    """`file:line`, or empty."""


@dataclass(frozen=True, slots=True)
class Interleaving:
    """One whole execution: who was there, what happened in which order, who was stuck at the end."""

    tasks: tuple[str, ...]
    """The tasks' names, by index."""
    events: tuple[Event, ...]
    blocked: tuple[Blocked, ...] = ()
    held: tuple[Hold, ...] = ()
    """Who holds what at the end."""
    ended: frozenset[int] = frozenset()
    """The tasks that have run to their end."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The text of each file that an event stands in."""
    undelivered: tuple[Undelivered, ...] = ()
    """What was sent or put, and not received."""
    forked: frozenset[str] = frozenset()
    """The names of the processes that were to be started by fork or forkserver."""
    lost_changes: tuple[LostChange, ...] = ()
    """What was changed in copies only."""
    uncaught: tuple[Uncaught, ...] = ()
    """What has ended processes, apart from the failure."""

    @property
    def preemptions(self) -> int:
        """How often a task was switched away from although it could have gone on."""
        return sum(event.is_preemption for event in self.events)

    @property
    def switches(self) -> int:
        """How often another task went on, for whatever reason."""
        pairs = zip(self.events, self.events[1:], strict=False)
        return sum(before.task != after.task for before, after in pairs)

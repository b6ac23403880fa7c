"""What a traced run leaves behind, as one value: its tasks, its objects, its sites and its records.

The border between the room's halves. The recorder writes a file for each process while the program runs;
`read_recording` makes one `Recording` of them, with one clock and one numbering. Everything that
explains or draws a run starts from that value, and never reads a recorder's file itself.

A record is one thing that a task did to one object: it `began` and it `ended`, and what passed between
them was spent waiting. What takes no time has both at the same moment. A task that is about to block
writes a record of its own first (`is_request`), so that what it waited for is known even if it
never came back; the record of what came of it follows when it did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(IntEnum):
    """What a record tells; the lower-case names are those of `Event.kind` and `Blocked.kind`."""

    __hash__ = int.__hash__
    """An enumeration's own is written in Python, and is asked for several times a record."""

    BEGIN = 1
    """A task begins; value: the task that started it, or -1."""
    END = 2
    """A task ends; value: 0 well, 1 by an exception."""
    START = 3
    """A task starts another; value: that one's index."""
    JOIN = 4
    """Waits for a task or process; value: its index; result: whether it has ended."""
    ACQUIRE = 5
    """A lock, RLock or semaphore; value: how deep, or places left; result: whether it was got."""
    RELEASE = 6
    WAIT = 7
    """A Condition or an Event; result: whether it was woken, not timed out."""
    NOTIFY = 8
    """A Condition; value: how many were to be woken, -1 all."""
    SET = 9
    """An Event."""
    CLEAR = 10
    BARRIER = 11
    """Waits at a barrier; value: its place of arrival; result: whether it was passed."""
    PUT = 12
    """A queue; value: its length after that, -1 unknown; extra: the message's number."""
    GET = 13
    """A queue; value: its length after that, -1 unknown; extra: the message's number."""
    TASK_DONE = 14
    QUEUE_JOIN = 15
    SEND = 16
    """A connection; value: bytes; extra: the message's number."""
    RECEIVE = 17
    """A connection; value: bytes; extra: the message's number."""
    SLEEP = 18
    """value: nanoseconds asked for."""
    SUBMIT = 19
    """Work for a pool or an executor; value: in how many pieces, -1 unknown; extra: the work's number."""
    WORK = 20
    """A pool's or executor's worker does a piece of work from began to ended; value: which piece, from 0;
    extra: the work's number, unique together with thing."""
    RESULT = 21
    """Waits for the result of a piece of work; extra: the work's number."""
    SAMPLE = 22
    """Where a task runs; value: CPU nanoseconds of its thread so far, -1 unknown; extra: nanoseconds that the
    system kept it from a processor although it could run, -1 unknown."""
    COLLECT = 23
    """A garbage collection from began to ended; value: the generation."""
    FORK = 24
    """The process forks; value: the child's pid."""
    SIGNAL = 25
    """The tracer asked a task, which was in the midst of something, for its stack."""
    LOST = 26
    """Records were lost here, because memory or disk had no room; value: how many."""
    CALL = 27
    """Calls a method of a manager's object and waits for the answer; value: index into `methods`;
    result: whether it was no exception."""


class Record(NamedTuple):
    """One record; times in nanoseconds since the program began, on one clock for all processes."""

    began: int
    ended: int
    task: int
    """Index into `Recording.tasks`."""
    kind: Kind
    thing: int
    """Index into `Recording.things`; -1 for none."""
    site: int
    """Index into `Recording.sites`; -1 where there is no source line."""
    value: int
    extra: int
    result: bool
    """False for what was in vain: a time-out, a try-lock that found it taken."""
    is_request: bool
    """The task is about to block; `ended` equals `began`, and the record of what came of it follows."""


@dataclass(frozen=True, slots=True)
class TracedTask:
    """A thread of a process; the main thread stands for the process, too."""

    index: int
    name: str
    """The thread's name; a process' name for its main thread."""
    process: int
    """Index into `Recording.processes`."""
    is_main: bool
    is_daemon: bool
    is_helper: bool
    """A thread of the library's own: a queue's feeder, a pool's handlers, a manager's main thread. Not its
    workers: see helpers.py."""
    parent: int
    """The task that started it, or -1."""
    began: int
    ended: int
    """-1 if it was not seen to end."""
    native_id: int


@dataclass(frozen=True, slots=True)
class TracedProcess:
    """A process of the program."""

    index: int
    pid: int
    name: str
    """"main" for the first one, `Process.name` for others."""
    parent: int
    """Index of the process that started it, or -1."""
    began: int
    ended: int
    """-1 if it was not seen to end: it was killed, or still ran."""
    exit_code: int | None
    """As its parent saw it; None if nobody did. Negative: the signal that ended it."""
    method: str
    """"" for the first one; fork, spawn, forkserver."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that tasks meet at; shared between processes where the program shares it."""

    index: int
    kind: str
    """lock, rlock, condition, semaphore, event, barrier, queue, connection, pool, value, proxy …"""
    label: str
    """A name for a person, unique in the recording: "lock", "buffer.not_full", "Lock #2"."""
    site: int
    """Where it was made, or -1."""
    process: int
    """Index of the process it was made in."""
    capacity: int
    """A semaphore's places, a queue's maxsize, a barrier's parties; 0 where it has none."""


@dataclass(frozen=True, slots=True)
class Site:
    """A line of source."""

    file: str
    line: int
    function: str
    source: str
    """The line without indentation; empty if it could not be read."""


@dataclass(frozen=True, slots=True)
class Recording:
    """All that is known of one run."""

    command: tuple[str, ...]
    python: str
    cores: int
    """How many the program may use."""
    wall_clock: str
    """When the run was started, ISO 8601."""
    duration: int
    """Nanoseconds from the program's beginning to the last record."""
    exit_code: int | None
    processes: tuple[TracedProcess, ...]
    tasks: tuple[TracedTask, ...]
    things: tuple[Thing, ...]
    sites: tuple[Site, ...]
    records: Sequence[Record] = field(repr=False)
    """In the order of `ended`; of equal moments, in the order they were written."""
    stacks: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """For a run that was interrupted: each task's stack at that moment, as sites, innermost first."""
    lost: int = 0
    """Records that were lost, because memory or disk had no room, or a process was killed while writing."""
    methods: tuple[str, ...] = ()
    """The names of those that were called of managers' objects."""
    start_up: int = 0
    """Nanoseconds that Python took to start before the program began: no moment of the recording, and no
    part of `duration`."""

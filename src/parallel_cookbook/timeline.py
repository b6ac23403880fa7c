"""A run or an interleaving as a picture: lanes, slices, arrows, counters. What every drawing starts from.

`check` makes one of a counterexample (the clock counts steps), `trace` one of a real run (nanoseconds).
The renderers in `report/` know nothing else, so that one page and one export serve both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

State = Literal[
    "running", "gil", "ready", "blocked", "sleeping", "idle", "unknown", "held", "work", "collect"
]
"""running on a processor; gil: waiting for the interpreter's lock; ready: kept from a processor by the
system; blocked on something; sleeping; idle: waits for work, as a pool's worker does. held: in the lane of a
lock, by whom; work: a piece of a pool's work, in the lane of its worker; collect: garbage collection."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of source."""

    file: str
    line: int
    source: str = ""
    function: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of the picture."""

    name: str
    group: str
    """Lanes of the same group stand together under this heading: a process, "Locks", "Queues"."""
    kind: Literal["task", "lock", "queue", "other"] = "task"
    note: str = ""
    """A sentence about it: "ended by SIGKILL", "daemon"."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time in a lane. Slices of one lane either nest or do not overlap."""

    lane: int
    begin: int
    end: int
    state: State
    label: str
    """In a few words: "waits for lock", "counter += 1"."""
    detail: str = ""
    """A sentence or two: held by whom, what was read and written."""
    place: Place | None = None
    thing: int | None = None
    """The lane of the lock or queue that it is about, where that has one; the reader can go there."""
    holder: int | None = None
    """The lane of the task that is in the way: who holds what this one waits for; in a lock's lane, its
    holder."""
    is_preempted: bool = False
    """In an interleaving: its task was switched away from after it, although it could have gone on."""
    is_open: bool = False
    """It had not ended when the picture ends: blocked for ever, killed."""
    is_failure: bool = False
    """Something went wrong here: a failed assertion, an exception that nobody caught."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """Something that went from one lane to another: a message, a lock handed over, a wake-up, a start."""

    from_lane: int
    begin: int
    to_lane: int
    end: int
    kind: Literal["message", "lock", "wake", "start", "end", "work"]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Counter:
    """How a number changed over time: a queue's length, tasks that run. It belongs to a lane."""

    lane: int
    name: str
    points: tuple[tuple[int, int], ...]
    """(moment, value from then on), in order."""
    limit: int | None = None
    """What it can't exceed, such as a queue's maxsize; drawn as a line."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The picture."""

    title: str
    unit: Literal["ns", "step"]
    begin: int
    end: int
    lanes: tuple[Lane, ...]
    slices: tuple[Slice, ...]
    """In the order of lane, begin, and outer before inner."""
    arrows: tuple[Arrow, ...] = ()
    counters: tuple[Counter, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences that stand above the picture: the summary's first sentence, what was lost."""
    sources: dict[str, str] = field(default_factory=dict)
    """The text of files that places stand in, where it may be shown."""

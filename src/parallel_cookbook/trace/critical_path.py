"""The critical path: the chain of work and waits that made the run as long as it was.

Walked backwards from the run's end. A task that worked is on the path with its work; a task that waited was
made to by another one, which released, put, set or ended what it waited for: the path goes on there, at the
moment when that happened. So making anything shorter that is not on the path makes the run no shorter. The
pieces follow each other without a gap: together they are as long as the run.

A wait that no task ended (a sleep, a time-out, a release that was not seen) is on the path itself.

Source: Yang and Miller, "Critical path analysis for the execution of parallel and distributed programs",
ICDCS 1988.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.waits import life_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parallel_cookbook.trace.recording import Record, Recording
    from parallel_cookbook.trace.states import Stretch
    from parallel_cookbook.trace.waits import Wait

WAKERS: dict[Kind, tuple[Kind, ...]] = {
    Kind.ACQUIRE: (Kind.RELEASE,),
    Kind.WAIT: (Kind.NOTIFY, Kind.SET),
    Kind.GET: (Kind.PUT,),
    Kind.PUT: (Kind.GET,),
    Kind.RECEIVE: (Kind.SEND,),
    Kind.SEND: (Kind.RECEIVE, Kind.GET),
    Kind.QUEUE_JOIN: (Kind.TASK_DONE,),
    Kind.BARRIER: (Kind.BARRIER,),
}
"""What ends a wait: another task's deed of such a kind at the same thing."""
_NUMBERED = {Kind.GET: Kind.PUT, Kind.RECEIVE: Kind.SEND, Kind.RESULT: Kind.WORK}
"""Waits that end by what bears the same number."""


class Deed(NamedTuple):
    """Something that a task did at a moment, and that may have let another go on."""

    moment: int
    task: int
    site: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the critical path; nanoseconds."""

    task: int
    begin: int
    end: int
    what: str
    """A `State`; "start": until a started task ran its first line; "hand-over": until a woken task went on;
    "unseen": before the first record of a task whose start was not seen; "after its end"."""
    wait: Wait | None = None
    """For a wait that no task ended, and for a hand-over."""


@dataclass(frozen=True, slots=True)
class Jump:
    """Where the path leads from a task that waited to the one that ended its wait."""

    wait: Wait
    deed: Deed


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The path from the run's beginning to its end."""

    pieces: tuple[Piece, ...]
    """In order of time; their lengths add up to the run's duration."""
    jumps: tuple[Jump, ...]
    """In order of time."""


def _moment_of(record: Record) -> int:
    """Return when a deed may have let another task go on.

    A barrier's last arrival lets the others go; a release is stamped before it happens.
    """
    return record.began if record.kind == Kind.BARRIER else record.ended


class Deeds:
    """Finds what ended a wait."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._at: dict[tuple[Kind, int], list[Record]] = defaultdict(list)
        """In the order of the moments at which they let others go on."""
        self._numbered: dict[tuple[Kind, int, int], Deed] = {}
        self._starts: dict[int, Deed] = {}
        wanted = {kind for kinds in WAKERS.values() for kind in kinds}
        numbered = set(_NUMBERED.values())
        start = Kind.START
        for record in recording.records:
            kind = record.kind
            if record.is_request:
                continue
            if kind in wanted and record.result:
                self._at[kind, record.thing].append(record)
            if kind in numbered and record.extra >= 0:
                deed = Deed(record.ended, record.task, record.site)
                self._numbered[kind, record.thing, record.extra] = deed
            if kind is start:
                self._starts.setdefault(record.value, Deed(record.began, record.task, record.site))
        for (kind, _thing), records in self._at.items():
            if kind == Kind.BARRIER:  # the others are in that order: the recording's
                records.sort(key=_moment_of)

    def start_of(self, task: int) -> Deed | None:
        """Return who started a task, and when: at the beginning of what started it."""
        return self._starts.get(task)

    def that_ended(self, wait: Wait) -> Deed | None:
        """Return what another task did while `wait` lasted and that ended it; None if nothing is known."""
        if not wait.succeeded or wait.kind == Kind.SLEEP:
            return None
        if wait.kind == Kind.JOIN:
            return self._end_of(wait)
        if wait.kind in _NUMBERED and wait.extra >= 0:
            found = self._numbered.get((_NUMBERED[wait.kind], wait.thing, wait.extra))
            if found:  # a get may be noted just before the put that it got
                found = found._replace(moment=min(found.moment, wait.ended))
                return found if self._fits(found, wait) else None
        candidates = [self._last(kind, wait) for kind in WAKERS.get(wait.kind, ())]
        return max((deed for deed in candidates if deed), default=None)

    def _end_of(self, wait: Wait) -> Deed | None:
        if not 0 <= wait.value < len(self._recording.tasks):
            return None
        joined = self._recording.tasks[wait.value]
        if joined.is_main and joined.is_helper:
            return None  # a manager's process, which ends because it was told to
        moment = life_of(self._recording, wait.value)[1]
        deed = Deed(moment, wait.value, -1)
        return deed if self._fits(deed, wait) else None

    def _last(self, kind: Kind, wait: Wait) -> Deed | None:
        records = self._at.get((kind, wait.thing), [])
        place = bisect_right(records, wait.ended, key=_moment_of) - 1
        while place >= 0 and (moment := _moment_of(records[place])) >= wait.began:
            record = records[place]
            if record.task != wait.task:
                return Deed(moment, record.task, record.site)
            place -= 1
        return None

    @staticmethod
    def _fits(deed: Deed, wait: Wait) -> bool:
        return deed.task != wait.task and wait.began <= deed.moment <= wait.ended


def critical_path(
    recording: Recording, states: Sequence[Sequence[Stretch]], deeds: Deeds
) -> CriticalPath:
    """Return the critical path of a run; an empty one for a run in which nothing was recorded."""
    if not recording.tasks or not recording.duration:
        return CriticalPath((), ())
    walk = _Walk(recording, states, deeds)
    walk.back()
    return CriticalPath(tuple(reversed(walk.pieces)), tuple(reversed(walk.jumps)))


class _Walk:
    """The way back from the run's end, a stretch or a jump at a time."""

    def __init__(
        self, recording: Recording, states: Sequence[Sequence[Stretch]], deeds: Deeds
    ) -> None:
        self._recording = recording
        self._states = states
        self._begins = [[stretch.begin for stretch in own] for own in states]
        self._deeds = deeds
        self._moment = recording.duration
        self.pieces: list[Piece] = []
        """The last first."""
        self.jumps: list[Jump] = []
        self._task = _last_task(recording)

    def back(self) -> None:
        """Walk to the run's beginning; each round goes back in time, or to another task at that moment."""
        been: set[int] = set()
        """Tasks seen at this moment: two that end each other's waits at once must not hold us up."""
        while self._moment > 0:
            before = self._moment
            been.add(self._task)
            self._step(been)
            if self._moment < before:
                been = set()

    def _step(self, been: set[int]) -> None:
        task = self._task
        own = self._states[task]
        place = bisect_left(self._begins[task], self._moment) - 1
        if place < 0:
            self._to_its_start(task, been)
            return
        stretch = own[place]
        if stretch.end < self._moment:  # it has ended, or the run goes on without it
            self._add(max(stretch.end, 0), "after its end")
            return
        if stretch.wait is None:
            self._add(stretch.begin, stretch.state)
            return
        deed = self._deeds.that_ended(stretch.wait) if stretch.end == self._moment else None
        if deed is None or deed.moment > self._moment or deed.task in been:
            self._add(stretch.begin, stretch.state, stretch.wait)
            return
        self._add(deed.moment, "hand-over", stretch.wait)
        self.jumps.append(Jump(stretch.wait, deed))
        self._task = deed.task

    def _to_its_start(self, task: int, been: set[int]) -> None:
        """Go to the task that started this one, or to the run's beginning."""
        start = self._deeds.start_of(task)
        if start is None or start.moment > self._moment or start.task in been:
            self._add(0, "unseen")
            return
        self._add(start.moment, "start")
        self._task = start.task

    def _add(self, begin: int, what: str, wait: Wait | None = None) -> None:
        begin = max(begin, 0)
        if begin < self._moment:
            self.pieces.append(Piece(self._task, begin, self._moment, str(what), wait))
            self._moment = begin


def _last_task(recording: Recording) -> int:
    """Return the task that lived longest; of several, the main one."""
    return max(
        range(len(recording.tasks)),
        key=lambda task: (
            life_of(recording, task)[1],
            recording.tasks[task].is_main,
            -task,
        ),
    )


def shares_of(pieces: Sequence[Piece]) -> dict[tuple[int, str], int]:
    """Return how long each task was on the path, by what it did there; nanoseconds, the largest first."""
    shares: dict[tuple[int, str], int] = defaultdict(int)
    for piece in pieces:
        shares[piece.task, piece.what] += piece.end - piece.begin
    return dict(sorted(shares.items(), key=lambda item: -item[1]))

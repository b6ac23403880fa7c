"""Who waited, for what, from when to when: the ground that all else stands on.

A task does one thing at a time, so its waits neither overlap nor nest here: where the library waits within
a wait (a barrier's condition, a condition's lock), the outermost is what the program asked for, and counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from parallel_cookbook.trace.recording import Kind

if TYPE_CHECKING:
    from parallel_cookbook.trace.recording import Record, Recording

WAITING = frozenset(
    {
        Kind.JOIN,
        Kind.ACQUIRE,
        Kind.WAIT,
        Kind.BARRIER,
        Kind.PUT,
        Kind.GET,
        Kind.QUEUE_JOIN,
        Kind.SEND,
        Kind.RECEIVE,
        Kind.SLEEP,
        Kind.RESULT,
        Kind.CALL,
    }
)
"""What may take time because a task waits."""
PASSIVE = frozenset({Kind.SAMPLE, Kind.COLLECT, Kind.SIGNAL, Kind.LOST})
"""What is noted of a task while it is in the midst of something else."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait of one task; times in nanoseconds."""

    task: int
    kind: Kind
    thing: int
    site: int
    began: int
    ended: int
    """For an open one: when the task's life or the recording ends."""
    value: int
    extra: int
    succeeded: bool
    """False for a time-out, and for an open one."""
    is_open: bool
    """It never came back."""
    is_endless: bool
    """It is open and has no time-out."""


def life_of(recording: Recording, task: int) -> tuple[int, int]:
    """Return when a task began and ended; what was not seen to end lives as long as its process."""
    traced = recording.tasks[task]
    ended = traced.ended
    if ended < 0:
        ended = recording.processes[traced.process].ended
    if ended < 0:
        ended = recording.duration
    return traced.began, max(traced.began, ended)


def waits_of(recording: Recording) -> tuple[tuple[Wait, ...], ...]:
    """Return each task's waits, by the task's index: in order, not overlapping, within its life.

    Cost: one look at each record, and a sort of those that took time.
    """
    found = [_Found() for _ in recording.tasks]
    for record in recording.records:
        if record.kind not in PASSIVE:
            found[record.task].note(record)
    return tuple(
        tuple(_apart(found[task].all(life_of(recording, task)[1]), *life_of(recording, task)))
        for task in range(len(found))
    )


@dataclass(slots=True)
class _Found:
    """What is known of one task's waits while its records are read."""

    waits: list[Wait] = field(default_factory=list)
    pending: list[tuple[Record, int]] = field(default_factory=list)
    """Requests without outcome, the outermost first, each with when the task's next record began, or -1."""

    def note(self, record: Record) -> None:
        if record.is_request:
            self._goes_on(record)
            if record.kind in WAITING:
                self.pending.append((record, -1))
            return
        for position in range(len(self.pending) - 1, -1, -1):
            request = self.pending[position][0]
            if request.kind == record.kind and request.thing == record.thing:
                # What was asked for within it has been answered, seen or not.
                del self.pending[position:]
                break
        self._goes_on(record)
        if record.kind in WAITING and record.ended > record.began:
            self.waits.append(_ended(record))

    def _goes_on(self, record: Record) -> None:
        """Note that the task does something else: what it asked for before has ended, seen or not.

        A condition's wait gives its lock back within it. That it asks for the lock again ends the wait as far
        as a hang is concerned: then it waits for the lock.
        """
        if not self.pending or self.pending[-1][1] >= 0:
            return
        request = self.pending[-1][0]
        if request.kind != Kind.WAIT or record.kind != Kind.RELEASE:
            self.pending[-1] = (request, record.began)

    def all(self, end: int) -> list[Wait]:
        """Return all, those without outcome too: an exception may have ended them, or nothing has."""
        return self.waits + [
            _unanswered(request, end if until < 0 else until, is_open=until < 0)
            for request, until in self.pending
        ]


def _ended(record: Record) -> Wait:
    return Wait(
        record.task,
        record.kind,
        record.thing,
        record.site,
        record.began,
        record.ended,
        record.value,
        record.extra,
        record.result,
        is_open=False,
        is_endless=False,
    )


def _unanswered(request: Record, until: int, *, is_open: bool) -> Wait:
    return Wait(
        request.task,
        request.kind,
        request.thing,
        request.site,
        request.began,
        until,
        request.value,
        request.extra,
        succeeded=False,
        is_open=is_open,
        is_endless=is_open and request.result,
    )


def _apart(waits: list[Wait], began: int, ended: int) -> list[Wait]:
    """Return the outermost waits, cut to the task's life, so that none overlaps another."""
    result: list[Wait] = []
    moment = began
    for wait in sorted(waits, key=lambda wait: (wait.began, -wait.ended)):
        if wait.ended <= moment and not (wait.is_open and wait.ended >= moment):
            continue
        cut_began, cut_ended = max(wait.began, moment), min(wait.ended, ended)
        if cut_ended < cut_began:
            continue
        is_whole = (cut_began, cut_ended) == (wait.began, wait.ended)
        result.append(wait if is_whole else _moved(wait, cut_began, cut_ended))
        moment = cut_ended
    return result


def _moved(wait: Wait, began: int, ended: int) -> Wait:
    return replace(wait, began=began, ended=ended)

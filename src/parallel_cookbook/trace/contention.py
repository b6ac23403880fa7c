"""What tasks met at: who held which lock how long while others waited, what went through which queue.

A lock is held from the end of an acquire to the release, an RLock from the first to the last. If a lock is
seen to be taken while somebody holds it (a release was lost, or it was given back by the library), the older
hold ends there: held intervals of a lock never overlap. Those of a semaphore may, up to its places.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from parallel_cookbook.trace.recording import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parallel_cookbook.trace.recording import Record, Recording
    from parallel_cookbook.trace.waits import Wait

EXCLUSIVE = frozenset({"lock", "rlock", "value"})
"""Kinds of things that one task at a time holds."""
_IN = frozenset({Kind.PUT, Kind.SEND})
_OUT = frozenset({Kind.GET, Kind.RECEIVE})
_MOVING = _IN | _OUT
_BENEATH = frozenset({Kind.SEND, Kind.RECEIVE})


class Hold(NamedTuple):
    """A task held a lock, or a place of a semaphore, from `began` to `ended`."""

    thing: int
    task: int
    began: int
    ended: int
    site: int
    """Where it was taken."""
    is_open: bool
    """It was never given back."""


@dataclass(frozen=True, slots=True)
class LockUse:
    """How one lock or semaphore was used; times in nanoseconds."""

    thing: int
    acquired: int
    contended: int
    """How many had to wait, those that got nothing too."""
    in_vain: int
    """How many asked without getting it: tries, time-outs, and who still waits."""
    waited: int
    """By all tasks together, those that got nothing too."""
    held: int
    """How long it was held; of a semaphore, by all together."""
    busy: int
    """How long at least one task held it: never longer than the run."""
    longest: Hold | None
    longest_wait: Wait | None
    worst_site: int
    """The line whose holding others waited for longest; -1: none."""
    worst_task: int
    """Who held it from there, longest while others waited; -1: nobody."""
    worst_blocked: int
    """How long others waited while it was held from there."""

    @property
    def asked(self) -> int:
        """How often it was asked for: got or not."""
        return self.acquired + self.in_vain

    @property
    def contended_share(self) -> float:
        """Of all that asked for it, the share that had to wait."""
        return self.contended / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class QueueUse:
    """How one queue or connection was used; times in nanoseconds."""

    thing: int
    put: int
    got: int
    deepest: int
    """-1: unknown."""
    average_depth: float
    """Over the time from when something first went in or out to the run's end; -1 if unknown."""
    starved: int
    """How long tasks waited for something to be put, together."""
    held_up: int
    """How long tasks waited for room, together."""
    latency: int
    """Between a put and its get, the median; -1: none was matched."""
    sent_bytes: int
    """Of a connection; -1: unknown."""


@dataclass(frozen=True, slots=True)
class CallUse:
    """How one method of a manager's object was called; times in nanoseconds."""

    thing: int
    method: int
    """Index into `Recording.methods`."""
    called: int
    waited: int
    """For answers, by all tasks together; for one that never came, too."""
    longest: Wait | None


@dataclass(frozen=True, slots=True)
class Contention:
    """What `contention_of` found: by the index of the thing."""

    holds: dict[int, tuple[Hold, ...]]
    """In the order of `began`."""
    locks: dict[int, LockUse]
    queues: dict[int, QueueUse]
    depths: dict[int, tuple[tuple[int, int], ...]]
    """A queue's length over time: (moment, length from then on)."""
    semaphores: frozenset[int]
    """Things that several may hold at once."""

    def holders_at(self, thing: int, moment: int) -> list[Hold]:
        """Return who held a lock, or places of a semaphore, at a moment."""
        holds = self.holds.get(thing, ())
        place = bisect_right(holds, moment, key=lambda hold: hold.began)
        first = 0 if thing in self.semaphores else max(place - 1, 0)
        return [hold for hold in holds[first:place] if hold.ended > moment or hold.is_open]


def contention_of(recording: Recording, waits: Sequence[Sequence[Wait]]) -> Contention:
    """Return how locks and queues were used. waits: what `waits_of` returns."""
    by_thing: dict[int, list[Record]] = defaultdict(list)
    for record in recording.records:
        thing = record.thing
        if thing >= 0 and not record.is_request:
            by_thing[thing].append(record)
    waits_at: dict[int, list[Wait]] = defaultdict(list)
    for own in waits:
        for wait in own:
            if wait.thing >= 0:
                waits_at[wait.thing].append(wait)
    semaphores = frozenset(thing.index for thing in recording.things if thing.kind not in EXCLUSIVE)
    found = Contention({}, {}, {}, {}, semaphores)
    for thing in range(len(recording.things)):
        records, waited = by_thing.pop(thing, []), waits_at[thing]
        kinds = {record.kind for record in records} | {wait.kind for wait in waited}
        if kinds & {Kind.ACQUIRE, Kind.RELEASE}:
            holds = _holds(recording, thing, records)
            found.holds[thing] = holds
            found.locks[thing] = _lock_use(thing, records, waited, holds)
        if kinds & _MOVING:
            if kinds & {Kind.PUT, Kind.GET}:  # not what its feeder sends through the pipe beneath
                records = [record for record in records if record.kind not in _BENEATH]
                waited = [wait for wait in waited if wait.kind not in _BENEATH]
            depths = _depths(records)
            found.depths[thing] = depths
            found.queues[thing] = _queue_use(thing, records, waited, depths, recording.duration)
    return found


def calls_of(waits: Iterable[Sequence[Wait]]) -> tuple[CallUse, ...]:
    """Return how methods of managers' objects were called: those first for which tasks waited longest."""
    found: dict[tuple[int, int], list[Wait]] = defaultdict(list)
    for own in waits:
        for wait in own:
            if wait.kind == Kind.CALL:
                found[wait.thing, wait.value].append(wait)
    uses = [
        CallUse(
            *key,
            called=len(calls),
            waited=sum(wait.ended - wait.began for wait in calls),
            longest=max(calls, key=lambda wait: wait.ended - wait.began),
        )
        for key, calls in found.items()
    ]
    return tuple(sorted(uses, key=lambda use: (-use.waited, -use.called)))


def _holds(recording: Recording, thing: int, records: list[Record]) -> tuple[Hold, ...]:
    book = _Holding(thing, is_exclusive=recording.things[thing].kind in EXCLUSIVE)
    acquire, release = Kind.ACQUIRE, Kind.RELEASE
    for record in records:
        if record.kind is acquire and record.result:
            book.acquired(record)
        elif record.kind is release:
            book.released(record)
    for task, stack in book.open.items():
        for began, site in stack:
            end = max(began, recording.duration)
            book.done.append(Hold(thing, task, began, end, site, is_open=True))
    return tuple(sorted(book.done, key=attrgetter("began", "ended")))


@dataclass(slots=True)
class _Holding:
    """Who holds a lock or a semaphore, while its records are read."""

    thing: int
    is_exclusive: bool
    open: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """By task: when and where it took the places that it holds."""
    depth: int = 0
    """How often the holder of an RLock has taken it."""
    done: list[Hold] = field(default_factory=list)

    def acquired(self, record: Record) -> None:
        if self.is_exclusive and record.task in self.open:
            self.depth += 1
            return
        if self.is_exclusive:
            for task in list(self.open):
                self._close(task, record.ended)
            self.depth = 1
        self.open.setdefault(record.task, []).append((record.ended, record.site))

    def released(self, record: Record) -> None:
        """Take away the releaser's own hold; of a lock or semaphore that another gives back, the oldest."""
        task = record.task if record.task in self.open else self._oldest()
        if task is None:
            return
        self.depth -= 1
        if not self.is_exclusive or self.depth <= 0:
            self._close(task, record.began)

    def _oldest(self) -> int | None:
        return min(self.open, key=lambda task: self.open[task][0], default=None)

    def _close(self, task: int, moment: int) -> None:
        stack = self.open[task]
        began, site = stack.pop(0)
        if not stack:
            del self.open[task]
        ended = max(began, moment)
        self.done.append(tuple.__new__(Hold, (self.thing, task, began, ended, site, False)))


def _lock_use(
    thing: int, records: list[Record], waits: list[Wait], holds: tuple[Hold, ...]
) -> LockUse:
    waits = [wait for wait in waits if wait.kind == Kind.ACQUIRE]
    acquire = Kind.ACQUIRE
    asked = [record for record in records if record.kind is acquire]
    got = [record for record in asked if record.result]
    timed_out = sum(not record.result and record.ended > record.began for record in asked)
    unanswered = max(sum(not wait.succeeded for wait in waits) - timed_out, 0)
    in_vain = len(asked) - len(got) + unanswered
    waited = [wait for wait in waits if wait.is_open or wait.ended > wait.began]
    by_site, blame = _blame(waits, holds)
    worst_site, worst_blocked = max(by_site.items(), key=lambda item: item[1], default=(-1, 0))
    _, worst_task = max(
        ((blocked, task) for (site, task), blocked in blame.items() if site == worst_site),
        default=(0, -1),
    )
    return LockUse(
        thing,
        acquired=len(got),
        contended=min(len(waited), len(got) + in_vain),
        in_vain=in_vain,
        waited=sum(wait.ended - wait.began for wait in waits),
        held=sum(hold.ended - hold.began for hold in holds),
        busy=_covered((hold.began, hold.ended) for hold in holds),
        longest=max(holds, key=lambda hold: hold.ended - hold.began, default=None),
        longest_wait=max(waits, key=lambda wait: wait.ended - wait.began, default=None),
        worst_site=worst_site,
        worst_task=worst_task,
        worst_blocked=worst_blocked,
    )


def _blame(
    waits: list[Wait], holds: tuple[Hold, ...]
) -> tuple[Counter[int], Counter[tuple[int, int]]]:
    """Return how long others waited while a lock was held, by the line where it was taken, and by whom too.

    A semaphore may be held from one line by several at once: that counts once for the line.
    """
    by_site: Counter[int] = Counter()
    blame: Counter[tuple[int, int]] = Counter()
    ends = [hold.ended for hold in holds]
    is_ordered = all(before <= after for before, after in pairwise(ends))
    for wait in waits:
        first = bisect_right(ends, wait.began) if is_ordered else 0
        spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for place in range(first, len(holds)):
            hold = holds[place]
            if hold.began >= wait.ended:
                break
            begin, end = max(hold.began, wait.began), min(hold.ended, wait.ended)
            if end > begin:
                blame[hold.site, hold.task] += end - begin
                spans[hold.site].append((begin, end))
        for site, own in spans.items():
            by_site[site] += _covered(own)
    return by_site, blame


def _covered(spans: Iterable[tuple[int, int]]) -> int:
    """Return how long at least one of the spans lasts; they come in the order in which they begin."""
    total = until = 0
    for begin, end in spans:
        if end > until:
            total += end - max(begin, until)
            until = end
    return total


def _depths(records: list[Record]) -> tuple[tuple[int, int], ...]:
    """Return a queue's length over time: as it was recorded, and otherwise counted."""
    points: list[tuple[int, int]] = []
    depth = 0
    for record in records:
        if record.kind not in _MOVING or not record.result:
            continue
        depth += 1 if record.kind in _IN else -1
        if record.kind in {Kind.PUT, Kind.GET} and record.value >= 0:
            depth = record.value
        length = max(0, depth)  # a get may be noted just before the put that it got
        if points and points[-1][0] == record.ended:
            points[-1] = (record.ended, length)
        elif not points or points[-1][1] != length:
            points.append((record.ended, length))
    return tuple(points)


def _queue_use(
    thing: int,
    records: list[Record],
    waits: list[Wait],
    depths: tuple[tuple[int, int], ...],
    end: int,
) -> QueueUse:
    moved = [record for record in records if record.kind in _MOVING and record.result]
    put = [record for record in moved if record.kind in _IN]
    sent = [record.value for record in put if record.kind == Kind.SEND and record.value >= 0]
    return QueueUse(
        thing,
        put=len(put),
        got=len(moved) - len(put),
        deepest=max((depth for _, depth in depths), default=-1),
        average_depth=_average(depths, end),
        starved=sum(wait.ended - wait.began for wait in waits if wait.kind in _OUT),
        held_up=sum(wait.ended - wait.began for wait in waits if wait.kind in _IN),
        latency=_latency(moved),
        sent_bytes=sum(sent) if sent else -1,
    )


def _average(depths: tuple[tuple[int, int], ...], end: int) -> float:
    if not depths or end <= depths[0][0]:
        return float(depths[-1][1]) if depths else -1.0
    ends = [moment for moment, _ in depths[1:]] + [end]
    area = sum(
        depth * (until - moment) for (moment, depth), until in zip(depths, ends, strict=True)
    )
    return area / (end - depths[0][0])


def _latency(moved: list[Record]) -> int:
    put = {record.extra: record.ended for record in moved if record.kind in _IN}
    took = sorted(
        max(0, record.ended - put[record.extra])
        for record in moved
        if record.kind in _OUT and record.extra >= 0 and record.extra in put
    )
    return took[len(took) // 2] if took else -1

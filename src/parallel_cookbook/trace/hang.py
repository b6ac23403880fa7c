"""Who waits for whom, in a run that does not go on: across threads and processes.

A wait can be ended by certain tasks: for a lock, by its holder; for a join, by the task that is joined; for
an item, a notify, a barrier, by whoever may still do that. A set of tasks that all wait without a time-out,
and each for tasks of the set alone, never goes on: that set is the deadlock. It is found by taking away,
again and again, every task that somebody outside of the set could still help.

Only a holder and a joined task are certain. Anybody who lives might yet put an item or set an event, so who
waits for that is in a deadlock only if nobody is left outside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parallel_cookbook.trace.contention import EXCLUSIVE
from parallel_cookbook.trace.helpers import SERVANT
from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.states import is_worker
from parallel_cookbook.trace.waits import PASSIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parallel_cookbook.trace.contention import Contention, Hold
    from parallel_cookbook.trace.recording import Record, Recording
    from parallel_cookbook.trace.waits import Wait


@dataclass(frozen=True, slots=True)
class Stuck:
    """A living task that waits when the recording ends."""

    task: int
    wait: Wait
    waits_for: tuple[int, ...]
    """Living tasks that can end its wait, as far as it is known who."""
    is_certain: bool
    """Nobody but these can end it."""
    holds: tuple[Hold, ...] = ()
    """What it holds meanwhile."""
    held_by: tuple[Hold, ...] = ()
    """By whom what it waits for is held, dead ones too."""
    dead: tuple[int, ...] = ()
    """Tasks that would have ended its wait, and have ended, or were killed, without it."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Who waits for whom when the recording ends."""

    stuck: tuple[Stuck, ...]
    doomed: frozenset[int]
    """The deadlock: tasks that can never go on."""
    cycle: tuple[int, ...]
    """Some of these: each waits for the next, the last for the first; one alone for itself; () if none."""
    going_on: tuple[int, ...]
    """Living tasks that are not doomed; without servants of queues and pools, and idle workers."""

    @property
    def is_standstill(self) -> bool:
        """Whether nobody is left who could go on."""
        return bool(self.doomed) and not self.going_on

    def of(self, task: int) -> Stuck | None:
        """Return what is known of a stuck task."""
        return next((stuck for stuck in self.stuck if stuck.task == task), None)


def hang_of(recording: Recording, waits: Sequence[Sequence[Wait]], contention: Contention) -> Hang:
    """Return who waits for whom. waits: what `waits_of` returns; contention: `contention_of`.

    The recording may be of a program that still runs, or of one that was ended while it hung.
    """
    living = [task.index for task in recording.tasks if lives(recording, task.index)]
    lookup = _Lookup(recording, contention, frozenset(living))
    stuck = tuple(
        lookup.stuck(own[-1])
        for task in living
        if (own := waits[task]) and own[-1].is_open and own[-1].kind != Kind.SLEEP
    )
    helpers = {task.index for task in recording.tasks if task.is_helper}
    servants = {task for task in living if SERVANT.search(recording.tasks[task].name)} & helpers
    feeders = {task for task in living if is_feeder(recording, task)}
    doomed = _doomed(stuck, set(living) - servants, helpers, feeders)
    idle = servants | lookup.idle_workers({one.task for one in stuck})
    return Hang(
        stuck,
        doomed,
        _cycle([one for one in stuck if one.task in doomed]),
        tuple(task for task in living if task not in doomed | idle),
    )


def lives(recording: Recording, task: int) -> bool:
    """Whether a task has not ended, nor its process."""
    traced = recording.tasks[task]
    return traced.ended < 0 and recording.processes[traced.process].ended < 0


def is_feeder(recording: Recording, task: int) -> bool:
    """Whether it is the thread that writes a process queue's items into its pipe."""
    traced = recording.tasks[task]
    return traced.is_helper and traced.name.startswith("QueueFeederThread")


def _doomed(
    stuck: tuple[Stuck, ...], living: set[int], helpers: set[int], feeders: set[int]
) -> frozenset[int]:
    """Return the greatest set of tasks that wait without a time-out for none but each other.

    A helper of the library, and a pool's worker without work, is nobody's hope by itself: it does what a task
    of the program asks it to. A feeder that somebody waits for has not ended because its pipe is full: so it
    is no hope either, if nobody is left who could take something out.
    """
    doomed = {
        one.task
        for one in stuck
        # What waits for several things at once, or for what is not recorded, may be helped from outside.
        if one.wait.is_endless and (one.wait.thing >= 0 or one.wait.kind == Kind.JOIN)
    }
    while True:
        anybody = bool(living - doomed)
        freed = {
            one.task
            for one in stuck
            if one.task in doomed
            and (
                any(task not in doomed | feeders for task in one.waits_for)
                or (anybody and not (one.is_certain and not feeders & set(one.waits_for)))
            )
        }
        if not freed:
            break
        doomed -= freed
    if doomed <= helpers:
        return frozenset()
    return frozenset(doomed)


def _cycle(stuck: Iterable[Stuck]) -> tuple[int, ...]:
    """Return the shortest cycle of who waits for whom, or ()."""
    edges = {
        one.task: one.waits_for for one in stuck if one.is_certain or one.wait.kind in _TELLING
    }
    best: tuple[int, ...] = ()
    for start in sorted(edges):
        found = _way_back(edges, start)
        if found and (not best or len(found) < len(best)):
            best = found
    return best


def _way_back(edges: dict[int, tuple[int, ...]], start: int) -> tuple[int, ...]:
    """Return the shortest way from a task back to itself."""
    ways: dict[int, tuple[int, ...]] = {start: (start,)}
    front = [start]
    while front:
        behind = []
        for task in front:
            for other in edges.get(task, ()):
                if other == start:
                    return ways[task]
                if other in edges and other not in ways:
                    ways[other] = (*ways[task], other)
                    behind.append(other)
        front = behind
    return ()


_TELLING = frozenset({Kind.ACQUIRE, Kind.PUT, Kind.SEND})
"""Who waits for a lock is told with its holder; who waits for room, with those that take something out, and
that may wait for room, too. Who waits for a notify or an item tells more by what nobody does."""
_HELPS: dict[Kind, frozenset[Kind]] = {
    Kind.WAIT: frozenset({Kind.NOTIFY, Kind.SET}),
    Kind.GET: frozenset({Kind.PUT}),
    Kind.PUT: frozenset({Kind.GET}),
    Kind.RECEIVE: frozenset({Kind.SEND}),
    Kind.SEND: frozenset({Kind.RECEIVE, Kind.GET}),
    Kind.QUEUE_JOIN: frozenset({Kind.TASK_DONE, Kind.GET}),
    Kind.BARRIER: frozenset({Kind.BARRIER}),
}
"""Who has done this at the thing before, requests too, is expected to do it again."""


class _Lookup:
    """Finds out who can end a wait."""

    def __init__(
        self, recording: Recording, contention: Contention, living: frozenset[int]
    ) -> None:
        self._recording = recording
        self._contention = contention
        self._living = living
        self._did: dict[int, dict[Kind, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
        self._works: dict[tuple[int, int], Record] = {}
        """The pieces of work that were begun and not done."""
        self._has_worked: Counter[int] = Counter()
        for record in recording.records:
            if record.thing >= 0 and not (record.is_request and record.kind == Kind.ACQUIRE):
                self._did[record.thing][record.kind][record.task] += 1
            if record.kind == Kind.WORK:
                self._has_worked[record.task] += 1
                if record.is_request:
                    self._works[record.thing, record.extra] = record
                else:
                    self._works.pop((record.thing, record.extra), None)
        self._holds = [
            hold for holds in contention.holds.values() for hold in holds if hold.is_open
        ]

    def idle_workers(self, waiting: set[int]) -> set[int]:
        """Return the workers of pools that have no work. waiting: who waits for something recorded."""
        at_work = {record.task for record in self._works.values()}
        return {
            task
            for task in self._living
            if (self._has_worked[task] or is_worker(self._recording.tasks[task]))
            and task not in at_work | waiting
        }

    def stuck(self, wait: Wait) -> Stuck:
        """Return what is known of who waits."""
        holds = tuple(hold for hold in self._holds if hold.task == wait.task)
        if wait.kind == Kind.ACQUIRE:
            return self._at_lock(wait, holds)
        if wait.kind == Kind.JOIN:
            return self._at_join(wait, holds)
        if wait.kind == Kind.RESULT:
            return self._at_result(wait, holds)
        helps = _HELPS.get(wait.kind, frozenset())
        did = self._did.get(wait.thing, {})
        known = {task for kind in helps for task in did.get(kind, ())} - {wait.task}
        if wait.kind == Kind.BARRIER:
            known -= self._waiting_at(wait.thing)
        return Stuck(
            wait.task,
            wait,
            tuple(sorted(known & self._living)),
            is_certain=False,
            holds=holds,
            dead=tuple(sorted(known - self._living)),
        )

    def _at_lock(self, wait: Wait, holds: tuple[Hold, ...]) -> Stuck:
        held_by = tuple(hold for hold in self._holds if hold.thing == wait.thing)
        tasks = {hold.task for hold in held_by}
        # A Lock may be a signal that anybody gives: it was given back by another than its holder, or
        # its holder asks for it again.
        kind = self._recording.things[wait.thing].kind
        is_signal = self._is_signal(wait.thing) or (kind == "lock" and wait.task in tasks)
        return Stuck(
            wait.task,
            wait,
            tuple(sorted(tasks & self._living)),
            is_certain=kind in EXCLUSIVE and bool(tasks) and not is_signal,
            holds=holds,
            held_by=held_by,
            dead=tuple(sorted(tasks - self._living)),
        )

    def _is_signal(self, thing: int) -> bool:
        did = self._did.get(thing, {})
        acquired, released = did.get(Kind.ACQUIRE, Counter()), did.get(Kind.RELEASE, Counter())
        return any(number > acquired[task] for task, number in released.items())

    def _at_join(self, wait: Wait, holds: tuple[Hold, ...]) -> Stuck:
        if not 0 <= wait.value < len(self._recording.tasks):
            return Stuck(wait.task, wait, (), is_certain=False, holds=holds)
        joined = self._recording.tasks[wait.value]
        waits_for = {wait.value} & self._living
        if not waits_for and joined.is_main:  # it has come to its end, and its process has not
            waits_for = {
                task.index
                for task in self._recording.tasks
                if task.process == joined.process and task.index in self._living
            }
        return Stuck(
            wait.task,
            wait,
            tuple(sorted(waits_for)),
            is_certain=True,
            holds=holds,
            dead=() if waits_for else (wait.value,),
        )

    def _at_result(self, wait: Wait, holds: tuple[Hold, ...]) -> Stuck:
        begun = self._works.get((wait.thing, wait.extra))
        at_work = {record.task for (thing, _), record in self._works.items() if thing == wait.thing}
        workers = {begun.task} if begun else at_work
        return Stuck(
            wait.task,
            wait,
            tuple(sorted(workers & self._living)),
            is_certain=bool(begun),
            holds=holds,
            dead=tuple(sorted(workers - self._living)),
        )

    def _waiting_at(self, thing: int) -> set[int]:
        """Return who has arrived at a barrier and waits there: the last thing they did was to ask."""
        last: dict[int, Record] = {}
        for record in self._recording.records:
            if record.kind not in PASSIVE:
                last[record.task] = record
        return {
            task
            for task, record in last.items()
            if record.kind == Kind.BARRIER and record.thing == thing and record.is_request
        }

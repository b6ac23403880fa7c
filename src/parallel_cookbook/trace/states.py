"""What each task did at every moment of its life: ran, waited for the GIL, was blocked, slept, was idle.

The records tell where a task waited. What lies between is told apart by samples of its thread's CPU time, if
there are any. Between two samples of a task, of the time in which it waited for nothing that we record:

- the CPU time of its thread is running;
- the time that the system kept it from a processor, where the system says so, is ready;
- of the rest, as much as other threads of its process ran meanwhile is waiting for the GIL: it cannot be
  more,
  because somebody else must have had the GIL;
- what then is left is unknown: a file, a socket, a device, a lock inside of C code.

A task that did nothing at all since it was looked at last has no new sample. So, if the process' threads were
looked at between two samples of a task, it did nothing until the last of these looks, not even wait for the
GIL, for which it would have woken up now and then; nor after its last sample, but for a moment.

The order of these within two samples is not known. They are placed in the order GIL, ready, unknown, running,
as after a wake-up. Where there are no samples, all of it counts as running.
"""

from __future__ import annotations

import enum
import functools
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from parallel_cookbook.trace.helpers import WORKER
from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.waits import Wait, life_of, waits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from parallel_cookbook.trace.recording import Recording, TracedTask


class State(enum.StrEnum):
    """What a task is doing; the words are those of `timeline.State`."""

    RUNNING = "running"
    GIL = "gil"
    READY = "ready"
    BLOCKED = "blocked"
    SLEEPING = "sleeping"
    IDLE = "idle"
    """It waits for work, as a pool's worker or a helper of the library does."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A task is in one state from `begin` to `end`, nanoseconds; `end` is later than `begin`."""

    begin: int
    end: int
    state: State
    wait: Wait | None = None
    """What it waits for, if it is blocked, sleeps or is idle."""


_SOON_SEEN = 30_000_000
"""Nanoseconds within which a thread that runs is seen by the sampler, three of its intervals."""


@dataclass(frozen=True, slots=True)
class _Sample:
    moment: int
    cpu: int
    delay: int
    """-1: unknown."""
    is_inactive: bool = False
    """Since the sample before, the task did nothing."""


def states_of(
    recording: Recording, waits: Sequence[Sequence[Wait]] | None = None
) -> tuple[tuple[Stretch, ...], ...]:
    """Return each task's stretches, by its index: without a gap from its begin to its end.

    waits: what `waits_of` returns, if it is at hand.
    """
    waits = waits_of(recording) if waits is None else waits
    works = _works(recording)
    samples = _samples(recording)
    looks = _looks(recording, samples)
    samples = [
        _with_inactivity(own, looks[traced.process])
        for traced, own in zip(recording.tasks, samples, strict=True)
    ]
    used = _CpuOfProcesses(recording, samples)
    result = []
    for traced in recording.tasks:
        task = traced.index
        life = life_of(recording, task)
        blocked = [
            Stretch(wait.began, wait.ended, _state(wait, works[task], traced.is_helper), wait)
            for wait in waits[task]
            if wait.ended > wait.began
        ]
        split = _split(
            samples[task],
            life[1],
            functools.partial(used.between, traced.process),
        )
        if works[task] or is_worker(traced):
            idle = _with_idleness(life, blocked, works[task])
            blocked = sorted(idle, key=lambda stretch: stretch.begin)
        pieces = [*_spent(_gaps(life, blocked), split), *blocked]
        if traced.is_helper:
            pieces = [_idle_if_unknown(piece) for piece in pieces]
        result.append(tuple(_merged(sorted(pieces, key=lambda piece: piece.begin))))
    return tuple(result)


def is_worker(traced: TracedTask) -> bool:
    """Whether it is a worker of a pool or an executor, by its name, whether it has done any work or not."""
    return WORKER.search(traced.name) is not None


def has_samples(recording: Recording) -> bool:
    """Whether running and waiting for the GIL could be told apart."""
    return any(record.kind == Kind.SAMPLE and record.value >= 0 for record in recording.records)


def _state(wait: Wait, works: list[tuple[int, int]], is_helper: bool) -> State:
    if wait.kind == Kind.SLEEP:
        return State.SLEEPING
    if is_helper and wait.kind in {Kind.GET, Kind.WAIT, Kind.ACQUIRE, Kind.RECEIVE, Kind.SLEEP}:
        return State.IDLE
    if works:
        place = bisect_right(works, (wait.began, wait.ended)) - 1
        is_at_work = place >= 0 and wait.began < works[place][1]
        if not is_at_work and wait.kind in {Kind.GET, Kind.RECEIVE, Kind.ACQUIRE, Kind.WAIT}:
            return State.IDLE
    return State.BLOCKED


def _idle_if_unknown(stretch: Stretch) -> Stretch:
    """Return a helper's stretch: what it waits for is work, even if nothing of it was recorded."""
    return replace(stretch, state=State.IDLE) if stretch.state is State.UNKNOWN else stretch


def _with_idleness(
    life: tuple[int, int], blocked: list[Stretch], works: list[tuple[int, int]]
) -> Iterator[Stretch]:
    """Yield what a worker waited for, and its idleness: what is between, outside of its pieces of work."""
    yield from blocked
    for begin, end in _gaps(life, blocked):
        moment = begin
        place = max(bisect_right(works, (begin, begin)) - 1, 0)
        for work_begin, work_end in works[place:]:
            if work_begin >= end:
                break
            if work_begin > moment:
                yield Stretch(moment, work_begin, State.IDLE)
            moment = max(moment, work_end)
        if moment < end:
            yield Stretch(moment, end, State.IDLE)


def _works(recording: Recording) -> list[list[tuple[int, int]]]:
    """Return, by task, when it did pieces of a pool's work."""
    works: list[list[tuple[int, int]]] = [[] for _ in recording.tasks]
    open_: dict[int, int] = {}
    for record in recording.records:
        if record.kind == Kind.WORK:
            if record.is_request:
                open_[record.task] = record.began
            else:
                open_.pop(record.task, None)
                works[record.task].append((record.began, record.ended))
    for task, began in open_.items():
        works[task].append((began, life_of(recording, task)[1]))
    return [sorted(spans) for spans in works]


def _samples(recording: Recording) -> list[list[_Sample]]:
    samples: list[list[_Sample]] = [[] for _ in recording.tasks]
    for traced in recording.tasks:
        if not traced.is_main:  # a main thread has used CPU time before the program began
            samples[traced.index].append(_Sample(traced.began, 0, 0))
    for record in recording.records:
        if record.kind == Kind.SAMPLE and record.value >= 0:
            own = samples[record.task]
            if not own or record.ended > own[-1].moment:
                own.append(_Sample(record.ended, record.value, record.extra))
    return samples


class _CpuOfProcesses:
    """How much CPU time the sampled threads of a process used, by linear interpolation."""

    def __init__(self, recording: Recording, samples: list[list[_Sample]]) -> None:
        self._moments: list[list[int]] = []
        self._totals: list[list[float]] = []
        for process in recording.processes:
            changes: dict[int, float] = {}
            for traced in recording.tasks:
                if traced.process != process.index:
                    continue
                for before, after in _pairs(samples[traced.index]):
                    slope = (after.cpu - before.cpu) / (after.moment - before.moment)
                    changes[before.moment] = changes.get(before.moment, 0.0) + slope
                    changes[after.moment] = changes.get(after.moment, 0.0) - slope
            moments = sorted(changes)
            slopes = list(accumulate(changes[moment] for moment in moments))
            steps = (
                slope * (after - before)
                for slope, before, after in zip(slopes, moments, moments[1:], strict=False)
            )
            self._moments.append(moments)
            self._totals.append([0.0, *accumulate(steps)] if moments else [])

    def between(self, process: int, begin: int, end: int) -> int:
        """Return nanoseconds."""
        return round(self._until(process, end) - self._until(process, begin))

    def _until(self, process: int, moment: int) -> float:
        moments, totals = self._moments[process], self._totals[process]
        place = bisect_left(moments, moment)
        if place == len(moments):
            return totals[-1] if totals else 0.0
        if moments[place] == moment or place == 0:
            return totals[place]
        part = (moment - moments[place - 1]) / (moments[place] - moments[place - 1])
        return totals[place - 1] + part * (totals[place] - totals[place - 1])


@dataclass(slots=True)
class _Budget:
    """How much of what is between two samples of a task; `free` is asked for when the waits are known."""

    begin: int
    end: int
    cpu: int
    delay: int
    others: int

    def parts(self, free: int) -> list[tuple[State, int]]:
        running = min(max(self.cpu, 0), free)
        missing = free - running
        ready = min(max(self.delay, 0), missing)
        gil = min(max(self.others, 0), missing - ready)
        unknown = missing - ready - gil
        return [
            (State.GIL, gil),
            (State.READY, ready),
            (State.UNKNOWN, unknown),
            (State.RUNNING, running),
        ]


def _looks(recording: Recording, samples: list[list[_Sample]]) -> list[list[int]]:
    """Return, by process, when its threads were looked at: not when one of them began."""
    looks: list[set[int]] = [set() for _ in recording.processes]
    for traced in recording.tasks:
        own = samples[traced.index]
        seen = own if traced.is_main else own[1:]
        looks[traced.process].update(sample.moment for sample in seen)
    return [sorted(moments) for moments in looks]


def _with_inactivity(samples: list[_Sample], looks: list[int]) -> list[_Sample]:
    """Return the samples and, where a task was looked at and had done nothing, one more that says so."""
    told = samples[:1]
    for before, after in _pairs(samples):
        place = bisect_left(looks, after.moment) - 1
        last_look = looks[place] if place >= 0 else before.moment
        if last_look > before.moment:
            told.append(replace(before, moment=last_look, is_inactive=True))
        told.append(after)
    return told


def _split(samples: list[_Sample], end: int, used: Callable[[int, int], int]) -> list[_Budget]:
    """Return what is known of the time between samples, and after the last of them until `end`."""
    budgets = []
    for before, after in _pairs(samples):
        cpu = after.cpu - before.cpu
        known = before.delay >= 0 and after.delay >= 0
        delay = after.delay - before.delay if known else 0
        others = 0 if after.is_inactive else used(before.moment, after.moment) - cpu
        budgets.append(_Budget(before.moment, after.moment, cpu, delay, others))
    if len(samples) > 1 and end - samples[-1].moment > _SOON_SEEN:
        budgets.append(_Budget(samples[-1].moment, end - _SOON_SEEN, 0, 0, 0))
    return budgets


def _pairs(samples: list[_Sample]) -> Iterator[tuple[_Sample, _Sample]]:
    return pairwise(samples)


def _gaps(life: tuple[int, int], blocked: list[Stretch]) -> list[tuple[int, int]]:
    gaps = []
    moment = life[0]
    for stretch in blocked:
        if stretch.begin > moment:
            gaps.append((moment, stretch.begin))
        moment = stretch.end
    if life[1] > moment:
        gaps.append((moment, life[1]))
    return gaps


def _spent(free: list[tuple[int, int]], budgets: list[_Budget]) -> Iterator[Stretch]:
    """Yield the free pieces, divided as the budgets say; outside of these a task runs."""
    position = 0
    for budget in budgets:
        inside: list[tuple[int, int]] = []
        while position < len(free) and free[position][0] < budget.end:
            begin, end = free[position]
            if begin < budget.begin:
                yield Stretch(begin, min(end, budget.begin), State.RUNNING)
                begin = min(end, budget.begin)
            if begin < end:
                inside.append((begin, min(end, budget.end)))
            if end > budget.end:
                free[position] = (budget.end, end)
                break
            position += 1
        yield from _dealt(inside, budget.parts(sum(end - begin for begin, end in inside)))
    for begin, end in free[position:]:
        yield Stretch(begin, end, State.RUNNING)


def _dealt(pieces: list[tuple[int, int]], parts: list[tuple[State, int]]) -> Iterator[Stretch]:
    """Yield the pieces, filled with the parts in their order; both have the same length."""
    left = [part for part in parts if part[1]]
    for piece_begin, end in pieces:
        begin = piece_begin
        while begin < end:
            state, length = left[0]
            taken = min(length, end - begin)
            yield Stretch(begin, begin + taken, state)
            begin += taken
            left[:1] = [(state, length - taken)] if length > taken else []


def _merged(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield them with neighbours that say the same made one."""
    last: Stretch | None = None
    for stretch in stretches:
        if last and last.state == stretch.state and last.wait is stretch.wait is None:
            last = Stretch(last.begin, stretch.end, last.state)
            continue
        if last:
            yield last
        last = stretch
    if last:
        yield last

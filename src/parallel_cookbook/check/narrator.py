"""A chooser that passes on another's choices, and writes down what follows from them."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from parallel_cookbook.check.across import (
    feeder_of,
    forked_tasks,
    undelivered,
)
from parallel_cookbook.check.copies import Copies
from parallel_cookbook.check.describe import Describer
from parallel_cookbook.check.holds import Holds, RawHold
from parallel_cookbook.check.spots import Spot, SpotFinder
from parallel_cookbook.events import Blocked, Event, Interleaving, Uncaught
from parallel_cookbook.kernel import Ending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.check.execution import Machine
    from parallel_cookbook.check.memory import Place
    from parallel_cookbook.kernel import Chooser, Kernel, Operation, Task

_ACCESSES = frozenset({"load", "store", "look at", "change"})
_DEATHS = frozenset({"killed", "die"})
"""Kinds of steps that end a process from outside: by a fault, by a signal."""


@dataclass(slots=True)
class _Record:
    """An event that is being told."""

    task: int
    kind: str
    spot: Spot
    could_go_on: frozenset[int]
    is_point: bool = False
    is_preemption: bool = False
    site: int = -1
    places: list[int] = field(default_factory=list)
    is_write: bool = False
    value: str = ""
    details: list[str] = field(default_factory=list)
    is_told: bool = False
    held: tuple[RawHold, ...] = ()


class Narrator:
    """Follows a chooser through one execution of `machine`, and tells its story."""

    def __init__(self, machine: Machine, chooser: Chooser) -> None:
        self._machine = machine
        self._chooser = chooser
        self._records: list[_Record] = []
        self._spots: dict[int, Spot] = {}
        """For each task, where its next operation stands."""
        self._describer = Describer(machine.program.module_of_file.__contains__)
        self._places: dict[int, int] = {}
        """For each place in memory, by its id: its number."""
        self._kept: list[object] = []
        """Places and locks, which keeps their ids their own."""
        self._holds = Holds()
        self._finder = SpotFinder(machine, self._holds, self._describe)
        self.copies = Copies(machine.kernel, machine.sites, machine.program.module_of_file)
        """What proxies have given out."""
        self._is_telling = False

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Be told of everything that happens in the machine."""
        kernel, memory = self._machine.kernel, self._machine.memory
        on_answer, kernel.on_answer = kernel.on_answer, self.copies.answered
        kernel.on_point, kernel.on_settle = self._arrive, self._settle
        kernel.on_expiry, memory.on_access = self._fail, self._access
        try:
            yield
        finally:
            kernel.on_point = kernel.on_settle = kernel.on_expiry = memory.on_access = None
            kernel.on_answer = on_answer

    def choose(self, kernel: Kernel) -> Task | None:
        """Pass on the choice, and note it down."""
        self._note_holds()
        task = self._chooser.choose(kernel)
        if task is None or task.operation is None:
            return task
        before = kernel.running
        is_preemption = (
            task is not before
            and before.operation is not None
            and before.operation.kind != "end"
            and before.operation.is_enabled()
        )
        record = self._add(*self._who_does(task), task.operation)
        record.is_point = True
        record.is_preemption = is_preemption
        return task

    # --- what is told ---------------------------------------------------------------------------

    def tell(self, site: int, verb: str, value: object) -> None:
        """Add to the last access what was read or written."""
        kernel = self._machine.kernel
        if not self._records or kernel.is_unwinding or self._is_telling:
            return
        record = self._records[-1]
        if record.task != kernel.running.index or record.site != site or record.is_told:
            return
        record.is_told = True
        subject = record.spot.subject
        if verb.startswith("method"):  # its name is part of the subject: "jobs.pop"
            subject = subject.rpartition(".")[0] or subject
            verb = "leaves" if record.is_write and verb == "method" else "sees"
        record.value = self._describe(value)
        if verb == "misses":
            record.details.append(f"finds no {subject}")
        elif subject.replace(".", "").isidentifier() or verb in {"reads", "writes"}:
            record.details.append(f"{verb} {subject} = {record.value}")
        else:  # an operation on containers, whose subject is all of it
            record.details.append(f"{verb} {record.value}")

    def _describe(self, value: object) -> str:
        kernel, was_alone = self._machine.kernel, self._machine.kernel.is_alone
        kernel.is_alone = self._is_telling = True  # what a __repr__ reads is no part of the story
        try:
            return self._describer.describe(value)
        finally:
            kernel.is_alone = was_alone
            self._is_telling = False

    def _access(self, place: Place, site: int, is_write: bool) -> None:
        if self._is_telling:
            return
        task = self._machine.kernel.running
        last = self._records[-1] if self._records else None
        if (
            last is None
            or last.task != task.index
            or last.kind not in _ACCESSES
            or last.is_told
            or last.site not in {-1, site}
            or (last.site == -1 and (last.spot.obj is not None or last.places))
        ):
            self._note_holds()
            kind = "store" if is_write else "load"
            last = _Record(task.index, kind, Spot(), self._could_go_on(task))
            self._records.append(last)
        if last.site != site:
            last.site = site
            last.spot = self._finder.spot_of_site(site)
        key = self._places.get(id(place))
        if key is None:
            key = self._places[id(place)] = len(self._places)
            self._kept.append(place)
        last.places.append(key)
        last.is_write |= is_write

    def _fail(self, operation: Operation) -> None:
        """Note that the last step was in vain: a time-out, a try that failed."""
        task = self._machine.kernel.running
        for record in reversed(self._records):
            if record.task == task.index:
                is_timed = getattr(operation, "duration_ns", 0)
                record.details.append("times out" if is_timed else "fails")
                return

    def _arrive(self, task: Task, operation: Operation) -> None:
        """Note down where in the source a task's next operation stands."""
        self._spots[task.index] = self._finder.spot(sys._getframe().f_back, operation)  # noqa: SLF001

    def _settle(self, task: Task, operation: Operation) -> None:
        """Note down a step that was no choice."""
        self._note_holds()
        self._add(task, self._finder.spot(sys._getframe().f_back, operation), operation)  # noqa: SLF001

    def _who_does(self, task: Task) -> tuple[Task, Spot]:
        """Return who takes a step and where; that a process dies is told of its main task, where it is."""
        operation = task.operation
        assert operation is not None  # noqa: S101 - it was chosen
        if operation.kind in _DEATHS:
            tasks = self._machine.kernel.tasks
            victim = next(one.group.main for one in tasks if one.group.life is operation.target)
            assert victim is not None  # noqa: S101 - each group begins with one
            here = self._spots.get(victim.index, Spot())
            source = here.source or "(at its beginning or end)"
            return victim, replace(
                here,
                source=source,
                obj=None,
                detail="killed here",
                begin=None,
                tell=None,
                is_inner=False,
            )
        return task, self._spots.get(task.index, Spot())

    def _add(self, task: Task, spot: Spot, operation: Operation) -> _Record:
        if operation.kind == "begin":
            spot = Spot(subject=task.name)
        if spot.begin is not None:
            spot.begin()
        told = replace(spot, source="") if spot.is_inner else spot
        record = _Record(task.index, operation.kind, told, self._could_go_on(task))
        if operation.target.kind.startswith("cell "):
            record.places = [
                self._number_of(target) for target, _, _ in operation.parts() if target.is_variable
            ]
            record.is_write = bool(operation.mode)
        detail = spot.detail or self._detail(task, operation)
        if detail:
            record.details.append(detail)
        self._records.append(record)
        self._holds.step(task.index, record.kind, spot.obj, spot.line)
        return record

    def _number_of(self, place: object) -> int:
        """Return the number of a place in memory."""
        self._kept.append(place)
        return self._places.setdefault(id(place), len(self._places))

    def _detail(self, me: Task, operation: Operation) -> str:
        """Say what a step does to others, where its line does not say it."""
        tickets = {target for target, _, _ in operation.parts() if target.kind == "waiter"}
        if operation.kind == "notify":
            woken = [
                task.name
                for task in self._machine.kernel.tasks
                if task is not me
                and task.operation is not None
                and any(target in tickets for target, _, _ in task.operation.parts())
            ]
            return f"wakes {', '.join(woken)}" if woken else "wakes nobody"
        return "wakes up" if tickets and operation.kind == "acquire" else ""

    def _could_go_on(self, task: Task) -> frozenset[int]:
        return frozenset(
            other.index
            for other in self._machine.kernel.tasks
            if other is not task
            and (operation := other.operation) is not None
            and operation.kind not in {"begin", "end", "exit"}
            and operation.is_enabled()
        )

    def _note_holds(self) -> None:
        """See what the last step has changed."""
        if self._records:
            last = self._records[-1]
            if last.spot.tell is not None and not last.is_told:
                last.is_told = True
                last.details += filter(None, [last.spot.tell()])
                last.value = last.details[-1].rpartition(" = ")[2] if last.places else ""
            last.held = self._holds.look(last.spot.line)

    # --- the story ------------------------------------------------------------------------------

    def story(self, ending: Ending) -> Interleaving:
        """Return all of it."""
        self._note_holds()
        held = self._records[-1].held if self._records else ()
        labels = self._finder.namer.labels()
        records = self._interesting()
        kernel = self._machine.kernel
        events = tuple(
            Event(
                step=step,
                task=record.task,
                kind=record.kind,
                subject=record.spot.subject,
                file=record.spot.file,
                line=record.spot.line,
                detail="; ".join(record.details),
                is_preemption=record.is_preemption,
                label=self._holds.label(record.spot.obj, record.spot.subject, labels),
                source=record.spot.source,
                places=tuple(record.places),
                is_write=record.is_write,
                value=record.value,
                is_test=record.spot.is_test,
                could_go_on=record.could_go_on,
                held=self._holds.told(record.held, labels),
            )
            for step, record in enumerate(records)
        )
        is_stuck = ending is Ending.DEADLOCK
        return Interleaving(
            tuple(task.name for task in kernel.tasks),
            events,
            tuple(self._blocked(labels)) if is_stuck else (),
            self._holds.told(held, labels),
            frozenset(task.index for task in kernel.tasks if task.done.state == _ENDED),
            {
                file: source.text
                for file, source in self._finder.sources.items()
                if source is not None
            },
            tuple(
                undelivered(self._finder.views.values(), lambda obj: labels.get(id(obj), "a pipe"))
            ),
            frozenset(forked_tasks(kernel)),
            tuple(self.copies.lost()),
            tuple(Uncaught(f.task, f.message, f.location) for f in self._machine.handled),
        )

    def _interesting(self) -> list[_Record]:
        """Leave out accesses to places that only one task uses, or that nobody writes."""
        users: dict[int, set[int]] = {}
        written: set[int] = set()
        for record in self._records:
            for place in record.places:
                users.setdefault(place, set()).add(record.task)
            if record.is_write:
                written.update(record.places)
        shared = {place for place in written if len(users[place]) > 1}
        return [
            record
            for record in self._records
            if record.is_point or not record.places or not shared.isdisjoint(record.places)
        ]

    def _blocked(self, labels: dict[int, str]) -> Iterator[Blocked]:
        for task in self._machine.kernel.tasks:
            operation = task.operation
            if operation is None or operation.is_enabled():
                continue
            if operation.kind in {"exit", "serve"}:  # those who serve wait for the others
                continue
            if task.effect is not None:
                continue  # what might have happened, and does not
            spot = self._spots.get(task.index, Spot())
            yield Blocked(
                task.index,
                _what_for(operation),
                spot.subject,
                spot.file,
                spot.line,
                self._awaited(operation),
                self._holds.label(spot.obj, spot.subject, labels),
                spot.source,
            )

    def _awaited(self, operation: Operation) -> int | None:
        """Return the index of the task that another one waits for, if it is one certain task."""
        kind = _what_for(operation)
        tasks = self._machine.kernel.tasks
        if kind == "join":
            return next((task.index for task in tasks if task.done is operation.target), None)
        if kind == "drain":
            return feeder_of(self._finder.views.values(), operation.target)
        return self._holds.holder(operation.target) if kind == "lock" else None


_ENDED = 2


def _what_for(operation: Operation) -> str:
    """Say what an operation that is blocked waits for."""
    target = operation.target
    if operation.kind in {"acquire", "wake up on", "wait on"}:
        for part, _, _ in operation.parts():
            if part.kind == "waiter" and part.state == 0:
                return "notify"
    kinds = {"lock": "lock", "rlock": "lock", "semaphore": "semaphore", "event": "event"}
    kinds |= {"barrier": "barrier", "unfinished tasks": "tasks", "task": "join"}
    kinds |= {"future": "future", "waiter": "future"}
    return kinds.get(target.kind, operation.kind)

"""Explore a program, and note down what tests compare: outcomes, deadlocks, happens-before classes.

Written apart from the search on purpose: nothing here uses what a strategy notes down.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

from parallel_cookbook.kernel import Ending, Kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel import Operation, Target, Task


class Searching(Protocol):
    """What `explore` needs of a strategy."""

    def choose(self, kernel: Kernel) -> Task | None:
        """Say who runs next."""
        ...

    def next_execution(self) -> bool:
        """Prepare for the next execution; False at the end of the search."""
        ...


class Recorder:
    """Passes a strategy's choices on, and derives the class of each execution.

    Two executions are equivalent if and only if the same events meet each target in the same order, up to
    the order of reads between two writes. So an event's place is the number of writes before it.
    """

    def __init__(self, inner: Searching) -> None:
        self.inner = inner
        self._taken: list[tuple[Task, int, Operation]] = []
        """For each step: the task, its index, what it did."""
        self._names: dict[int, object] = {}

    def reset(self, repeats: int | None = 0) -> None:
        """Prepare for another execution, which begins with so many steps of the last one."""
        del self._taken[repeats:]

    @property
    def schedule(self) -> list[int]:
        """The index of the task, for each step."""
        return [index for _, index, _ in self._taken]

    def choose(self, kernel: Kernel) -> Task | None:
        """Ask the strategy, and note down what it says."""
        task = self.inner.choose(kernel)
        if task is not None:
            operation = task.operation
            assert operation is not None
            assert operation.is_enabled()
            self._taken.append((task, task.index, operation))
        return task

    def events(self, kernel: Kernel) -> list[tuple[Any, ...]]:
        """Return what was done: by whom, as the how-manieth of its steps, and when on each target."""
        writes: dict[Target, int] = {}
        steps: dict[Task, int] = {}
        events = []
        for task, _, operation in self._taken:
            step = steps[task] = steps.get(task, 0) + 1
            places = self._places(kernel, operation, writes)
            events.append((self._name(kernel, task.uid), step, operation.kind, places))
        return events

    def _places(
        self, kernel: Kernel, operation: Operation, writes: dict[Target, int]
    ) -> tuple[tuple[object, str, int], ...]:
        modes: dict[Target, int] = {}
        for target, mode, _ in operation.parts():
            modes[target] = max(modes.get(target, 0), int(mode))
        places = []
        for target, highest in modes.items():
            place = writes.get(target, 0)
            places.append((self._name(kernel, target.uid), target.kind, place))
            if highest:
                writes[target] = place + 1
        return tuple(places)

    def _name(self, kernel: Kernel, uid: int) -> object:
        """Return what names the same thing in another exploration too: who made it, and in which place."""
        if uid <= 0:
            return uid
        if uid not in self._names:
            for (parent, place), child in kernel._uids.items():
                if child not in self._names:
                    self._names[child] = (self._name(kernel, parent), place)
        return self._names[uid]

    def pending(self, kernel: Kernel) -> frozenset[tuple[object, str, object]]:
        """Return who has not gone on, and what each was about to do."""
        return frozenset(
            (
                self._name(kernel, task.uid),
                task.operation.kind,
                self._name(kernel, task.operation.target.uid),
            )
            for task in kernel.tasks
            if task.operation is not None
        )


@dataclasses.dataclass
class Findings:
    """What an exploration saw."""

    executions: int = 0
    """Those that were not cut off."""
    cut: int = 0
    steps: int = 0
    outcomes: set[tuple[object, ...]] = dataclasses.field(default_factory=set)
    """What the program returned, how it ended, and who was blocked on what."""
    classes: dict[int, list[int]] = dataclasses.field(default_factory=dict)
    """The hash of each class, and the schedule of the first of its executions."""
    outcome_of_class: dict[int, object] = dataclasses.field(default_factory=dict)
    repeated: int = 0
    """Executions of a class that had been seen before."""
    deadlocks: int = 0
    is_complete: bool = False
    """Whether the strategy said that there are no more executions."""


def explore(
    program: Callable[[], Callable[[], object]],
    strategy: Searching,
    max_executions: int = 1_000_000,
) -> Findings:
    """Run a program under a strategy until its search ends, or for so many executions.

    program: called once for each execution, outside of it; returns the main function. What it returns has
    an attribute `outcome`, if it has more to say than the main function's end: a function that is called
    after the execution.
    """
    recorder = Recorder(strategy)
    kernel = Kernel(recorder)
    findings = Findings()
    for _ in range(max_executions):
        main = program()
        repeats = getattr(strategy, "repeats", 0)
        recorder.reset(repeats)
        ending = kernel.run(main, repeats)
        findings.steps += len(recorder.schedule)
        if ending is Ending.CUT:
            findings.cut += 1
        else:
            findings.executions += 1
            findings.deadlocks += ending is Ending.DEADLOCK
            identity = hash(frozenset(recorder.events(kernel)))
            outcome: tuple[object, ...] = (
                ending.value,
                getattr(main, "outcome", tuple)(),
                recorder.pending(kernel),
            )
            findings.outcomes.add(outcome)
            if identity in findings.classes:
                findings.repeated += 1
                assert findings.outcome_of_class[identity] == outcome, "one class, two outcomes"
            else:
                findings.classes[identity] = recorder.schedule
                findings.outcome_of_class[identity] = outcome
        if not strategy.next_execution():
            findings.is_complete = True
            break
    for worker in kernel._idle:
        worker.throw()  # a greenlet that waits for its next task would never be collected
    return findings

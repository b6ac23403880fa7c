"""What is known of one execution: its choices, and which event happens before which.

Successive executions of a depth-first search begin with the same choices. What was noted of them need
not be noted again: each note puts what it changes on a *trail*, and `rewind` takes back all that came
after a certain choice. So targets, tasks and whatever else carries notes live on from one execution to
the next, and are found again by the numbers that are the same in both.

Sets of events are ints, bit i for event number i. There are two numberings: a *choice* is an event that a
strategy has chosen; a *position* also counts the steps between, which needed no choice.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.kernel.operation import Mode, Target

if TYPE_CHECKING:
    from collections.abc import Hashable

    from parallel_cookbook.kernel.operation import Operation
    from parallel_cookbook.kernel.task import Task

_NOWHERE: deque[tuple[Any, ...]] = deque(maxlen=0)
"""A trail that nobody will go back."""
_MAX_REWOUND: Final = 2000
"""Longer executions are noted down anew: a trail needs memory in proportion to the square of its length."""


class Record:
    """The notes of the present execution; those of its first steps may be the last one's."""

    def __init__(self) -> None:
        self.choices: list[tuple[int, str]] = []
        """For each choice: the index of the task, and the first letter of what it does."""
        self.operations: list[Operation] = []
        """For each choice: what was done."""
        self.pasts: list[int] = []
        """For each choice: the choices that happen before it, by conflicts, and itself; if asked for."""
        self.keeps_pasts = False
        """Whether a strategy has asked for them."""
        self.can_rewind = False
        """Whether the notes can be taken back."""
        self.trail: list[tuple[Any, ...]] | deque[tuple[Any, ...]] = _NOWHERE
        """What `rewind` restores: objects that have a method `restore`, each with what it needs."""
        self.tasks: dict[int, Task] = {}
        """The tasks of these executions, by uid."""
        self.found: list[Any] = []
        """For those who note: what they have found, in the order in which they found it."""
        self._marks: list[int] = []
        """For each choice: the length of the trail before it."""
        self._end = 0
        """The length of the trail when the execution ended."""
        self._targets: dict[Hashable, Target] = {}

    def forget(self, *, can_rewind: bool) -> None:
        """Begin anew, with nothing known; say whether there is somebody who will want to rewind."""
        self.choices.clear()
        self.operations.clear()
        self.pasts.clear()
        self.found.clear()
        self._marks.clear()
        self.can_rewind = can_rewind
        self.trail = [] if can_rewind else _NOWHERE
        self._targets.clear()
        self.tasks.clear()

    def end(self) -> None:
        """Say that the execution has ended: what its tasks do while they are unwound is no part of it."""
        self._end = len(self.trail)

    def rewind(self, depth: int) -> None:
        """Take back all that was noted from choice number `depth` on."""
        trail = self.trail
        assert isinstance(trail, list)  # noqa: S101 - as `can_rewind` says
        length = self._marks[depth] if depth < len(self._marks) else self._end
        for number in range(len(trail) - 1, length - 1, -1):
            entry = trail[number]
            entry[0].restore(entry)
        del trail[length:]
        del self.choices[depth:]
        del self.operations[depth:]
        del self.pasts[depth:]
        del self._marks[depth:]

    def target(
        self, uid: int, kind: str, state: int, name: str, *, is_variable: bool = False
    ) -> Target:
        """Return the target of this number and kind, in this state: the same in each execution."""
        target = self._targets.get((uid, kind))
        if target is None:
            target = Target(uid, kind, state, name, is_variable=is_variable)
            self._targets[uid, kind] = target
        else:
            target.state = state
            target.name = name
        return target

    def find(self, thing: Any) -> None:  # noqa: ANN401 - whatever carries notes
        """Note that `thing` was found now; to be told from `found` when the steps are repeated."""
        self.found.append(thing)
        self.trail.append((self,))

    def restore(self, _entry: tuple[Any, ...]) -> None:
        """Take back a `find`."""
        self.found.pop()

    def step(self, task: Task, operation: Operation, position: int) -> None:
        """Note that `task` was chosen, and performs its operation as the event `position`."""
        depth = len(self.choices)
        self._marks.append(len(self.trail))
        if position > _MAX_REWOUND:
            self.can_rewind = False
            self.trail = _NOWHERE
        self.choices.append((task.index, operation.kind[0]))
        self.operations.append(operation)
        past = task.past | 1 << depth
        if operation.more:
            for target, mode, _ in operation.parts():
                past |= target.last if mode else target.last_write
            if self.keeps_pasts:
                self.pasts.append(past)
            self._note_parts(task, operation, past, position, depth)
            return
        target = operation.target
        past |= target.last if operation.mode else target.last_write
        if self.keeps_pasts:
            self.pasts.append(past)
        self._note_one(task, operation, past, position, depth)

    def settle(self, task: Task, operation: Operation, position: int) -> None:
        """Note that `task` performs an operation, as the event `position`, that nobody chose.

        For whoever asks for the state of a target without a certain choice, as strategies/dpor.py does,
        it is a part of the last choice.
        """
        depth = len(self.choices) - 1
        past = task.past
        if operation.more:
            for target, mode, _ in operation.parts():
                past |= target.last if mode else target.last_write
            self._note_parts(task, operation, past, position, depth)
        else:
            target = operation.target
            past |= target.last if operation.mode else target.last_write
            self._note_one(task, operation, past, position, depth)

    def _note_one(
        self, task: Task, operation: Operation, past: int, position: int, depth: int
    ) -> None:
        """Note what an event does to its one target."""
        target = operation.target
        last, sync, sync_write = target.last, target.sync, target.sync_write
        positions = task.positions
        last_write, past_before, known_before = target.last_write, task.past, task.sync
        has_history = depth >= 0
        self.trail.append(
            (
                target,
                last,
                last_write,
                sync,
                sync_write,
                has_history,
                task,
                past_before,
                known_before,
            )
        )
        if depth >= 0:
            target.history.append((depth, operation.mode, target.state))
        task.past = past
        known = task.sync | 1 << position
        if operation.mode:
            target.version += 1
            target.last = target.last_write = past
            if not target.is_variable:
                target.sync = target.sync_write = known = known | sync
        else:
            target.last = last | past
            if not target.is_variable:
                known |= sync_write
                target.sync = sync | known
        task.sync = known
        positions.append(position)

    def cause(self, source: Target, target: Target) -> None:
        """Note that all that has come to `source` so far happens before what `target` now becomes."""
        depth = len(self.choices) - 1
        last, last_write, sync, sync_write = (
            target.last,
            target.last_write,
            target.sync,
            target.sync_write,
        )
        self.trail.append((target, last, last_write, sync, sync_write, depth >= 0, None, 0, 0))
        if depth >= 0:
            target.history.append((depth, Mode.WRITE, target.state))
        target.last = target.last_write = last | source.last
        target.sync = target.sync_write = sync | source.sync

    def _note_parts(
        self, task: Task, operation: Operation, past: int, position: int, depth: int
    ) -> None:
        """Note what an event does to its targets, one of several or all of them."""
        trail = self.trail
        trail.append((task, task.past, task.sync, len(task.positions)))
        task.past = past
        known = task.sync | 1 << position
        parts = operation.parts()
        for target, mode, _ in parts:
            if not target.is_variable:
                known |= target.sync if mode else target.sync_write
        for target, mode, _ in parts:
            last, sync = target.last, target.sync
            trail.append(
                (target, last, target.last_write, sync, target.sync_write, depth >= 0, None, 0, 0)
            )
            if depth >= 0:
                target.history.append((depth, mode, target.state))
            if mode:
                target.version += 1
                target.last = last | past
                target.last_write = past
            else:
                target.last = last | past
            if not target.is_variable:
                target.sync = sync | known
                if mode:
                    target.sync_write = known
        task.sync = known
        task.positions.append(position)

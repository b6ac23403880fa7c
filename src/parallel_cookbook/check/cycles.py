"""Executions that come back to where they were: livelocks, and rounds that need not be followed.

When a task begins a turn of a `while` loop, and everything is as it was at an earlier turn, what came
between is a *round*, which can come again for ever. There are two kinds.

- The round is *fair*: each task that could run in it did. Then a fair scheduler may go round it for ever,
  and nobody gets anywhere: a livelock (Musuvathi and Qadeer, "Fair Stateless Model Checking", PLDI 2008).
  Fairness is strong: to have been able to run once in the round is enough. A task that waits for a lock
  which is free now and then must have taken it in the round, or else there is no livelock.
- It is *unfair*: somebody who could run was kept waiting. That is the scheduler's doing and no fault. But
  what comes after it could have come without it, so an exhaustive search need not go on from here,
  provided that it tries every task at each step of the round (see `Dpor.close_round`).

Two states are the same if the program cannot tell them apart: see check/state.py for what lies in memory.
Of its tasks each must either not have moved, or stand at the beginning of a turn of the same loop, with
no step done since; what such a task has in hand follows from its variables. So a round is seen when it
passes through a moment in which all who take part are at the beginning of a turn; others are not seen,
which can cost a verdict (it becomes unknown), and never makes a wrong one.

Time says nothing (see docs/check.md): sleeps do not make a difference, unless the clock is read in the
round. What was printed makes none either: no program can read it.

Cost: for loops that turn thrice with the same plain variables, a look through the program's memory.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.state import IncomparableError, picture
from parallel_cookbook.kernel import Mode, Operation, Target
from parallel_cookbook.kernel.scheduler import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from parallel_cookbook.check.memory import Memory
    from parallel_cookbook.check.program import Program
    from parallel_cookbook.kernel import Kernel, Task

_FIRST_TURN = 2
"""The first turn of a loop at which it is asked whether the program has been here before."""
_MAX_LOOKS = 50
"""How often in one execution."""
_SUSPENDING = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_COMPREHENDED = ".0"
"""The variable of a comprehension that holds its iterator, until Python 3.11. Who is in the midst of one
stands where it was, and so does the iterator, as do those of `for` loops, which are no variables."""
_PLAIN = frozenset({int, float, str, bool, bytes, type(None)})
_Key = tuple[object, ...]


@dataclass(slots=True)
class _Loop:
    """A loop in which a task is, from when it was entered."""

    number: int
    """No other has it, in this execution."""
    frame: FrameType
    turns: int = 0
    variables: set[_Key] = field(default_factory=set)
    """What its plain variables were at the turns so far."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The last beginning of a turn that a task has come to."""

    site: int
    key: _Key
    """The loop, how often those around it have turned, and the plain variables."""
    steps: int
    changes: int


@dataclass(frozen=True, slots=True)
class _Moment:
    """What has to be known of an earlier moment to judge the round since."""

    depth: int
    """How many choices had been made."""
    steps: dict[Task, int]
    versions: dict[Target, int]
    """Of all that a task waited for then."""
    changes: int
    """Of the task that had come to the beginning of a turn."""
    printed: int
    time_ns: int
    counts: tuple[int, ...]
    """Of the unfinished tasks of queues; see `state.Picture`."""


@dataclass(frozen=True, slots=True)
class Round:
    """A round of an execution after which everything is as it was before."""

    first: int
    """The choice that it begins with."""
    length: int
    """How many choices it takes."""
    is_fair: bool
    loops: tuple[tuple[str, int], ...]
    """Who takes part: the name of each task, and the site of its loop."""
    has_printed: bool
    has_slept: bool
    """Whether the clock has gone on, at which nobody has looked."""
    has_grown: bool
    """Whether a queue has more unfinished tasks, for which nobody has waited."""


class Cycles:
    """Watches one execution after the other for rounds."""

    def __init__(self, kernel: Kernel, memory: Memory) -> None:
        self._kernel = kernel
        self._memory = memory
        self.program: Program
        self.on_round: Callable[[Round], None] = lambda _round: None
        """Called in the task that has closed a round."""
        self.count_printed: Callable[[], int] = lambda: 0
        """Returns how much the program has printed."""
        self.has_turning_loops = False
        """Whether a loop has turned so often, in any execution, that a livelock is possible."""
        self._loops: dict[tuple[int, int], _Loop] = {}
        """By task and site."""
        self._entered = 0
        self._heads: dict[Task, _Head] = {}
        self._moments: dict[tuple[object, ...], _Moment] = {}
        self._looks_left = 0
        self._around: dict[int, tuple[int, ...]] = {}

    def begin_execution(self) -> None:
        """Forget the last execution."""
        self._loops.clear()
        self._entered = 0
        self._heads.clear()
        self._moments.clear()
        self._looks_left = _MAX_LOOKS

    def turn(self, site: int, frame: FrameType) -> None:
        """Note that the running task begins a turn of a loop; see whether that closes a round."""
        task = self._kernel.running
        loop = self._loops.get((task.index, site))
        if loop is None or loop.frame is not frame:
            self._entered += 1
            loop = self._loops[task.index, site] = _Loop(self._entered, frame)
        loop.turns += 1
        if self._memory.sites[site].subject != "while" or frame.f_code.co_flags & _SUSPENDING:
            return  # it has, or may have, something in hand that is no variable
        around = [self._loops.get((task.index, other)) for other in self._loops_around(site)]
        turns = tuple(one.turns for one in around if one is not None and one.frame is frame)
        key = (loop.number, turns, _plain_variables(frame))
        self._heads[task] = _Head(site, key, task.steps, task.changes)
        if loop.turns >= _FIRST_TURN and key in loop.variables:
            if any(one.group is not self._kernel.root for one in self._kernel.tasks):
                # The memories of several processes are not compared; that the loops may go on for
                # ever is seen only if they do so in step.
                self.has_turning_loops = True
            elif self._looks_left:
                self._looks_left -= 1
                self._look(task)
        loop.variables.add(key)

    # --- inside ---------------------------------------------------------------------------------

    def _loops_around(self, site: int) -> tuple[int, ...]:
        """Return the loops around a loop, of the same function."""
        found = self._around.get(site)
        if found is None:
            sites = self._memory.sites
            mine = sites[site]
            found = self._around[site] = tuple(
                number
                for number, other in enumerate(sites)
                if other.kind == "loop"
                and (other.file, other.function) == (mine.file, mine.function)
                and other.line < mine.line <= mine.end_line <= other.end_line
            )
        return found

    def _look(self, me: Task) -> None:
        """See whether everything is as it was before; remember how it is now."""
        kernel = self._kernel
        self.has_turning_loops = True
        try:
            seen = picture(self._roots(), self.program.own_modules())
        except IncomparableError:
            self._looks_left = 0
            return
        state = (self._positions(me), seen.tokens)
        before = self._moments.get(state)
        now = self._moments[state] = self._moment(me, seen.counts)
        if before is None:
            return
        if now.depth == before.depth:
            kernel.point(
                Operation("turn", Target(0, "nothing"), Mode.READ)
            )  # let the others have theirs
            return
        movers = [
            task for task in kernel.tasks if task is me or before.steps[task] != now.steps[task]
        ]
        if movers == [me] and before.changes == now.changes:
            return  # it only looks: see check/polling.py
        if self._memory.has_news:
            # Accesses that should have been points: the exploration will begin again with them.
            kernel.cut()
        has_grown = before.counts != now.counts
        if has_grown and not self._may_grow(before, now):
            return
        loops = tuple((task.name, self._heads[task].site) for task in movers)
        is_fair = all(
            task in movers or task.done.state == ENDED or _was_blocked(task, before)
            for task in kernel.tasks
        )
        self.on_round(
            Round(
                before.depth,
                now.depth - before.depth,
                is_fair,
                loops,
                has_printed=before.printed != now.printed,
                has_slept=before.time_ns != now.time_ns,
                has_grown=has_grown,
            )
        )

    def _may_grow(self, before: _Moment, now: _Moment) -> bool:
        """Whether counts that differ make no difference to the round: none fell, and none was read."""
        is_larger = all(old <= new for old, new in zip(before.counts, now.counts, strict=True))
        done = {letter for _, letter in self._kernel.record.choices[before.depth : now.depth]}
        return is_larger and done.isdisjoint("jl")  # to join, to look at, to load

    def _moment(self, me: Task, counts: tuple[int, ...]) -> _Moment:
        kernel = self._kernel
        clock = kernel.state.get("clock")
        waiting = [task.operation for task in kernel.tasks if task.operation is not None]
        return _Moment(
            kernel.depth,
            {task: task.steps for task in kernel.tasks},
            {target: target.version for one in waiting for target, _, _ in one.parts()},
            me.changes,
            self.count_printed(),
            0 if clock is None else clock.now_ns,
            counts,
        )

    def _positions(self, me: Task) -> _Key:
        """Return where each task is in the program."""
        found: list[object] = [me.index]
        for task in self._kernel.tasks:
            head = self._head(task)
            found.append(task.steps if head is None else head.key)
        return tuple(found)

    def _head(self, task: Task) -> _Head | None:
        """Return at the beginning of which turn a task stands; None if it stands elsewhere."""
        head = self._heads.get(task)
        if head is None or (head.steps, head.changes) != (task.steps, task.changes):
            return None
        return head

    def _roots(self) -> Iterator[object]:
        """Yield all that tasks have in their variables, and what everybody shares."""
        kernel = self._kernel
        yield from self.program.own_modules()
        for task in kernel.tasks:
            head = self._head(task)
            if head is not None:
                frame: FrameType | None = self._loops[task.index, head.site].frame
            else:
                frame = getattr(task.greenlet, "gr_frame", None)
            yield task.index
            while frame is not None:
                if frame.f_code.co_filename in self.program.module_of_file:
                    variables = frame.f_locals
                    if variables is not frame.f_globals:
                        yield {k: v for k, v in variables.items() if k != _COMPREHENDED}
                frame = frame.f_back
        shared = kernel.root.state.get("random")
        if shared is not None:
            yield shared.generator.getstate()
        yield kernel.state.get("generators", 0)
        clock = kernel.state.get("clock")
        yield None if clock is None else clock.target.version  # how often it was read


def _was_blocked(task: Task, before: _Moment) -> bool:
    """Whether a task could not go on at any moment since `before`, during which it did not move."""
    operation = task.operation
    if operation is None:
        return False  # it waits for one that it has started to come to its first step
    return not operation.is_enabled() and all(
        before.versions.get(target) == target.version for target, _, _ in operation.parts()
    )


def _plain_variables(frame: FrameType) -> _Key:
    """Return the values of the variables that are plain, of the others their types."""
    variables: dict[str, Any] = dict(frame.f_locals)
    return tuple(
        (name, type(value), value if type(value) in _PLAIN else None)
        for name, value in variables.items()
    )

"""Dynamic partial-order reduction: one execution for each class of equivalent schedules.

Two schedules are equivalent if they differ only in the order of operations that do not conflict. After
each execution the races in it, pairs of conflicting operations that could have come in the other order,
say which other schedules must be tried.

Source sets and sleep sets: Abdulla, Aronsson, Jonsson, Sagonas, "Source Sets: A Foundation for Optimal
Dynamic Partial Order Reduction", J. ACM 64(4), 2017, algorithm 1 (Source-DPOR).

What blocks needs more than the paper's races between neighbours. Let e be an event that conflicts with
an operation o of another task, and leave out e and all that comes of it. If the task of o gets as far as
o without them, and o is enabled then, o must be tried before e. It is enough to do so for the last such
events: the others are found from there. So

- a race goes back behind the events that merely enabled o: from an acquire, over the release before it,
  to the acquire before that;
- an operation that is blocked at the end of an execution, or where one is cut off, races as well: no
  execution need come in which it gets its turn. Without this, deadlocks are missed;
- an operation on several targets may be blocked by events that know nothing of one another; then all of
  them are left out together;
- the end of the program races with what its daemons would still have done.

Source sets are not optimal: some executions are cut off as repetitions. They are about 1 in 80 on
the random programs of tests/soundness, and none on the known ones: so little would wake-up trees
(algorithm 2 of the same paper) save. They have not been tried here.

Sets of tasks and sets of events are ints, bit i for number i: union and membership are single machine
instructions for all executions of less than some hundred steps.

Cost: for each step, the conflicting events of its target; for each race, the steps between its two
events. Memory grows with the length of an execution, not with the number of executions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import mypyc_attr

from parallel_cookbook.errors import ReplayMismatchError
from parallel_cookbook.strategies.round_robin import RoundRobin

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Mode, Operation, Target, Task
    from parallel_cookbook.kernel.operation import Need


_MAX_FAIR_STEPS = 1000
"""So long an execution is followed after it has come back to where it was."""


class _Node:
    """One step of the present execution, and what is still to be tried in its place."""

    __slots__ = ("backtrack", "done", "enabled", "operation", "sleep", "task")

    def __init__(self, task: int, sleep: int, enabled: int) -> None:
        self.task = task
        """The index of the task that is taken here."""
        self.sleep = sleep
        """Tasks whose next operation need not be tried here: an earlier execution covers it."""
        self.enabled = enabled
        self.backtrack = 1 << task
        """Tasks that are to be tried here, those already tried included."""
        self.done = 0
        """Tasks that have been tried here."""
        self.operation: Operation
        """What the task does here."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Dpor:
    """Explores at least one schedule of each class; `redundant` counts those cut off as repetitions."""

    name: Final = "dpor"
    seed: Final = None

    def __init__(self) -> None:
        self.is_exhaustive = False
        self.redundant = 0
        self._nodes: list[_Node] = []
        self.repeats = 0
        """How many steps of the last execution come again before the first new choice."""
        self._pasts: list[int] = []
        """For each step of the present execution, which steps happen before it, and itself."""
        self._was_cut = False
        self._has_closed = False
        """Whether an execution has come back to where it was."""
        self._finish: RoundRobin | None = None
        """Who chooses in what is left of the present execution, when that needs no search."""

    # --- one execution --------------------------------------------------------------------------

    def choose(self, kernel: Kernel) -> Task | None:
        """Repeat the prefix; then prefer the running task, and leave out those that sleep."""
        if self._finish is not None:
            return self._go_on_fairly(kernel)
        record = kernel.record
        depth = len(record.choices)
        self._pasts = record.pasts
        record.keeps_pasts = True
        if depth < self.repeats:
            return self._repeat(kernel, depth)
        if depth < len(self._nodes):
            node = self._nodes[depth]
            task = kernel.tasks[node.task]
        else:
            found = self._new_node(kernel, depth)
            if found is None:
                return self._go_on_fairly(kernel)
            node, task = found
        operation = task.operation
        assert operation is not None  # noqa: S101 - it is enabled
        target, mode = operation.target, operation.mode
        if operation.more:
            self._find_races(task, operation, depth)
        elif (target.last if mode else target.last_write) & ~task.past:
            self._races_on_one(target, mode, operation.need, task, depth)
        if target is kernel.process:
            self._find_races_of_exit(kernel, node, depth)
        node.operation = operation
        return task

    def _repeat(self, kernel: Kernel, depth: int) -> Task:
        """Take the same step as in the last execution; its races are known."""
        node = self._nodes[depth]
        expected = node.operation
        task = kernel.tasks[node.task] if node.task < len(kernel.tasks) else None
        operation = task.operation if task is not None else None
        if task is None or not expected.is_like(operation):
            raise ReplayMismatchError(
                f"step {depth}: task {node.task} was about to {expected}, "
                f"and is now about to {operation}"
            )
        return task

    def _new_node(self, kernel: Kernel, depth: int) -> tuple[_Node, Task] | None:
        enabled = 0
        tasks = kernel.tasks
        for task in tasks:
            operation = task.operation
            if operation is not None and (
                (operation.need is None and not operation.more) or operation.is_enabled()
            ):
                enabled |= 1 << task.index
        sleep = 0
        if self._nodes:
            last = self._nodes[-1]
            candidates = (last.sleep | last.done) & ~(1 << last.task)
            if candidates:
                sleep = self._independent(kernel, candidates)
        awake = enabled & ~sleep
        if not awake:
            self._was_cut = enabled != 0
            # Also in an execution that is cut off: it may be the only one in which this task is blocked
            # by these events.
            self._find_races_of_blocked(kernel, depth)
            if enabled and self._has_closed:
                self._finish_fairly(depth)  # a livelock can lie in what sleeps
            return None
        index = kernel.running.index
        if not awake >> index & 1:
            index = (awake & -awake).bit_length() - 1
        node = _Node(index, sleep, enabled)
        self._nodes.append(node)
        return node, tasks[index]

    def _independent(self, kernel: Kernel, candidates: int) -> int:
        """Return which of the candidates go on sleeping: those independent of the last step."""
        sleep = 0
        last = kernel.record.operations[-1]
        while candidates:
            bit = candidates & -candidates
            candidates ^= bit
            operation = kernel.tasks[bit.bit_length() - 1].operation
            if operation is not None and not operation.conflicts_with(last):
                sleep |= bit
        return sleep

    # --- races ----------------------------------------------------------------------------------

    def _find_races(self, task: Task, operation: Operation, depth: int) -> None:
        """Find the events that `operation`, about to be event `depth`, could have come before.

        These are the events that conflict with it, without which its task would have come as far, and
        before which it would have been enabled; of those that happen one before the other, the last.
        """
        past = task.past
        if not operation.more:
            target, mode = operation.target, operation.mode
            if (target.last if mode else target.last_write) & ~past:
                self._races_on_one(target, mode, operation.need, task, depth)
            return
        parts = [
            (target, mode, need)
            for target, mode, need in operation.parts()
            if (target.last if mode else target.last_write) & ~past
            or (need is not None and not need(target.state))
        ]
        if len(parts) == 1:
            self._races_on_one(*parts[0], task, depth)
        elif parts:
            self._races_on_several(parts, task, depth)

    def _find_races_of_blocked(self, kernel: Kernel, depth: int) -> None:
        """Treat each blocked operation as if it came next: an earlier order may have let it go on."""
        for task in kernel.tasks:
            operation = task.operation
            if operation is not None and not operation.is_enabled():
                self._find_races(task, operation, depth)

    def _find_races_of_exit(self, kernel: Kernel, node: _Node, depth: int) -> None:
        """The end of the program comes before all that its daemons would still do: try them first."""
        node.backtrack |= node.enabled
        self._find_races_of_blocked(kernel, depth)

    def _races_on_one(
        self, target: Target, mode: Mode, need: Need | None, task: Task, depth: int
    ) -> None:
        """Walk back through the events on one target, as long as they may be unordered with ours."""
        known = before = task.past
        for position, event_mode, state in reversed(target.history):
            if known >> position & 1:
                if event_mode:
                    return
                continue
            if not (event_mode or mode):
                continue
            # Where our operation would have been blocked, the event is what enabled it: no race, and
            # the events before it may still be in one.
            if need is None or need(state if event_mode else self._state_without(target, position)):
                self._reverse(1 << position, depth, task.index, before)
                if event_mode:
                    return
                known |= self._pasts[position]
            before |= 1 << position

    def _races_on_several(
        self, parts: list[tuple[Target, Mode, Need | None]], task: Task, depth: int
    ) -> None:
        """Walk back through the events on several targets; to be enabled, ours needs all of them."""
        past = task.past
        events = 0
        for target, mode, _ in parts:
            for position, event_mode, _ in target.history:
                if event_mode or mode:
                    events |= 1 << position
        left = events & ~past
        while left:
            position = left.bit_length() - 1
            removed = self._in_the_way(parts, 1 << position, past)
            if removed:
                self._reverse(removed, depth, task.index, past | events)
                left &= ~self._pasts[position]
            else:
                left ^= 1 << position

    def _in_the_way(
        self, parts: list[tuple[Target, Mode, Need | None]], removed: int, past: int
    ) -> int:
        """Return which events must be left out, the removed ones included, for ours to be enabled.

        As few as possible; none if there is no such set. Leaving out one event may not be enough: a task
        that needs two locks may find each of them taken by another task.
        """
        pasts = self._pasts
        is_settled = False
        while not is_settled:
            is_settled = True
            for target, _, need in parts:
                if need is None:
                    continue
                state = target.state
                writes = [entry for entry in target.history if entry[1]]
                while writes and pasts[writes[-1][0]] & removed:
                    state = writes.pop()[2]
                while not need(state):
                    if not writes or past >> writes[-1][0] & 1:
                        return 0
                    position, _, state = writes.pop()
                    removed |= 1 << position
                    is_settled = False
        return removed

    def _state_without(self, target: Target, left_out: int) -> int:
        """Return the state of `target` if an event, and all that it happens before, were left out."""
        pasts = self._pasts
        state = following = target.state
        for position, mode, before in reversed(target.history):
            if position < left_out:
                break
            if pasts[position] >> left_out & 1:
                # What comes after a write on its target is left out with it. Reads commute, and what
                # they do to the state adds up (the ends of tasks count down the tasks that live).
                state = before if mode else state - (following - before)
            following = before
        return state

    def _reverse(self, removed: int, second: int, task: int, before: int) -> None:
        """See to it that event `second`, of `task`, is also tried before the events `removed`.

        before: of the other events, those that must come before `second`.
        """
        nodes = self._nodes
        pasts = self._pasts
        first = (removed & -removed).bit_length() - 1
        node = nodes[first]
        between = 0
        initials = 0
        owners = 0
        for position in range(first + 1, second):
            past = pasts[position]
            if past & removed:
                continue
            owner = 1 << nodes[position].task
            if not (past & between or owners & owner):
                initials |= owner
            owners |= owner
            between |= 1 << position
        if not (before & between or owners >> task & 1):
            initials |= 1 << task
        if initials & (node.backtrack | node.sleep):
            return
        usable = initials & node.enabled
        if not usable:
            # Enabled by something that is no event, as a poll is by a write that is no point.
            node.backtrack |= node.enabled
        else:
            node.backtrack |= 1 << task if usable >> task & 1 else usable & -usable

    def close_round(self, kernel: Kernel, first: int) -> bool:
        """Learn that everything is as it was before step `first`; return whether what follows is covered.

        What comes after a round could come in place of it. So it is enough to try every task at each
        step of the round, and no race needs to be sought in what is left out: where it comes in place
        of the round, it is found. check/cycles.py says when that is so.

        The execution goes on all the same, but fairly, and without being searched: to see whether all
        tasks come to their ends, or go round together for ever.
        """
        if self._finish is not None:
            self._finish.max_steps = 0
            return True
        depth = kernel.depth
        if depth < len(self._nodes):
            return False
        for node in self._nodes[first:]:
            node.backtrack |= node.enabled
        self._find_races_of_blocked(kernel, depth)
        self._finish_fairly(depth)
        return True

    def _go_on_fairly(self, kernel: Kernel) -> Task | None:
        return None if self._finish is None else self._finish.choose(kernel)

    def _finish_fairly(self, depth: int) -> None:
        self._has_closed = True
        self._was_cut = True
        self._finish = RoundRobin(max_steps=depth + _MAX_FAIR_STEPS)

    # --- from one execution to the next ---------------------------------------------------------

    def next_execution(self) -> bool:
        """Prepare for the next schedule; False if every class has been explored."""
        self.redundant += self._was_cut
        self._was_cut = False
        self._finish = None
        nodes = self._nodes
        while nodes:
            node = nodes[-1]
            done = node.done = node.done | 1 << node.task
            left = node.backtrack & ~(done | node.sleep)
            if left:
                node.task = (left & -left).bit_length() - 1
                self.repeats = len(nodes) - 1
                return True
            nodes.pop()
        self.is_exhaustive = True
        return False

    def share_done(self) -> float:
        """Estimate which part of the search lies behind, if every branch at a step were as large.

        It counts the branches that are known. New ones are found on the way, so it may fall. Knuth,
        "Estimating the Efficiency of Backtrack Programs", 1975.
        """
        if self.is_exhaustive:
            return 1.0
        share, weight = 0.0, 1.0
        for node in self._nodes:
            tried = node.done & ~(1 << node.task)
            weight /= (node.backtrack & ~node.sleep | tried).bit_count()
            share += weight * tried.bit_count()
        return share

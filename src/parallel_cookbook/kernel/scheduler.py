"""Run a program as greenlets in one OS thread: one execution, one task at a time.

A task runs until it is about to do something that another task could see or disturb. There it calls
`Kernel.point` with the operation, and the chooser (a strategy) says which task goes on. So the chooser
alone decides the order of all operations, and the same choices give the same execution.

Guarantees:
- Between two points exactly one task runs, and no other task runs.
- `point` returns only when its task was chosen, and its operation was enabled at that moment.
- Nothing of an execution is left when `run` returns: each parked task has been unwound.
"""

from __future__ import annotations

import contextvars
import enum
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from greenlet import getcurrent, greenlet

from parallel_cookbook.errors import ReplayMismatchError
from parallel_cookbook.kernel.operation import Mode, Operation, Target
from parallel_cookbook.kernel.record import Record
from parallel_cookbook.kernel.task import Group, Killed, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel.operation import Need

_active = threading.local()

_MAX_KILLS = 10
"""How often a task may catch Killed before it is given up."""

UNBORN: Final = 0
ALIVE: Final = 1
ENDED: Final = 2
"""The states of a task's `done` target."""


def active_kernel() -> Kernel:
    """Return the kernel whose execution is running in this OS thread.

    Raises RuntimeError if there is none: a simulated primitive was used outside of a check.
    """
    try:
        return _active.kernel  # type: ignore[no-any-return]
    except AttributeError:
        raise RuntimeError("no execution is running in this thread") from None


class Ending(enum.Enum):
    """How an execution ended."""

    FINISHED = "finished"
    """Every task that the program waits for has ended."""
    DEADLOCK = "deadlock"
    """Tasks are left, and none of them is enabled."""
    CUT = "cut"
    """The chooser stopped it: a limit was met, or it was found to be redundant."""


class Chooser(Protocol):
    """Who runs next. One call for each step of an execution."""

    def choose(self, kernel: Kernel) -> Task | None:
        """Return one of the enabled tasks; None if none is enabled, or to cut the execution off.

        Called when the running task has arrived at a point or has ended, so that every live task has
        its `operation` set. The operation of the task that is returned is performed next.
        """
        ...


def _is_ended(state: int) -> bool:
    return state == ENDED


def _is_zero(state: int) -> bool:
    return state == 0


class Kernel:
    """The scheduler of one exploration: `run` performs one execution after the other."""

    def __init__(self, chooser: Chooser) -> None:
        self.chooser = chooser
        self.running: Task
        self.record: Final = Record()
        self.on_point: Callable[[Task, Operation], None] | None = None
        """Called when a task arrives at a point; for those who record what happens."""
        self.on_settle: Callable[[Task, Operation], None] | None = None
        """The same for steps that need no choice."""
        self.on_expiry: Callable[[Operation], None] | None = None
        """Called when a step turns out to have been in vain."""
        self.are_releases_points = True
        """Whether giving back a lock is a point: needed once somebody tries or looks at a lock."""
        self.are_lives_points = True
        """Whether the start and the end of a task are points: needed once somebody looks at them."""
        self.are_kills_points = False
        """Whether a group other than the root may be ended anywhere: needed once somebody does so."""
        self.are_handovers_points = False
        """Whether it is a point that a task has left something to a helper: needed once it changes it."""
        self.max_faults = 0
        """For the simulation: how many groups a fault may end in an execution."""
        self.demands: set[str] = set()
        """Which of the four the program has turned out to need."""
        self._uids: dict[tuple[int, int], int] = {}
        self._idle: list[greenlet] = []
        self._buried: list[greenlet] = []
        """Tasks that caught Killed and went on: parked for ever."""
        self.max_steps = sys.maxsize
        """An execution with more steps is cut off."""
        self.loader: Any = None
        """For the simulation: who gives a new group its modules."""
        self.on_refusal: Callable[[Task, str], None] = lambda _task, _what: None
        """Called in a task that uses what cannot be controlled, before the execution is cut off."""
        self.on_limit: Callable[[Task, str], None] = lambda _task, _what: None
        """The same for a task that comes to a limit."""
        self.on_uncaught: Callable[[Task, BaseException], None] = _reraise
        """Called in a task whose function raised; what it raises itself ends the whole exploration."""
        self.on_handled: Callable[[Task], None] = lambda _task: None
        """Called when the program turns out to deal with what `on_uncaught` was told of a task."""
        self.on_shared_access: Callable[..., None] = lambda *_access: None
        """For the simulation: called after a step on memory that groups share; see check/shared_races.py."""
        self.on_answer: Callable[[str, Any, Any], None] = lambda _method, _args, _result: None
        """For the simulation: called when a server has answered a call, with what it has given out."""
        self._begin(None)
        self.is_unwinding = True
        """Whether no execution is running, or it has ended and its tasks are being unwound."""

    def _begin(self, wanted: int | None) -> None:
        """Forget the last execution, but for what the present one repeats."""
        record = self.record
        repeats = wanted if wanted and record.can_rewind else 0
        for task in record.tasks.values():
            # What they held is finalized now, not later.
            task.function = task.thread = task.effect = None
        self.is_repeating = repeats > 0
        """Whether the present execution still repeats the last one: nothing is noted down."""
        self._repeats = repeats
        """How many choices the present execution repeats."""
        self._depth = 0
        """How many it has repeated."""
        if repeats:
            record.rewind(repeats)
        else:
            record.forget(can_rewind=wanted is not None)
        self.tasks: list[Task] = []
        self.state: dict[str, Any] = {}
        """For the simulation: what its modules remember during one execution."""
        self.position = 0
        """How many steps the present execution has performed."""
        self.is_alone = True
        """Whether no two tasks of the present execution have shared a memory, so far."""
        self.ending = Ending.FINISHED
        self.root = Group(record.target(0, "process", 1, ""))
        """The group of the program's first task; the execution ends with it."""
        self.process = self.root.life
        """Its state is the number of non-daemon tasks of the root group that live."""
        self._hub = getcurrent()
        self._exit: Task | None = None
        self._effects: set[Task] = set()
        """The effects that are still to come."""
        self._trouble: Exception | None = None
        """What the chooser raised; not for the program, which might catch it."""
        self._spawner: Task | None = None
        """The task that waits for its new child to arrive at a point."""

    def run(self, main: Callable[[], object], repeats: int | None = None) -> Ending:
        """Perform one execution of `main`; return how it ended.

        repeats: so many choices are those of the last execution, and `main` is the same program. The
        chooser is not asked for them, and nothing is noted down. If that cannot be, because the last
        execution was too long, it is asked for all choices. None: no later execution will repeat this one.

        Raises ReplayMismatchError if the program does something else than it did then. Cost: what the
        program costs, some microseconds for each task and step, and less for those repeated.
        """
        self._begin(repeats)
        self.is_unwinding = False
        previous = getattr(_active, "kernel", None)
        _active.kernel = self
        try:
            root = self.root.main = self._new_task(0, "MainThread", main, self.root, ALIVE)
            root.index = 0
            self.tasks.append(root)
            self.running = root
            try:
                self._resume(root)
            finally:
                self._unwind()
        finally:
            if previous is None:
                del _active.kernel
            else:
                _active.kernel = previous
        if self._trouble is not None:
            raise self._trouble
        return self.ending

    @property
    def depth(self) -> int:
        """How many choices have been made in the present execution."""
        return self._depth if self.is_repeating else len(self.record.choices)

    # --- for the simulation ---------------------------------------------------------------------

    def new_uid(self) -> int:
        """Return a number for something that the running task makes.

        The same in each execution in which this task makes it as the same of its creations, whatever
        the other tasks did before: schedules are compared and replayed by these numbers.
        """
        task = self.running
        task.created += 1
        return self._uids.setdefault((task.uid, task.created), len(self._uids) + 1)

    def new_target(self, kind: str, state: int = 0, name: str = "") -> Target:
        """Make a target that belongs to something that the running task creates."""
        return self.record.target(self.new_uid(), kind, state, name)

    def shared_target(self, kind: str, name: str = "", *, is_variable: bool = False) -> Target:
        """Return the one target of this kind, which all tasks of an execution share."""
        return self.record.target(0, kind, 0, name, is_variable=is_variable)

    def group_target(self, kind: str) -> Target:
        """Return the one target of this kind that the tasks of the running one's group share."""
        return self.record.target(self.running.group.uid, kind, 0, "")

    def new_task(
        self, name: str, function: Callable[[], object], group: Group | None = None
    ) -> Task:
        """Make a task that is not started yet, by default of the running one's group."""
        group = group or self.running.group
        return self._new_task(self.new_uid(), group.prefix + name, function, group)

    def new_group(self, name: str, function: Callable[[], object]) -> Task:
        """Make a group, and return its main task, which is not started yet and bears the same name."""
        group = Group(self.new_target("process", 0, name))
        task = group.main = self._new_task(group.uid, name, function, group)
        return task

    def _new_task(
        self,
        uid: int,
        name: str,
        function: Callable[[], object],
        group: Group,
        state: int = UNBORN,
    ) -> Task:
        tasks = self.record.tasks
        done = self.record.target(uid, "task", state, name)
        task = tasks.get(uid)
        if task is None:
            task = tasks[uid] = Task(uid, done)
        task.begin(name, function, group)
        return task

    def end_group(self, group: Group) -> None:
        """End all tasks of a group where they are parked, except the running one: none goes on.

        In the step of somebody who writes the group's `life`. Nothing of them is unwound before the
        execution has ended: a process that is killed does not clean up.
        """
        group.has_ended = True
        for task in self.tasks:
            if task.group is group and task is not self.running:
                task.operation = None
                task.done.state = ENDED
        group.life.state = 0

    def end_task(self, task: Task) -> None:
        """End a parked task; in a step that conflicts with whatever it is about to do."""
        task.operation = None
        task.done.state = ENDED

    def add_effect(
        self,
        name: str,
        operation: Operation,
        effect: Callable[[], object],
        *,
        is_certain: bool = True,
    ) -> Task:
        """Have `effect` happen later, as a step of its own: a task of the root without any code.

        is_certain: the execution does not end before it has happened. Else it may never happen.
        """
        task = self._new_task(self.new_uid(), name, effect, self.root)
        task.effect = effect
        task.is_daemon = True
        task.operation = operation
        self._enter(task)
        if is_certain:
            self._effects.add(task)
        return task

    def vanish(self) -> NoReturn:
        """End the running task here and now, with all of its group ended before: let others go on.

        Raises Killed, when its execution has ended.
        """
        self.running.done.state = ENDED
        if self._spawner is not None:
            spawner, self._spawner = self._spawner, None
            self._resume(spawner)
        else:
            chosen = self._choose()
            if chosen is None:
                self._hub.switch()
            else:
                self._resume(chosen)
        self.leave()

    def demand_release_points(self) -> None:
        """Say that somebody has looked whether a lock is free, so that a release can be seen."""
        if not self.are_releases_points:
            self.demands.add("releases")

    def demand_life_points(self) -> None:
        """Say that somebody has looked whether a task lives, so that its start and end can be seen."""
        if not self.are_lives_points:
            self.demands.add("lives")

    def demand_kill_points(self) -> None:
        """Say that a group other than the root was ended, so that it matters where its tasks are."""
        if not self.are_kills_points:
            self.demands.add("kills")

    def demand_handover_points(self) -> None:
        """Say that what a task has left to a helper has changed before the helper came to it."""
        if not self.are_handovers_points:
            self.demands.add("handovers")

    def meet_demands(self) -> bool:
        """Let be points, from the next execution on, what has turned out to be needed; say if any."""
        had_demands = bool(self.demands)
        self.are_handovers_points |= "handovers" in self.demands
        self.are_kills_points |= "kills" in self.demands
        self.are_releases_points |= "releases" in self.demands or self.are_kills_points
        self.are_lives_points |= "lives" in self.demands or self.are_kills_points
        self.demands.clear()
        return had_demands

    def start(self, task: Task) -> None:
        """Let `task` live: a step of the running task, which happens before all steps of `task`."""
        self.point_of_life(self.start_operation(task))
        self.launch(task)

    def start_operation(self, task: Task) -> Operation:
        """Return the operation that lets `task` live."""
        return self._operations_of(task)[0]

    def _operations_of(self, task: Task) -> tuple[Operation, ...]:
        """Return the start, begin and end of a task's life; made once for many executions.

        If somebody looks, a start and an end conflict with who counts the tasks.
        """
        done = task.done
        if not done.operations:
            more = task.group.end_parts if self.are_lives_points else ()
            done.operations = (
                Operation("start", done, Mode.WRITE, None, more),
                Operation("begin", done, Mode.READ),
                Operation("end", done, Mode.WRITE, None, more),
            )
        return done.operations

    def launch(self, task: Task) -> None:
        """Perform `start_operation`."""
        group = task.group
        task.is_mortal = task.is_daemon or (self.are_kills_points and group is not self.root)
        self._enter(task)
        if group is self.running.group and not task.is_helper:
            self.is_alone = group.is_alone = False
        task.done.state = ALIVE
        if not (task.is_daemon or task.is_helper):
            group.life.state += 1
        elif task.is_daemon:
            self.demand_life_points()  # the end of the process will look at them
        if task.is_daemon and group is self.root:
            self._let_exit_end_daemons()
        if self.are_lives_points:
            begin = self._operations_of(task)[1]
            task.operation = begin if not task.is_mortal else _while_group_lives(group, begin)
        else:
            self._run_to_first_point(task)

    def _enter(self, task: Task) -> None:
        """Let a task take part, after all that the running one has done."""
        task.index = len(self.tasks)
        self.tasks.append(task)
        if not self.is_repeating:
            task.start_position = self.position - 1
            task.past = self.running.past
            task.sync = self.running.sync

    def _run_to_first_point(self, child: Task) -> None:
        """Let a new task run until it announces something: what it does before, nobody can see."""
        parent, waiting = self.running, self._spawner
        self._spawner = parent
        self.running = child
        self._resume(child)
        self._spawner = waiting
        self.running = parent
        if self.is_unwinding:
            raise Killed

    def knows_start_of(self, task: Task) -> bool:
        """Whether the running task comes after the start of `task`, in whatever order the rest comes."""
        if task.done.state == UNBORN:
            return False
        return task.index == 0 or self.running.sync >> task.start_position & 1 == 1

    def join_operation(self, task: Task) -> Operation:
        """Return the operation that waits until `task` has ended."""
        return Operation("join", task.done, Mode.READ, _is_ended)

    def point(self, operation: Operation) -> None:
        """Announce what the running task is about to do; return when it was chosen to do it.

        Blocks while the operation is not enabled, and as long as the chooser prefers other tasks. The
        caller performs the operation right after the return, without another point.

        Raises Killed if the execution has ended meanwhile.
        """
        if self.is_unwinding:
            self.leave()
        me = self.running
        me.operation = operation if not me.is_mortal else _while_group_lives(me.group, operation)
        if self.on_point is not None:
            self.on_point(me, operation)
        if self._spawner is not None:
            spawner, self._spawner = self._spawner, None
            self._resume(spawner)
            if self.is_unwinding:
                raise Killed
            return
        chosen = self._choose()
        if chosen is not me:
            if chosen is None:
                self._hub.switch()
            elif chosen.greenlet is not None:
                chosen.greenlet.switch()
            else:
                self._resume(chosen)
            if self.is_unwinding:
                raise Killed

    def point_of_life(self, operation: Operation) -> None:
        """Announce the start or end of a task: a point only if somebody may see when it comes."""
        if self.are_lives_points:
            self.point(operation)
        else:
            self.settle(operation)

    def settle(self, operation: Operation) -> None:
        """Perform a step that commutes with whatever the other tasks can do before it: no choice.

        The caller answers for that. What happens before it and after it is noted down all the same.
        """
        if self.is_unwinding:
            self.leave()
        me = self.running
        if self.on_settle is not None:
            self.on_settle(me, operation)
        if not self.is_repeating:
            self.record.settle(me, operation, self.position)
        elif operation.more:
            operation.count_writes()
        elif operation.mode:
            operation.target.version += 1
        self.position += 1
        me.steps += 1
        if operation.is_effect:
            me.changes += 1
        elif me.looked is not None and not operation.mode:
            me.looked.setdefault(operation.target, operation.target.version)

    def note_cause(self, source: Target, target: Target) -> None:
        """Note that all that has come to `source` so far happens before what `target` now becomes.

        It need not happen before what the running task does next.
        """
        target.version += 1
        if not self.is_repeating:
            self.record.cause(source, target)

    def note_expiry(self, operation: Operation) -> None:
        """Learn that an operation, just performed by the running task, was in vain: it was a look."""
        if self.on_expiry is not None:
            self.on_expiry(operation)
        me = self.running
        target = operation.target
        if operation.is_effect:
            me.changes -= 1
        if operation.mode:
            target.version -= 1
        if me.looked is not None:
            me.looked.setdefault(target, target.version)

    def close(self) -> None:
        """Let go of the greenlets that wait for work: a kernel that is dropped would keep them."""
        while self._idle:
            self._idle.pop().throw()

    def refuse(self, what: str) -> NoReturn:
        """End the execution: the running task has used `what`, which cannot be controlled."""
        if not self.is_unwinding:
            self.on_refusal(self.running, what)
        self.cut()

    def exceed(self, what: str) -> NoReturn:
        """End the execution: the running task has come to a limit, which `what` tells in a sentence."""
        if not self.is_unwinding:
            self.on_limit(self.running, what)
        self.cut()

    def cut(self) -> NoReturn:
        """End the execution here and now, in the middle of the running task's step."""
        self.ending = Ending.CUT
        if not self.is_unwinding:
            self._hub.switch()
        self.leave()

    def leave(self) -> NoReturn:
        """Unwind the running task, whose execution has ended.

        Raises Killed. A task that catches it and goes on is stopped at its next point, for good, and
        `has_unkillable_tasks` says so.
        """
        me = self.running
        me.kills += 1
        while me.kills > _MAX_KILLS and getcurrent() is not self._hub:
            self._buried.append(getcurrent())
            self._hub.switch()
        raise Killed

    @property
    def has_unkillable_tasks(self) -> bool:
        """Whether tasks of earlier executions are still there because they caught Killed."""
        return bool(self._buried)

    def let_exit_wait_for(self, target: Target, need: Need) -> None:
        """Let the execution not end before `target` is in a state that `need` accepts.

        The end is a choice then, before which everything that is still enabled or blocked is considered.
        """
        self._let_exit_end_daemons()
        assert self._exit is not None and self._exit.operation is not None  # noqa: S101, PT018 - just made
        self._exit.operation = self._exit.operation.extended((target, Mode.READ, need))

    # --- inside ---------------------------------------------------------------------------------

    def enabled(self) -> list[Task]:
        """Return the tasks that can go on, in the order of their indexes."""
        return [
            task
            for task in self.tasks
            if (operation := task.operation) is not None and operation.is_enabled()
        ]

    def _choose(self) -> Task | None:
        """Repeat a choice or ask the chooser; mark the task as running. None ends the execution."""
        chosen = self._repeat() if self.is_repeating else None
        if chosen is None:
            if self._trouble is not None:
                return None
            chosen = self._ask()
            if chosen is None:
                return None
        operation = chosen.operation
        assert operation is not None  # noqa: S101 - only live tasks are chosen
        self.position += 1
        chosen.steps += 1
        if operation.is_effect:
            chosen.changes += 1
        elif chosen.looked is not None and not operation.mode:
            chosen.looked.setdefault(operation.target, operation.target.version)
        chosen.operation = None
        self.running = chosen
        if chosen.effect is None:
            return chosen
        chosen.effect()
        self._effects.discard(chosen)
        return None if self._is_over() else self._choose()

    def _repeat(self) -> Task | None:
        """Return who goes on as in the last execution; None if nothing is left to repeat, or it cannot be."""
        depth = self._depth
        if depth == self._repeats:
            self.is_repeating = False
            return None
        index = self.record.choices[depth][0]
        expected = self.record.operations[depth]
        self._depth = depth + 1
        chosen = self.tasks[index] if index < len(self.tasks) else None
        if chosen is None or not (
            chosen.operation is expected or expected.is_like(chosen.operation)
        ):
            self._trouble = self._mismatch(index, expected)
            return None
        operation = chosen.operation
        assert operation is not None  # noqa: S101 - it is like the one expected
        if operation.more:
            operation.count_writes()
        elif operation.mode:
            operation.target.version += 1
        return chosen

    def _ask(self) -> Task | None:
        """Return whom the chooser chooses, with its step noted down; None if the execution ends."""
        try:
            chosen = self.chooser.choose(self) if self.position < self.max_steps else None
        except Exception as error:  # noqa: BLE001 - handed to the caller of run
            self._trouble = error
            return None
        if chosen is None or chosen is self._exit:
            self.ending = self._ending(chosen)
            return None
        operation = chosen.operation
        assert operation is not None  # noqa: S101 - only live tasks are chosen
        self.record.step(chosen, operation, self.position)
        return chosen

    def _is_over(self) -> bool:
        """Whether the execution ends now: effects that are still to come do come, before that."""
        return self.process.state == 0 and self._exit is None and not self._effects

    def _ending(self, chosen: Task | None) -> Ending:
        """Return how the execution ends if nobody is chosen, or the end itself."""
        if chosen is not None:
            return Ending.FINISHED
        if self.enabled():
            return Ending.CUT
        return Ending.DEADLOCK if self.process.state else Ending.FINISHED

    def _mismatch(self, index: int, expected: Operation) -> ReplayMismatchError:
        """Return the error for a task that does not do what it did in the last execution."""
        now = self.tasks[index].operation if index < len(self.tasks) else None
        return ReplayMismatchError(
            f"step {self._depth}: task {index} was about to {expected}, and is now about to {now}: "
            "the program does not do the same each time"
        )

    # A program ends when its last non-daemon task has ended, wherever its daemons are then. So that each
    # "then" is tried, the end is an operation of its own, which conflicts with every step of a daemon.

    def reckon_with_waiting_tasks(self) -> None:
        """Say that at the end some tasks may wait that could have gone on in another order."""
        self._let_exit_end_daemons()

    def _let_exit_end_daemons(self) -> None:
        if self._exit is None:
            self._exit = Task(-1, self.process)
            self._exit.begin("exit", lambda: None, self.root)
            self._exit.index = len(self.tasks)
            self._exit.operation = Operation("exit", self.process, Mode.WRITE, _is_zero)
            self.tasks.append(self._exit)

    def _resume(self, task: Task) -> None:
        """Go on with `task`; return when somebody goes on with the present greenlet."""
        if task.greenlet is not None:
            task.greenlet.switch()
            return
        worker = self._idle.pop() if self._idle else greenlet(self._work, self._hub)
        task.greenlet = worker
        worker.switch(task)

    def _work(self, task: Task) -> None:
        """The life of a greenlet: perform one task after the other; a new one costs 15 µs."""
        while True:
            # Each thread begins with no context variable set.
            getcurrent().gr_context = contextvars.Context()
            following = self._perform(task)
            task.greenlet = None
            self._idle.append(getcurrent())
            if following is None:
                task = self._hub.switch()
            elif following.greenlet is not None:
                task = following.greenlet.switch()
            else:
                worker = self._idle.pop()
                following.greenlet = worker
                task = following if worker is getcurrent() else worker.switch(following)

    def _perform(self, task: Task) -> Task | None:
        """Run `task` to its end; return who goes on, None for the hub."""
        try:
            try:
                if task.function is not None:  # as for each task that lives
                    task.function()
            except Killed:
                return None
            except BaseException as error:  # noqa: BLE001 - whatever the program raises
                self.on_uncaught(task, error)
            self.point_of_life(self._operations_of(task)[2])
        except Killed:
            return None
        task.done.state = ENDED
        if not (task.is_daemon or task.is_helper):
            task.group.life.state -= 1
            if self._is_over():
                return None
        if self._spawner is not None:
            spawner, self._spawner = self._spawner, None
            return spawner
        return self._choose()

    def _unwind(self) -> None:
        """Throw Killed into each task that is still parked, so that nothing of it stays."""
        self.is_unwinding = True
        self.record.end()
        for task in self.tasks:
            if task.greenlet is not None and not task.greenlet.dead:
                self.running = task
                task.greenlet.throw(Killed)


def _while_group_lives(group: Group, operation: Operation) -> Operation:
    return operation.extended((group.life, Mode.READ, None))


def _reraise(_task: Task, error: BaseException) -> None:
    raise error

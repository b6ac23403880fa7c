"""Workers that take tasks from a pool: what `Pool` and `ProcessPoolExecutor` have in common.

Guarantees: tasks are pickled where they are submitted, in one step for all that come together. A worker is a
simulated process; it takes the next task in one step and delivers what came of it in another, pickled. A
worker without a task ends in the very step in which its pool is closed or terminated, unless it
has something to clean up; one that works is sent a signal.

Targets: one for the tasks of a pool; one for each worker, 1 while it works; one for the losses.

Why not CPython's own source on simulated pipes: its helper threads (workers are polled, tasks and results
handed over) have no effect that a program can see, and multiply the interleavings.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import pickle
from collections import deque
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Killed, Mode, Operation, active_kernel
from parallel_cookbook.simulation.processes.follow_up import FollowUp
from parallel_cookbook.simulation.processes.pickling import ForkingPickler
from parallel_cookbook.simulation.processes.spawning import ENDED
from parallel_cookbook.simulation.processes.world import share, shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel.operation import Target
    from parallel_cookbook.simulation.processes.imap import Feeder
    from parallel_cookbook.simulation.processes.process import BaseProcess

# Whatever the program computes, of any type.
# ruff: noqa: ANN401

_CLOSING = 1
_ONE_TASK = 2
_IDLE, _BUSY, _GONE = range(3)


def _can_take(state: int) -> bool:
    return state > 0


def _same(obj: Any) -> Any:
    return obj


def _is_here(state: int) -> bool:
    return state != _GONE


def _is_positive(state: int) -> bool:
    return state > 0


def pickled(obj: Any) -> bytes:
    """Return an object as it goes to another process."""
    return bytes(ForkingPickler.dumps(obj))


Outcome = tuple[bool, Any]
"""What came of a task: whether it went well, and the result or the exception, pickled for processes."""


class Task:
    """What a worker is to do, pickled, and where it delivers what comes of it."""

    data: Any
    """The work, pickled for a process: what is called in the worker, and returns its outcome."""

    def targets(self, is_good: bool) -> tuple[Target, ...]:
        """Return what a delivery writes."""
        raise NotImplementedError

    def is_wanted(self) -> bool:
        """Whether to do it at all, asked by its worker just before."""
        return True

    def deliver(self, outcome: Outcome) -> None:
        """Take what came of it, in a step of the worker's that writes the targets."""
        raise NotImplementedError

    def after_delivery(self) -> None:
        """Do what follows from that, in steps of its own."""


class Member:
    """A worker, as its pool knows it."""

    def __init__(self, crew: Crew, process: BaseProcess) -> None:
        self.crew = crew
        self.process = process
        self.own = crew.kernel.new_target("worker", _BUSY)
        self.task: Task | None = None
        self.has_left = False
        """Whether it ends, or has ended, as it was meant to."""

    def has_ended(self) -> bool:
        """Whether it has ended, without a step."""
        popen = self.process._popen  # noqa: SLF001 - the simulation's own
        return popen is None or popen.task.done.state == ENDED

    def is_plain(self) -> bool:
        """Whether it has nothing that its end would have to take care of."""
        popen = self.process._popen  # noqa: SLF001 - the simulation's own
        assert popen is not None  # noqa: S101 - it was started
        state, group = popen.state, popen.group
        has_helpers = any(
            task.group is group and task is not popen.task and task.done.state != ENDED
            for task in self.crew.kernel.tasks
        )
        things = (state.ends, popen.inherited, state.finalizers, state.children)
        return not (any(things) or has_helpers or "pools" in group.state)


class Crew:
    """The tasks and the workers of one pool."""

    dumps: Callable[[Any], Any] = staticmethod(pickled)
    loads: Callable[[Any], Any] = staticmethod(pickle.loads)

    def __init__(
        self,
        process: Callable[..., BaseProcess],
        initializer: Any,
        initargs: tuple[Any, ...],
        max_tasks: int | None,
        *,
        daemon: bool,
    ) -> None:
        kernel = self.kernel = active_kernel()
        self.process = process
        self.initializer = initializer
        self.initargs = initargs
        self.max_tasks = max_tasks
        self.daemon = daemon
        self.target = kernel.new_target("pool")
        self.losses = kernel.new_target("losses")
        """Its state is the number of workers that have ended and nobody has dealt with."""
        self.tasks: deque[Task] = deque()
        self.members: list[Member] = []
        self.is_terminated = False
        self.follow_up: FollowUp | None = None
        self.feeder: Feeder | None = None
        """Who takes the items of `imap`, if they are taken one by one."""
        kernel.reckon_with_waiting_tasks()

    # --- workers --------------------------------------------------------------------------------

    def start_worker(self) -> None:
        """Start one more worker."""
        process = self.process(
            target=_work, args=(share(self), len(self.members), self.initializer, self.initargs)
        )
        process.name = (
            process.name.replace("Process", "PoolWorker") if self.daemon else process.name
        )
        process.daemon = self.daemon
        member = Member(self, process)
        self.members.append(member)
        process.start()
        popen = process._popen  # noqa: SLF001 - the simulation's own
        assert popen is not None  # noqa: S101 - just started
        popen.on_end = lambda: self._note_loss(member)
        if self.kernel.are_kills_points:
            self.kernel.point(Operation("look at", self.target, Mode.READ))
            if self.is_terminated:
                popen.send_signal(15)

    def watch(self, deal_with_losses: Callable[[], object]) -> None:
        """Have a helper of the running process called for each loss."""
        kernel = self.kernel

        def live() -> None:
            while True:
                kernel.point(Operation("serve", self.losses, Mode.WRITE, _is_positive))
                self.losses.state -= 1
                deal_with_losses()

        helper = kernel.new_task("pool's helper", live)
        helper.is_helper = True
        kernel.launch(helper)

    def _note_loss(self, member: Member) -> None:
        """Note, in the step that ends a worker, that it has ended before its time."""
        if self.is_terminated:
            return
        self.kernel.note_cause(member.own, self.losses)
        self.losses.state += 1

    def leave_early(self, member: Member, *, has_done_its_tasks: bool) -> None:
        """Note that a worker ends before the pool does. One step, which its worker takes."""
        more = ((member.own, Mode.WRITE, None),)
        self.kernel.point(Operation("leave", self.losses, Mode.WRITE, None, more))
        member.has_left = has_done_its_tasks
        if not self.is_terminated:
            self.losses.state += 1

    # --- tasks ----------------------------------------------------------------------------------

    def submit(self, tasks: list[Task]) -> None:
        """Let the workers have tasks, in this order, after what is fed to them. One step."""
        feeder = self.feeder
        if feeder is None:
            self.kernel.point(Operation("submit to", self.target))
        else:
            more = ((feeder.target, Mode.WRITE, None),)
            self.kernel.point(Operation("submit to", self.target, Mode.WRITE, None, more))
            if feeder.take_over(tasks):
                return
        self.add_here(tasks)

    def add_here(self, tasks: list[Task]) -> None:
        """Do so in a step of the caller's, which writes the target."""
        self.tasks.extend(tasks)
        self.target.state += _ONE_TASK * len(tasks)

    def take(self, member: Member) -> Task | None:
        """Wait for a task; None when there will be none. One step."""
        more = ((member.own, Mode.WRITE, _is_here),)
        self.kernel.point(Operation("serve", self.target, Mode.WRITE, _can_take, more))
        if not self.tasks:
            return None
        member.own.state = _BUSY
        member.task = self.tasks.popleft()
        self.target.state -= _ONE_TASK
        return member.task

    def deliver(
        self, member: Member, task: Task, outcome: Outcome, *, is_leaving: bool = False
    ) -> None:
        """Deliver what came of a task. One step, and what follows from it."""
        more = tuple((target, Mode.WRITE, None) for target in task.targets(outcome[0]))
        self.kernel.point(Operation("finish a task of", member.own, Mode.WRITE, None, more))
        member.task = None
        task.deliver(outcome)
        if not is_leaving:
            member.own.state = _IDLE
        task.after_delivery()

    def drop_tasks(self) -> list[Task]:
        """Forget all tasks that wait, in a step of somebody else's; return them."""
        dropped = list(self.tasks)
        self.tasks.clear()
        self.target.state &= _CLOSING
        return dropped

    # --- the end --------------------------------------------------------------------------------

    def _close_operation(self, kind: str) -> Operation:
        more = [(member.own, Mode.WRITE, None) for member in self.members]
        if self.kernel.are_kills_points:
            # It ends those who are idle, which whoever would kill them comes before or after.
            popens = [member.process._popen for member in self.members]  # noqa: SLF001 - the simulation's
            more += [(popen.task.done, Mode.WRITE, None) for popen in popens if popen is not None]
        return Operation(kind, self.target, Mode.WRITE, None, tuple(more))

    def close(self) -> None:
        """Let the workers end when nothing is left to do. One step."""
        self.kernel.point(self._close_operation("close"))
        self.target.state |= _CLOSING
        if not self.tasks:
            self._end_idle_workers(0)

    def terminate(self) -> None:
        """End all workers wherever they are, and forget their tasks. One step, two for each that works."""
        self.kernel.point(self._close_operation("terminate"))
        self.is_terminated = True
        self.drop_tasks()
        self._end_idle_workers(-15)
        for member in self.members:
            popen = member.process._popen  # noqa: SLF001 - the simulation's own
            if not member.has_ended() and popen is not None:
                popen.send_signal(15)
        self.join()

    def _end_idle_workers(self, code: int) -> None:
        for member in self.members:
            if member.own.state == _IDLE and not member.has_ended() and member.is_plain():
                popen = member.process._popen  # noqa: SLF001 - the simulation's own
                assert popen is not None  # noqa: S101 - it has started
                # Its task stays where it waits, for ever: the search sees that it could have taken one.
                member.own.state = _GONE
                member.has_left = True
                popen.exit_code = code
                popen.group.life.state = 0
                popen.task.done.state = ENDED
                self.kernel.note_cause(self.target, popen.task.done)

    def join(self) -> None:
        """Wait until all workers have ended. One step each."""
        for member in list(self.members):
            if member.process._popen is not None:  # noqa: SLF001 - the simulation's own
                member.process.join()

    # --- what is called in the process that owns the pool -----------------------------------------

    def follow_ups(self) -> FollowUp:
        """Return who calls back, in a thread of the running process, started if need be."""
        if self.follow_up is None:
            self.follow_up = FollowUp(self.kernel)
        return self.follow_up


class ThreadCrew(Crew):
    """The tasks of a pool whose workers are threads: nothing is pickled, and nobody is killed."""

    dumps = staticmethod(_same)
    loads = staticmethod(_same)

    def start_worker(self) -> None:
        """Start one more worker."""
        member = Member(self, self.process(target=self._live, args=(len(self.members),)))
        member.process.daemon = True
        self.members.append(member)
        member.process.start()

    def _live(self, index: int) -> None:
        member = self.members[index]
        if self.initializer is not None:
            self.initializer(*self.initargs)
        _do_tasks(self, member)

    def close(self) -> None:
        """Let the workers end when nothing is left to do. One step."""
        self.kernel.point(Operation("close", self.target))
        self.target.state |= _CLOSING

    def terminate(self) -> None:
        """Forget the tasks that wait; the workers end when they have done theirs. One step."""
        self.kernel.point(Operation("terminate", self.target))
        self.is_terminated = True
        self.drop_tasks()
        self.target.state |= _CLOSING

    def join(self) -> None:
        """Wait until all workers have ended. One step each."""
        for member in list(self.members):
            member.process.join()


def _work(number: int, index: int, initializer: Any, initargs: tuple[Any, ...]) -> None:
    """Take tasks and do them: the life of a worker, in its process."""
    crew: Crew = shared(number)
    member = crew.members[index]
    kernel = crew.kernel
    try:
        if initializer is not None:
            initializer(*initargs)
        if kernel.running.steps:
            kernel.point(Operation("be ready", member.own))
        member.own.state = _IDLE
        _do_tasks(crew, member)
    except Killed:
        raise
    except BaseException:
        crew.leave_early(member, has_done_its_tasks=False)
        raise


def _do_tasks(crew: Crew, member: Member) -> None:
    done = 0
    while crew.max_tasks is None or done < crew.max_tasks:
        task = crew.take(member)
        if task is None:
            member.has_left = True
            return
        done += 1
        if task.is_wanted():
            work = crew.loads(task.data)
            outcome = work(crew.dumps)
            crew.deliver(member, task, outcome, is_leaving=done == crew.max_tasks)
        else:
            member.task = None
    crew.leave_early(member, has_done_its_tasks=True)

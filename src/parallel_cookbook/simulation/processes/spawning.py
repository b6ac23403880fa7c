"""The start of a process, its end, and what its parent knows of it.

Guarantees, as with a spawned process of the system: what the child is given is pickled before it starts,
in the parent, and an error is raised there. The child has modules of its own; it executes the main file
as `__mp_main__`, unpickles its Process object, runs it, and at the end waits for its non-daemon threads,
ends the daemon ones and closes what it holds open of pipes.

The start, the end, and each look of the parent are one step each, on the task of the process. Starts and
ends are points only if somebody looks, as those of threads.

A process is ended from outside in two steps: the signal is sent, and takes effect, wherever the tasks of
the process are then. The program that does so is explored with finer points; see `Kernel.end_group`.
"""

from __future__ import annotations

import multiprocessing.process
import multiprocessing.spawn
import pickle
import sys
import traceback
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Killed, Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.processes.channels import close_all
from parallel_cookbook.simulation.processes.faults import expose
from parallel_cookbook.simulation.processes.pickling import ForkingPickler
from parallel_cookbook.simulation.processes.world import (
    DEFAULT_METHOD,
    OwnState,
    own_state,
    world_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel import Kernel
    from parallel_cookbook.simulation.processes.channels import End
    from parallel_cookbook.simulation.processes.process import BaseProcess

ENDED = 2
_SENTINEL_BASE = 1_000
_MAX_DEPTH = 40
"""How many processes may be started inside of one another."""


def is_ended(state: int) -> bool:
    """Whether a process in this state of its task has ended."""
    return state == ENDED


def is_last(state: int) -> bool:
    """Whether of the non-daemon tasks of a process only one is left."""
    return state == 1


class Popen:
    """What the parent of a process, and whoever sends it signals, knows of it."""

    def __init__(self, process: BaseProcess) -> None:
        kernel = self._kernel = active_kernel()
        parent = own_state(kernel)
        if parent.is_preparing:
            raise RuntimeError(_complaint())
        if parent.depth == _MAX_DEPTH:
            kernel.exceed(
                f"this would be the {_MAX_DEPTH + 1}st process inside of one another, each started "
                "by the one before: it seems that they are started without end; let the processes start none "
                "themselves, or stop at a certain depth"
            )
        self.method = process._start_method or parent.method or DEFAULT_METHOD  # noqa: SLF001
        self.is_daemon = process.daemon
        self.returncode: int | None = None
        """The exit code, once the parent has seen that the process has ended."""
        self.exit_code = 0
        """The exit code, once the process has ended."""
        self.inherited: list[End] = []
        """Ends of pipes that are pickled for it: they are open there from the start."""
        self._data = self._pickle(parent, process)
        self.task = kernel.new_group(process.name, self._live)
        self.group = self.task.group
        self.state = self.group.state["process"] = OwnState(self.group)
        self.state.popen = self
        self.state.depth = parent.depth + 1
        self.state.parent_pid = parent.pid
        self.pid = self.state.pid
        self.sentinel = _SENTINEL_BASE + self.pid
        self.ignores_sigterm = False
        self.is_doomed = False
        self.on_end: Callable[[], object] | None = None
        """Called in the step that ends it from outside, or here and now."""
        world_of(kernel).started[self.pid] = self
        kernel.point_of_life(kernel.start_operation(self.task))
        kernel.launch(self.task)
        expose(kernel, self)

    def _pickle(self, parent: OwnState, process: BaseProcess) -> bytes:
        me = self._kernel.running
        parent.spawning[me] = self
        try:
            return bytes(ForkingPickler.dumps(process))
        except BaseException:
            for end in self.inherited:
                end.handles.state -= 1
            raise
        finally:
            del parent.spawning[me]

    # --- its life, in its own task --------------------------------------------------------------

    def _live(self) -> None:
        kernel, group = self._kernel, self.group
        self.exit_code = self._run()
        if _has_threads(kernel):
            kernel.point(Operation("exit", group.life, Mode.WRITE, is_last))
            kernel.end_group(group)
            group.life.state = 1
        close_all(kernel, self.state)

    def _run(self) -> int:
        """Be the process; return its exit code."""
        kernel, state = self._kernel, self.state
        code = 1
        name = "Process"
        try:
            state.is_preparing = True
            try:
                space = self.group.space = kernel.loader and kernel.loader.new_space()
                if space is not None:
                    space.prepare()
                process: BaseProcess = pickle.loads(self._data)  # noqa: S301 - the parent's own
            finally:
                state.is_preparing = False
            name = f"Process {process.name}"
            state.current = process
            process._popen = None  # noqa: SLF001 - it is another process's
            try:
                process.run()
                code = 0
            finally:
                if not kernel.is_unwinding:
                    _exit_function(kernel)
        except Killed:
            raise
        except SystemExit as error:
            code = _code_of(error)
        except BaseException as error:  # noqa: BLE001 - whatever ends the process
            code = 1
            print(f"{name}:", file=sys.stderr)  # noqa: T201 - as CPython does
            traceback.print_exception(error, file=sys.stderr)
            kernel.on_uncaught(kernel.running, error)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        return code

    # --- for others -----------------------------------------------------------------------------

    def poll(self) -> int | None:
        """Return the exit code; None if the process has not ended. One step, none once it has."""
        if self.returncode is None:
            kernel = self._kernel
            kernel.demand_life_points()
            kernel.point(Operation("look at", self.task.done, Mode.READ))
            if self.task.done.state == ENDED:
                self.returncode = self.exit_code
        return self.returncode

    def peek(self) -> int | None:
        """Return what `poll` would, without a step."""
        return self.exit_code if self.task.done.state == ENDED else self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end, or for `timeout` seconds; return what `poll` does. One step."""
        if self.returncode is not None:
            return self.returncode
        kernel, done = self._kernel, self.task.done
        if timeout is None:
            operation = Operation("join", done, Mode.READ, is_ended)
            if done.state == ENDED and not kernel.are_lives_points:
                kernel.settle(operation)  # it has ended for good
            else:
                kernel.point(operation)
        else:
            kernel.demand_life_points()
            operation = timed(kernel, "join", done, Mode.READ, is_ended, max(timeout, 0))
            kernel.point(operation)
            if done.state != ENDED:
                expire(kernel, operation)
                return None
        self.returncode = self.exit_code
        return self.returncode

    def duplicate_for_child(self, end: End) -> None:
        """Open an end of a pipe in the process, too: one that the running process holds open."""
        end.handles.state += 1
        self.inherited.append(end)

    def send_signal(self, number: int, *, can_be_ignored: bool = True) -> None:
        """Have a signal end the process, wherever it is then. Two steps; this is the first."""
        kernel, group = self._kernel, self.group
        if self.returncode is not None or self.is_doomed:
            return
        kernel.demand_kill_points()
        kernel.point(Operation("signal", self.task.done, Mode.READ))
        if self.task.done.state == ENDED:
            return

        def take_effect() -> None:
            if self.task.done.state == ENDED or (can_be_ignored and self.ignores_sigterm):
                return
            self.end(-number)

        # It takes all that the process holds open with it.
        more = [(self.task.done, Mode.WRITE, None)]
        more += [(end.handles, Mode.READ, None) for end in self.state.ends.values()]
        die = Operation("die", group.life, Mode.WRITE, None, tuple(more))
        kernel.add_effect(f"signal {number} to {self.task.name}", die, take_effect)

    def end(self, exit_code: int) -> None:
        """End the process here and now, in the running task's step."""
        self.exit_code = exit_code
        self._kernel.end_group(self.group)
        close_all(self._kernel, self.state, is_step=False)
        if self.on_end is not None:
            self.on_end()


def _complaint() -> str:
    """Return what the running interpreter says of a process that is started too early."""
    me = multiprocessing.process.current_process()
    vars(me)["_inheriting"] = True  # what it looks at
    try:
        multiprocessing.spawn.get_preparation_data("")
    except RuntimeError as error:
        return str(error)
    finally:
        del vars(me)["_inheriting"]
    raise AssertionError("the interpreter does not complain")


def _code_of(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    print(error.code, file=sys.stderr)  # noqa: T201 - as CPython does
    return 1


# --- the end of a process, from inside ----------------------------------------------------------


def _exit_function(kernel: Kernel) -> None:
    """Do what `multiprocessing` does when a process ends."""
    state = own_state(kernel)
    if state.is_exiting:
        return
    state.is_exiting = True
    run_finalizers(state, 0)
    for child in list(state.children):
        if child.daemon and child._popen is not None and child._popen.poll() is None:  # noqa: SLF001
            child._popen.send_signal(15)  # noqa: SLF001
    for child in list(state.children):
        child.join()
    run_finalizers(state, None)


def _has_threads(kernel: Kernel) -> bool:
    """Whether the running process has ever had threads besides the running one."""
    me = kernel.running
    return any(t.group is me.group and t is not me and not t.is_helper for t in kernel.tasks)


def processes_left() -> list[str]:
    """Return the names of the processes that still run, without the daemons."""
    kernel = active_kernel()
    started = world_of(kernel).started.values()
    return [p.task.name for p in started if p.task.done.state != ENDED and not p.is_daemon]


def run_finalizers(state: OwnState, lowest: float | None) -> None:
    """Call what was registered for the end of the process, from this priority up; None: all."""
    keys = [key for key in state.finalizers if lowest is None or key[0] >= lowest]
    for key in sorted(keys, reverse=True):
        finalizer = state.finalizers.pop(key, None)
        if finalizer is None:
            continue
        try:
            finalizer()
        except Exception as error:  # noqa: BLE001 - as CPython does
            traceback.print_exception(error, file=sys.stderr)


def shut_down_processes() -> None:
    """Do so at the end of the program's first process, once its non-daemon threads have ended."""
    kernel = active_kernel()
    state = kernel.running.group.state.get("process")
    if state is None or not (state.children or state.finalizers):
        return
    if _has_threads(kernel):
        life = kernel.running.group.life
        kernel.point(Operation("wait for threads", life, Mode.WRITE, is_last))
    _exit_function(kernel)


def add_finalizer(priority: float, function: Any) -> tuple[float, int]:  # noqa: ANN401
    """Have `function` called when the running process ends; return the key to `finalizers`."""
    state = own_state(active_kernel())
    state.made_finalizers += 1
    key = (priority, state.made_finalizers)
    state.finalizers[key] = function
    return key

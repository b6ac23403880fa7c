"""Execute the program under a chooser, once or often: what it printed, how it ended, what went wrong."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

from parallel_cookbook.check.copies import gives_copy
from parallel_cookbook.check.fault import Fault
from parallel_cookbook.check.hooks import CheckHooks
from parallel_cookbook.check.lock_order import LockOrder
from parallel_cookbook.check.memory import Memory
from parallel_cookbook.check.polling import Poll
from parallel_cookbook.check.program import Entry, Program
from parallel_cookbook.check.remarks import Leak
from parallel_cookbook.check.shared_races import SharedRaces
from parallel_cookbook.check.stall import stall_fault
from parallel_cookbook.check.surroundings import Output, Surroundings
from parallel_cookbook.errors import CookbookError, UnsupportedError
from parallel_cookbook.instrument import SiteTable, file_of
from parallel_cookbook.kernel import Chooser, Ending, Kernel, Operation, Task
from parallel_cookbook.simulation import processes_left, shut_down, shut_down_processes
from parallel_cookbook.simulation.processes.world import world_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import FrameType, TracebackType

    from parallel_cookbook.check.cycles import Round
    from parallel_cookbook.check.result import FailureKind

_PACKAGE = Path(__file__).parent.parent
_OWN_FOLDERS = {_PACKAGE / room for room in ("check", "kernel", "strategies", "instrument")}
_RELEASES, _LIVES, _KILLS, _HANDOVERS = "rels", "live", "kill", "hand"
"""Keys of a grain: giving back a lock is a point; so are starts and ends of tasks; processes are killed;
what a queue was given changes."""
MAX_FAULTS = 9
_FAULTS = "flt"
"""Followed by their number: processes may be killed anywhere."""
_TICKS_PER_STEP = 50
"""How many turns of loops without a scheduling point count as much as a step."""


@dataclass(slots=True)
class Execution:
    """What came of one execution."""

    ending: Ending
    steps: int
    stdout: str
    result: str
    faults: list[Fault] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    """The blocks of shared memory that it has not unlinked, if it has come to its end as it should."""

    @property
    def is_complete(self) -> bool:
        """Whether it ran to its end: it was not cut off."""
        return self.ending is not Ending.CUT

    @property
    def met_limit(self) -> bool:
        """Whether it was cut off because it took too many steps."""
        return any(fault.kind == "step-limit" for fault in self.faults)


@mypyc_attr(allow_interpreted_subclasses=True)
class Machine:
    """Executes one program again and again, in one kernel, with one memory of what races."""

    def __init__(
        self,
        entry: Entry,
        *,
        max_steps: int,
        include: Sequence[str] = (),
        faults: int = 0,
        hooks: type[CheckHooks] = CheckHooks,
    ) -> None:
        self.entry = entry
        self.max_steps = max_steps
        self.kernel = Kernel(_Nobody())
        self.kernel.max_steps = max_steps
        self.kernel.are_releases_points = False
        self.kernel.are_lives_points = False
        self._allow_faults(faults)
        self.kernel.on_uncaught = self._on_uncaught
        self.kernel.on_handled = self._on_handled
        self.kernel.on_refusal = self._on_refusal
        self.kernel.on_limit = self._on_limit
        self.sites = SiteTable()
        self.memory = Memory(self.kernel, self.sites)
        self.hooks = hooks(self.kernel, self.memory, _TICKS_PER_STEP * max_steps)
        self.program = Program(
            entry,
            self.kernel,
            self.sites,
            self.hooks,
            include=include,
            on_new_sites=self.memory.grow,
        )
        self.hooks.module_names = self.program.module_of_file
        self.shared_races = SharedRaces(self.kernel, self.program.module_of_file)
        self.kernel.on_shared_access = self.shared_races.access
        self.hooks.on_endless_loop = self._on_endless_loop
        self.hooks.cycles.program = self.program
        self.hooks.cycles.on_round = self._on_round
        self.hooks.on_late_binding = self._on_late_binding
        self.hooks.on_module_store = self._on_module_store
        self.has_new_places = False
        """Whether an execution has shown that a name must be tracked which was not."""
        self._faults: list[Fault] = []
        self.handled: list[Fault] = []
        """Exceptions that have ended processes, and that the present execution has dealt with."""
        self.has_copies = False
        """Whether a proxy has given out a copy that might be changed in place of the original."""
        self.kernel.on_answer = self._on_answer
        self.start_methods: set[str] = set()
        """By which methods the program's processes were to be started."""
        self.is_out_of_time = False
        """Whether executions have been cut off because there is no time left."""
        self.is_stalled = False
        """Whether an execution has been ended because it stood still."""
        self._executions = 0
        self._output = Output(self.kernel)
        self._is_executing = False
        self._has_suspected = False
        self._has_left_out_counts = False
        self._has_left_out_prints = self._has_left_out_sleeps = self._has_read_clock = False

    def execute(self, chooser: Chooser, repeats: int | None = None) -> Execution:
        """Execute the program once; `chooser` says who goes on after the first `repeats` steps.

        These are repeated as the last execution had them, which must have been of the same search.
        """
        kernel = self.kernel
        kernel.chooser = chooser
        self.memory.begin_execution()
        self.hooks.begin_execution()
        self._faults = []
        self.handled = []
        returned: list[object] = []
        self._executions += 1
        with Surroundings(self._output, self.entry) as surroundings:
            self.program.put_back()
            output = self._output = surroundings.renew_output()
            self.hooks.cycles.count_printed = output.count_kept
            self._is_executing = True
            try:
                ending = kernel.run(lambda: returned.append(self._call()), repeats)
            finally:
                self._is_executing = False
        if ending is Ending.DEADLOCK:
            polls = any(isinstance(task.operation, Poll) for task in kernel.tasks)
            kind: FailureKind = "livelock" if polls else "deadlock"
            self._faults.append(Fault(kind, self._who_waits(), "", ""))
        elif ending is Ending.CUT and kernel.position >= kernel.max_steps > 0:
            message = f"still running after {kernel.position:,} steps; --max-steps allows more"
            self._faults.append(Fault("step-limit", message, kernel.running.name, ""))
        if "processes" in kernel.state:
            self.start_methods.update(popen.method for popen in world_of(kernel).started.values())
        clock = kernel.state.get("clock")
        self._has_read_clock |= clock is not None and clock.target.version > 0
        result = ending.value
        if returned:
            result = "None" if returned[0] is None else _without_addresses(repr(returned[0]))
        is_regular = ending is Ending.FINISHED and not (self._faults or kernel.max_faults)
        leaks = self._leaks() if is_regular else []
        return Execution(ending, kernel.position, output.text(), result, self._faults, leaks)

    def grain(self) -> frozenset[str]:
        """Return what is a scheduling point now, as keys that survive a change of unrelated lines."""
        keys = set(self.memory.visible_keys())
        if self.kernel.are_releases_points:
            keys.add(_RELEASES)
        if self.kernel.are_lives_points:
            keys.add(_LIVES)
        if self.kernel.are_kills_points:
            keys.add(_KILLS)
        if self.kernel.are_handovers_points:
            keys.add(_HANDOVERS)
        if self.kernel.max_faults:
            keys.add(f"{_FAULTS}{self.kernel.max_faults}")
        return frozenset(keys | self.hooks.class_stores | self.program.tracked)

    def set_grain(self, keys: Iterable[str]) -> None:
        """Make scheduling points, from the next execution on, what was one when `grain` was asked."""
        known = frozenset(keys)
        self.memory.preset = known
        self.hooks.class_stores = set(known)
        self.program.tracked = set(known)
        self.kernel.are_releases_points = _RELEASES in known
        self.kernel.are_lives_points = _LIVES in known
        self.kernel.are_kills_points = _KILLS in known
        self.kernel.are_handovers_points = _HANDOVERS in known
        self._allow_faults(
            max((n for n in range(MAX_FAULTS + 1) if f"{_FAULTS}{n}" in known), default=0)
        )

    def _allow_faults(self, number: int) -> None:
        """Let so many processes of an execution be killed anywhere, which needs points everywhere."""
        kernel = self.kernel
        kernel.max_faults = number
        if number:
            kernel.are_kills_points = kernel.are_releases_points = kernel.are_lives_points = True

    def watch_lock_order(self) -> LockOrder:
        """Collect, in the next execution, which locks are taken while which are held."""
        order = LockOrder(self.program.module_of_file.__contains__)
        self.kernel.on_point = self.kernel.on_settle = order.step
        return order

    def stop_watching(self) -> None:
        """Collect no more: it costs time."""
        self.kernel.on_point = self.kernel.on_settle = None

    def suspects_livelock(self) -> bool:
        """Whether a loop has now turned so often that a livelock is possible; True once."""
        is_new = self.hooks.cycles.has_turning_loops and not self._has_suspected
        self._has_suspected |= is_new
        return is_new

    def learn(self) -> bool:
        """Take over what the executions have taught about the program; say whether that was anything.

        If so, an exploration has to begin again: it explored too few scheduling points.
        """
        has_news = (
            self.memory.reveal()
            | self.has_new_places
            | self.hooks.has_new_places
            | self.kernel.meet_demands()
        )
        self.has_new_places = self.hooks.has_new_places = False
        if has_news:
            self._has_suspected = self.hooks.cycles.has_turning_loops = False
        return has_news

    @property
    def has_left_out(self) -> bool:
        """Whether something that a loop could do by turning more often has not been followed.

        To print more often; to put more into a queue whose tasks are counted; or to let time pass, in a
        program that looks at the clock.
        """
        return (
            self._has_left_out_prints
            or self._has_left_out_counts
            or (self._has_left_out_sleeps and self._has_read_clock)
        )

    # --- for the watchdog: see check/watchdog.py ------------------------------------------------

    def progress(self) -> object:
        """Return what differs as soon as the program has got any further; None between executions."""
        if not self._is_executing:
            return None
        return self._executions, self.kernel.position, self.hooks.ticks, self.kernel.is_unwinding

    def end_soon(self) -> None:
        """Cut the present execution off, and all later ones, at the next point or turn of a loop."""
        self.is_out_of_time = True
        self._cut_at_next()

    def end_stalled(self, frame: FrameType | None, stall_s: float) -> str:
        """Note that the execution stands still in `frame`, and what to say of it, which is returned."""
        self.is_stalled = True
        fault = stall_fault(frame, self.program.module_of_file, self.kernel.running.name, stall_s)
        self._faults.append(fault)
        self.kernel.ending = Ending.CUT
        self._cut_at_next()
        return f"{fault.location}: {fault.message}"

    def leave_stalled(self) -> None:
        """End the present execution from within, in the middle of whatever it waits for."""
        self.kernel.cut()

    def _cut_at_next(self) -> None:
        self.kernel.max_steps = 0
        self.hooks.cut_loops()

    # --- inside ---------------------------------------------------------------------------------

    def _call(self) -> object:
        result = self.program.execute()
        shut_down()
        if self.entry.function:
            left = [
                task.name
                for task in self.kernel.tasks
                if task.uid >= 0
                and task.group is self.kernel.root
                and task.done.state == 1
                and not (task.is_daemon or task.is_helper)
            ][1:]
            if "processes" in self.kernel.state:
                left += processes_left()
            if left:
                names = ", ".join(left)
                message = f"{self.entry.function}() returned while {names} was still running"
                self._faults.append(Fault("leaked-task", message, left[0], ""))
        shut_down_processes()
        return result

    def _on_uncaught(self, task: Task, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt | CookbookError) and not isinstance(
            error, UnsupportedError
        ):
            raise error
        if _is_ours(error):
            raise error
        if isinstance(error, SystemExit) and (task.index or error.code in {None, 0}):
            return
        kind: FailureKind = "exception"
        if isinstance(error, AssertionError):
            kind = "assertion"
        elif isinstance(error, UnsupportedError):
            kind = "unsupported"
        text = str(error)
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
        location = self._location(error.__traceback__)
        self._faults.append(Fault(kind, _without_addresses(message), task.name, location))

    def _on_answer(self, method: str, args: object, result: object) -> None:
        self.has_copies = self.has_copies or gives_copy(method, args, result)

    def _leaks(self) -> list[Leak]:
        """Return the blocks of shared memory that have names at the end, by where they were made."""
        if "processes" not in self.kernel.state:
            return []
        files = self.program.module_of_file
        leaks = []
        for block in world_of(self.kernel).blocks.values():
            own = [f"{file}:{line}" for file, line in block.made_at if file in files]
            leaks.append(Leak(block.made_by, own[0] if own else ""))
        return leaks

    def _on_handled(self, task: Task) -> None:
        """Forget the exception that has ended a process: the program has seen how it ended."""
        self.handled += [fault for fault in self._faults if fault.task == task.name]
        self._faults = [fault for fault in self._faults if fault.task != task.name]

    def _on_refusal(self, task: Task, what: str) -> None:
        message = f"{what} cannot be checked: what it does is not under the check's control"
        self._faults.append(Fault("unsupported", message, task.name, self._present_place()))

    def _on_limit(self, task: Task, what: str) -> None:
        self._faults.append(Fault("step-limit", what, task.name, self._present_place()))

    def _present_place(self) -> str:
        """Return where the program is, as `file:line`."""
        frame = sys._getframe()  # noqa: SLF001 - to find the program's own line
        while (
            frame.f_back is not None and frame.f_code.co_filename not in self.program.module_of_file
        ):
            frame = frame.f_back
        return f"{frame.f_code.co_filename}:{frame.f_lineno}"

    def _location(self, traceback: TracebackType | None) -> str:
        """Return the innermost line of the program's own in a traceback, as `file:line`."""
        found = ""
        while traceback is not None:
            file = traceback.tb_frame.f_code.co_filename
            if file in self.program.module_of_file:
                found = f"{file}:{traceback.tb_lineno}"
            traceback = traceback.tb_next
        return found

    def _on_endless_loop(self, site: int) -> None:
        if self.is_out_of_time or self.is_stalled:
            self.kernel.cut()
        place = self.sites[site]
        message = (
            f"after {self.hooks.ticks:,} turns of loops, the last in line {place.line}; "
            "if the program needs more, raise --max-steps"
        )
        task = self.kernel.running
        self._faults.append(Fault("step-limit", message, task.name, f"{place.file}:{place.line}"))
        self.hooks.ticks = 0
        self.kernel.cut()

    def _on_round(self, found: Round) -> None:
        """Report a round that can go on for ever; tell the search that it need not follow it."""
        close = getattr(self.kernel.chooser, "close_round", None)
        is_covered = close is not None and close(self.kernel, found.first)
        if found.is_fair:
            self._faults.append(self._livelock(found))
        if is_covered:
            self._has_left_out_prints |= found.has_printed
            self._has_left_out_sleeps |= found.has_slept
            self._has_left_out_counts |= found.has_grown
        if found.is_fair:
            self.kernel.cut()

    def _livelock(self, found: Round) -> Fault:
        places = {task: self.sites[site] for task, site in found.loops}
        first = min(places.values(), key=lambda place: (place.file, place.line))
        who = [f"{task} in line {place.line}" for task, place in places.items()]
        loops = "its loop" if len(who) == 1 else "their loops"
        message = (
            f"{_listed(who)} can go round {loops} for ever: everything comes to be as it was before"
        )
        return Fault("livelock", message, "", f"{first.file}:{first.line}")

    def _on_late_binding(self, site: int) -> None:
        place = self.sites[site]
        if self.program.track_also(place.file, place.subject):
            self.has_new_places = True

    def _on_module_store(self, file: str, name: str) -> None:
        self.has_new_places |= self.program.track_also(file, name)

    def _who_waits(self) -> str:
        waits = [
            f"{task.name} waits {_for_what(task.operation)}"
            for task in self.kernel.tasks
            if task.operation is not None
            and task.operation.kind not in {"exit", "serve"}
            and task.effect is None
        ]
        return "; ".join(waits)


class _Nobody:
    """Stands in for a chooser until there is one."""

    def choose(self, kernel: Kernel) -> Task | None:
        del kernel
        return None


def _for_what(operation: Operation) -> str:
    """Return what somebody waits for: "for event", "to acquire lock"."""
    verb = operation.kind.removeprefix("wait ") if operation.kind.startswith("wait ") else ""
    return f"{verb or f'to {operation.kind}'} {operation.target.name or operation.target.kind}"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


_PERFORMING = frozenset({"hooks.py", "container_hooks.py", "insides.py"})
"""Files that perform the program's accesses, and raise what these raise."""


def _is_ours(error: BaseException) -> bool:
    """Whether the check itself raised it by mistake: then it says nothing about the program."""
    if isinstance(error, ImportError):
        return False  # the program's own, raised by the loader that stands in for the interpreter's
    if isinstance(error, RecursionError | MemoryError):
        return False  # whoever asked for the last bit of it
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    file = file_of(traceback.tb_frame.f_code)
    return file.parent in _OWN_FOLDERS and file.name not in _PERFORMING


def _without_addresses(text: str) -> str:
    """Take out what differs from execution to execution without meaning anything."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)

"""Runs a program with a recorder inside, watches it from outside, and leaves no process of it behind.

The program has our standard input, output and error, but a process group of its own, so that a Ctrl-C comes
to us first: while the program still hangs, it is looked at; only then it is interrupted and ended. If it
reads from the terminal, the terminal is given to it, and the Ctrl-C that follows is its own.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parallel_cookbook.errors import UsageError
from parallel_cookbook.run import processes, signals
from parallel_cookbook.trace.launch import command_for, note_run
from parallel_cookbook.trace.lookout import Lookout, Sighting
from parallel_cookbook.trace.reader import RUN_FILE, read_recording
from parallel_cookbook.trace.recorder.layout import STACKS_FILE
from parallel_cookbook.trace.snapshot import as_of, with_the_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from parallel_cookbook.trace.recording import Recording

_TICK_S = 0.05
_LEFTOVER_GRACE_S = 1.0
"""How long a resource tracker or fork server, which end by themselves, may outlive the program."""
_STACKS_S = 1.0
_CUT_FILE = "cut.json"
"""When and why the run was cut off, and who lived then."""


class Ending(enum.StrEnum):
    """How a traced run came to its end."""

    ENDED = "ended"
    """By itself."""
    LEFTOVER = "leftover"
    """By itself, but processes that it had started still ran; ended by us."""
    TIME_OUT = "time-out"
    """Still running when its time was up; ended by us."""
    DEADLOCK = "deadlock"
    """Nobody in it could ever go on; ended by us."""
    INTERRUPTED = "interrupted"
    """Cut off by Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be traced."""

    name: str
    """A file, or a module's name."""
    arguments: tuple[str, ...] = ()
    is_module: bool = False
    function: str = ""
    """Of the file; empty: run all of it."""
    title: str = ""
    """What to call it, if not by its name: a recipe's id."""

    @property
    def shown(self) -> list[str]:
        """The command as a person would write it."""
        name = f"{self.name}::{self.function}" if self.function else self.name
        return [*(["-m"] if self.is_module else []), self.title or name, *self.arguments]


@dataclass(frozen=True, slots=True)
class Traced:
    """What came of a traced run."""

    ending: Ending
    exit_code: int | None
    """As subprocess tells it: -N for signal N; None if it was cut off."""
    recording: Recording | None
    """None if nothing was recorded."""

    @property
    def was_cut_off(self) -> bool:
        """Whether we ended it."""
        return self.ending not in {Ending.ENDED, Ending.LEFTOVER}


def trace_program(
    program: Program,
    folder: Path,
    *,
    mark: str,
    start_method: str | None = None,
    timeout_s: float | None = None,
    output_to_stderr: bool = False,
    on_start: Callable[[int], object] = lambda _group: None,
    on_sighting: Callable[[Sighting], object] = lambda _sighting: None,
) -> Traced:
    """Run a program with a recorder inside, and return what was recorded; the files stay in `folder`.

    Blocks until the program ends, its time is up, Ctrl-C, or a deadlock of all of it. Whatever way this is
    left, all processes that the program started are ended.

    start_method: the default start method for the program's processes; None leaves Python's own.
    timeout_s: wall seconds, without those that Ctrl-Z stopped us for; None waits for ever.
    output_to_stderr: let the program's standard output go where our standard error goes.
    on_start: called with the program's process group once it runs.
    on_sighting: called once with a deadlock for which the program is not ended: of some of its tasks, or one
        that a signal may end.

    Raises UsageError if the program cannot be started.
    """
    note_run(folder, program.shown)
    command = command_for(
        folder,
        program.name,
        program.arguments,
        is_module=program.is_module,
        function=program.function,
        start_method=start_method,
    )
    run = _Run(folder, mark, timeout_s, on_sighting)
    with run.ending_all():
        run.start(command, output_to_stderr=output_to_stderr)
        on_start(run.group)
        run.watch()
    recording = run.recording
    if not run.was_cut_off:
        with contextlib.suppress(UsageError):
            note_run(folder, program.shown, run.exit_code)
            recording = with_the_dead(read_recording(folder), ())
    return Traced(run.ending, run.exit_code, recording)


def read_traced(folder: Path) -> Traced:
    """Return what came of a run that was traced before. Raises UsageError if `folder` holds no recording."""
    recording = read_recording(folder)
    try:
        cut: dict[str, Any] = json.loads((folder / _CUT_FILE).read_text(encoding="utf-8"))
        ending, moment, living = Ending(cut["ending"]), int(cut["moment"]), set(cut["living"])
    except (OSError, ValueError, KeyError, TypeError):
        return Traced(Ending.ENDED, recording.exit_code, with_the_dead(recording, ()))
    return Traced(ending, None, with_the_dead(as_of(recording, moment), living))


class _Run:
    """One run."""

    def __init__(
        self,
        folder: Path,
        mark: str,
        timeout_s: float | None,
        on_sighting: Callable[[Sighting], object],
    ) -> None:
        self._folder = folder
        self._mark = mark
        self._timeout_s = timeout_s
        self._on_sighting = on_sighting
        self._time = signals.RunningTime()
        self._began = self._time.now()
        self._process: subprocess.Popen[bytes] | None = None
        self.ending = Ending.ENDED
        self.exit_code: int | None = None
        self.recording: Recording | None = None

    @property
    def group(self) -> int:
        """The program's process group."""
        assert self._process is not None  # noqa: S101 - started before
        return self._process.pid

    @property
    def was_cut_off(self) -> bool:
        """Whether we ended it."""
        return self.ending not in {Ending.ENDED, Ending.LEFTOVER}

    def start(self, command: Sequence[str], *, output_to_stderr: bool) -> None:
        """Start the program."""
        sys.stdout.flush()
        sys.stderr.flush()
        with signals.held_back():
            try:
                self._process = subprocess.Popen(
                    command,
                    stdout=2 if output_to_stderr else None,
                    env={**os.environ, **processes.environment_of(self._mark)},
                    process_group=0,
                )
            except OSError as error:  # too many processes, or too long arguments
                raise UsageError(f"cannot start {sys.executable!r}: {error.strerror}") from None

    def watch(self) -> None:
        """Wait for the program's end, or for what cuts it off; then note how it stands."""
        try:
            with self._time.shared_with(self.group), _terminal_lent(self.group) as lend:
                self.ending = self._wait(Lookout(self._folder, self._mark, self.group), lend)
                if self.ending is Ending.ENDED:
                    self._wait_for_leftovers()
        except KeyboardInterrupt:
            self.ending = Ending.INTERRUPTED
        if self.was_cut_off:
            with signals.held_back(forget=True):
                self._take_snapshot()

    def _wait(self, lookout: Lookout, lend: Callable[[], None]) -> Ending:
        assert self._process is not None  # noqa: S101 - started before
        was_told = False
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.exit_code = self._process.wait(_TICK_S)
                return Ending.ENDED
            lend()
            if self._timeout_s is not None and self._time.now() - self._began > self._timeout_s:
                return Ending.TIME_OUT
            sighting = lookout.look()
            if sighting and sighting.is_final:
                return Ending.DEADLOCK
            if sighting and not was_told:
                was_told = True
                self._on_sighting(sighting)

    def _wait_for_leftovers(self) -> None:
        if not processes.wait_until_gone(self._mark, self.group, _LEFTOVER_GRACE_S):
            self.ending = Ending.LEFTOVER

    def _take_snapshot(self) -> None:
        """Note how the program stands, before it is interrupted: its files go on, and would hide that."""
        began = json.loads((self._folder / RUN_FILE).read_text(encoding="utf-8"))["began"]
        moment = time.monotonic_ns() - int(began)
        members = processes.members(self._mark, self.group)
        found = self._read_with_stacks(Lookout(self._folder, self._mark, self.group), members)
        if found is None:
            return
        self.recording = as_of(found, moment)
        living = [process.pid for process in self.recording.processes if process.ended < 0]
        words = {"ending": self.ending, "moment": moment, "living": living}
        with contextlib.suppress(
            OSError
        ):  # the disk is full: only a later look at it will miss this
            (self._folder / _CUT_FILE).write_text(json.dumps(words), encoding="utf-8")

    def _read_with_stacks(self, lookout: Lookout, members: list[int]) -> Recording | None:
        """Ask each process for its stacks, and return what is recorded; wait a second at most."""
        with contextlib.suppress(OSError):
            (self._folder / STACKS_FILE).write_text("", encoding="utf-8")
        deadline = time.monotonic() + _STACKS_S
        while True:
            found = lookout.read(members)
            if found is None or time.monotonic() > deadline:
                return found
            told = {found.tasks[task].process for task in found.stacks}
            living = {process.index for process in found.processes if process.ended < 0}
            if living <= told:
                return found
            time.sleep(_TICK_S)

    @contextlib.contextmanager
    def ending_all(self) -> Iterator[None]:
        """End all processes when the block is left, whatever signals come."""
        was_left_well = False
        try:
            yield
            was_left_well = True
        finally:
            with signals.held_back(forget=not was_left_well or self.was_cut_off):
                if self._process is None:
                    processes.end_all(self._mark)
                else:
                    is_interrupt = self.ending is Ending.INTERRUPTED
                    processes.end_all(self._mark, self.group, interrupt=is_interrupt)
                    self._process.wait()


@contextlib.contextmanager
def _terminal_lent(group: int) -> Iterator[Callable[[], None]]:
    """Yield what gives the terminal to a process group that was stopped because it wanted to read there.

    The terminal is ours again in the end.
    """
    try:
        terminal = os.open(os.ctermid(), os.O_RDWR)
        owner = os.tcgetpgrp(terminal)
    except OSError:  # there is none
        yield lambda: None
        return
    is_lent = False

    def lend() -> None:
        nonlocal is_lent
        if not is_lent and _wants_terminal(group) and os.tcgetpgrp(terminal) == os.getpgrp():
            _give(terminal, group)
            is_lent = True
            os.killpg(group, signal.SIGCONT)

    try:
        yield lend
    finally:
        if is_lent:
            _give(terminal, owner)
        os.close(terminal)


def _wants_terminal(pid: int) -> bool:
    """Whether a child was stopped because it is not in the terminal's foreground."""
    try:
        stopped = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    if stopped is None or stopped.si_code != os.CLD_STOPPED:
        return False
    return stopped.si_status in {signal.SIGTTIN, signal.SIGTTOU}


def _give(terminal: int, group: int) -> None:
    """Put a process group into the terminal's foreground; we may be in the background ourselves."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError):
            os.tcsetpgrp(terminal, group)
    finally:
        signal.signal(signal.SIGTTOU, before)

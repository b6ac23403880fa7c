"""Run one program in a process group of its own, pass its output on, and judge how it ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from parallel_cookbook.errors import UnsupportedError, UsageError
from parallel_cookbook.run import processes, signals
from parallel_cookbook.run.output import Output, Stream
from parallel_cookbook.run.result import RunResult, Verdict, judge_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START_METHODS = ("fork", "spawn", "forkserver")

_LAUNCHER = Path(__file__).with_name("launcher.py")
_LEFTOVER_GRACE_S = 1.0
"""How long a resource tracker or fork server, which end by themselves, may outlive the program."""


class RunInterrupted(KeyboardInterrupt):
    """A Ctrl-C during a run; `result` is what had come of it."""

    def __init__(self, result: RunResult) -> None:
        super().__init__()
        self.result = result


def run_program(
    file: Path,
    arguments: Sequence[str] = (),
    *,
    function: str = "",
    start_method: str | None = None,
    timeout_s: float | None = 30.0,
    max_output_bytes: int = 1_000_000,
    mark: str | None = None,
    on_start: Callable[[int], object] = lambda _group: None,
    on_output: Callable[[Stream, str], None] = lambda _stream, _text: None,
) -> RunResult:
    """Run `file` as `python file arguments…` and wait for its end; leave no process of it behind.

    It runs in the current folder, with no standard input, in a process group of its own. Whatever
    way this function is left, by an exception too, all processes that the program started are
    ended.

    function: call this function of the file, without arguments, and not what stands under its
        `if __name__ == "__main__":`.
    start_method: the default start method for the program's processes; None leaves Python's own.
    timeout_s: wall seconds until the run is ended with TIME_OUT, without those that Ctrl-Z stopped
        us for; None waits for ever.
    max_output_bytes: what stdout and stderr together may hold until the run is ended with FLOOD.
    mark: identifies the processes; one is made up if None. A guard process can end what bears it.
    on_start: called with the program's process group once it runs.
    on_output: called with each piece of output as it arrives, decoded as UTF-8.

    Raises UsageError if `file` cannot be read or started, UnsupportedError if this platform lacks
    `start_method`, RunInterrupted for a KeyboardInterrupt.
    """
    command = _command(file, arguments, function, start_method)
    run = _Run(mark or processes.new_mark(), timeout_s)
    try:
        with run:
            run.start(command, max_output_bytes, on_output)
            on_start(run.group)
            run.watch()
    except KeyboardInterrupt:
        if run.has_ended:
            raise RunInterrupted(run.result(Verdict.INTERRUPTED)) from None
        raise
    return run.result()


class _Run:
    """A program that is running; as a context manager, it ends with all that the program started.

    Whatever can be interrupted stands inside `with`; what cannot, between `held_back`. A signal
    that comes in the moment between the two is the guard's.
    """

    def __init__(self, mark: str, timeout_s: float | None) -> None:
        self._mark = mark
        self._timeout_s = timeout_s
        self._time = signals.RunningTime()
        self._began = self._time.now()
        self._seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._output: Output | None = None
        self._timed_out = self._left_over = False

    @property
    def group(self) -> int:
        """The program's process group."""
        assert self._process is not None  # noqa: S101 - started before
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it was started and ended: not if an exception came just before either."""
        ended = self._process is not None and self._process.returncode is not None
        return ended and self._output is not None

    def start(
        self, command: list[str], max_output_bytes: int, on_output: Callable[[Stream, str], None]
    ) -> None:
        """Start the program."""
        environment = {**os.environ, **processes.environment_of(self._mark)}
        with signals.held_back():
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**environment, "PYTHONUNBUFFERED": "1"},
                    process_group=0,
                )
            except OSError as error:  # too many processes, or too long arguments
                raise UsageError(f"cannot start {sys.executable!r}: {error.strerror}") from None
        self._output = Output(self._process, max_output_bytes, on_output)

    def watch(self) -> None:
        """Pass the output on until the program ends, its time is up, or it prints too much."""
        assert self._output is not None  # noqa: S101 - started before
        with self._time.shared_with(self.group):
            self._timed_out = not self._output.pump(self._time_left)
            self._seconds = self._elapsed()
            if not self._timed_out:
                self._left_over = not processes.wait_until_gone(
                    self._mark, self.group, _LEFTOVER_GRACE_S, self._output.pump_for
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End all processes, whatever signals come; then pass on what they printed to the end."""
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        self._seconds = self._seconds or self._elapsed()
        with signals.held_back(forget=kind is not None):
            self._end(interrupted=interrupted)
        if self._output is not None and (kind is None or interrupted):
            self._output.pass_on()

    def _end(self, *, interrupted: bool) -> None:
        process, output = self._process, self._output
        if process is None:
            processes.end_all(self._mark)
            return
        pause = time.sleep if output is None else output.hold_for
        with process:  # at last, this closes its pipes
            try:
                processes.end_all(self._mark, self.group, interrupt=interrupted, pause=pause)
            finally:
                if output is not None:
                    output.close()

    def result(self, cut_off: Verdict | None = None) -> RunResult:
        """Judge how it ended; `cut_off` says that it was us."""
        assert self._process is not None  # noqa: S101 - started before
        assert self._output is not None  # noqa: S101
        stdout, stderr = self._output.text("stdout"), self._output.text("stderr")
        code = self._process.returncode
        verdict, message = self._judge(code, stderr) if cut_off is None else (cut_off, "by Ctrl-C")
        exit_code = code if code >= 0 else None
        return RunResult(verdict, message, exit_code, self._seconds, stdout, stderr)

    def _judge(self, code: int, stderr: str) -> tuple[Verdict, str]:
        assert self._output is not None  # noqa: S101 - started before
        if self._timed_out:
            return Verdict.TIME_OUT, f"still running after {self._timeout_s:g} s; ended"
        if self._output.is_flooded:
            allowed = f"{self._output.max_bytes:,}"
            return Verdict.FLOOD, f"printed more than {allowed} bytes; ended"
        if code == 0 and self._left_over:
            return Verdict.LEFTOVER, "it ended, but left processes running; ended them"
        return judge_exit(code, stderr)

    def _elapsed(self) -> float:
        return self._time.now() - self._began

    def _time_left(self) -> float | None:
        return None if self._timeout_s is None else self._timeout_s - self._elapsed()


def _command(
    file: Path, arguments: Sequence[str], function: str, start_method: str | None
) -> list[str]:
    _check_readable(file)
    # A leading hyphen would make an option of it; "./" changes nothing else in what it means.
    operand = f"./{file}" if str(file).startswith("-") else str(file)
    if start_method is None and not function:
        return [sys.executable, operand, *arguments]
    if start_method is not None:
        _check_start_method(start_method)
    return [sys.executable, str(_LAUNCHER), start_method or "", function, operand, *arguments]


def _check_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise UsageError(
            f"cannot read {str(file)!r}: {error.strerror}; name a Python file"
        ) from None


def _check_start_method(method: str) -> None:
    import multiprocessing  # noqa: PLC0415 - 20 ms that only this option needs

    available = multiprocessing.get_all_start_methods()
    if method not in available:
        raise UnsupportedError(
            f"this platform has no start method {method!r}; it has {', '.join(available)}"
        )

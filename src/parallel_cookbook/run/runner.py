"""Run one program in a process group of its own, pass its output on, and judge how it ended."""

from __future__ import annotations

import codecs
import contextlib
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from parallel_cookbook.errors import UnsupportedError, UsageError
from parallel_cookbook.run import processes
from parallel_cookbook.run.result import RunResult, Verdict, judge_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Stream = Literal["stdout", "stderr"]
START_METHODS = ("fork", "spawn", "forkserver")

_LAUNCHER = Path(__file__).with_name("launcher.py")
_CHUNK_BYTES = 65536
_LEFTOVER_GRACE_S = 1.0
"""How long a resource tracker or fork server, which end by themselves, may outlive the program."""
_TICK_S = 0.02
"""How often to look whether the program has ended, where the system cannot tell us."""


def run_program(
    file: Path,
    arguments: Sequence[str] = (),
    *,
    start_method: str | None = None,
    timeout_s: float | None = 30.0,
    max_output_bytes: int = 10_000_000,
    mark: str | None = None,
    on_output: Callable[[Stream, str], None] = lambda _stream, _text: None,
) -> RunResult:
    """Run `file` as `python file arguments…` and wait for its end; leave no process of it behind.

    It runs in the current folder, with no standard input, in a process group of its own. Whatever
    way this function is left (KeyboardInterrupt included), all processes that the program started
    are ended.

    start_method: the default start method for the program's processes; None leaves Python's own.
    timeout_s: wall seconds until the run is ended with TIME_OUT; None waits for ever.
    max_output_bytes: what stdout and stderr together may hold until the run is ended with FLOOD.
    mark: identifies the processes; one is made up if None. A guard process can end what bears it.
    on_output: called with each piece of output as it arrives, decoded as UTF-8.

    Raises UsageError if `file` cannot be read, UnsupportedError if this platform lacks
    `start_method`.
    """
    command = _command(file, arguments, start_method)
    mark = mark or f"{os.getpid()}-{time.monotonic_ns()}"
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, processes.MARK: mark, "PYTHONUNBUFFERED": "1"},
        process_group=0,
    )
    output = _Output(process, max_output_bytes, on_output)
    ended_by_us: Verdict | None = None
    try:
        ended_by_us = output.pump(None if timeout_s is None else started + timeout_s)
        seconds = time.monotonic() - started
        left_over = ended_by_us is None and not processes.wait_until_gone(
            mark, process.pid, _LEFTOVER_GRACE_S
        )
    finally:
        processes.end_all(mark, process.pid)
        process.wait()
        output.close()
    if ended_by_us is not None:
        message = {
            Verdict.TIME_OUT: f"still running after {timeout_s:g} s; ended",
            Verdict.FLOOD: f"printed more than {max_output_bytes:,} bytes; ended",
        }[ended_by_us]
        verdict = ended_by_us
    else:
        verdict, message = judge_exit(process.returncode, output.text("stderr"))
        if verdict is Verdict.PASS and left_over:
            verdict, message = Verdict.LEFTOVER, "it ended, but left processes running; ended them"
    exit_code = process.returncode if process.returncode >= 0 else None
    return RunResult(
        verdict, message, exit_code, seconds, output.text("stdout"), output.text("stderr")
    )


def _command(file: Path, arguments: Sequence[str], start_method: str | None) -> list[str]:
    try:
        file.open("rb").close()
    except OSError as error:
        raise UsageError(
            f"cannot read {str(file)!r}: {error.strerror}; name a Python file"
        ) from None
    if start_method is None:
        return [sys.executable, str(file), *arguments]
    import multiprocessing  # noqa: PLC0415 - 20 ms that only this option needs

    available = multiprocessing.get_all_start_methods()
    if start_method not in available:
        raise UnsupportedError(
            f"this platform has no start method {start_method!r}; it has {', '.join(available)}"
        )
    return [sys.executable, str(_LAUNCHER), start_method, str(file), *arguments]


class _Output:
    """The two output pipes of a process: read, counted, decoded, passed on, kept."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        max_bytes: int,
        on_output: Callable[[Stream, str], None],
    ) -> None:
        self._process = process
        self._bytes_left = max_bytes
        self._on_output = on_output
        self._selector = selectors.DefaultSelector()
        self._pipes: dict[Stream, IO[bytes]] = {}
        self._pieces: dict[Stream, list[str]] = {"stdout": [], "stderr": []}
        new_decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders: dict[Stream, codecs.IncrementalDecoder] = {
            "stdout": new_decoder("replace"),
            "stderr": new_decoder("replace"),
        }
        streams: tuple[tuple[Stream, IO[bytes] | None], ...] = (
            ("stdout", process.stdout),
            ("stderr", process.stderr),
        )
        for name, pipe in streams:
            assert pipe is not None  # noqa: S101 - both are pipes by construction
            os.set_blocking(pipe.fileno(), False)
            self._pipes[name] = pipe
            self._selector.register(pipe, selectors.EVENT_READ, name)
        self._exit_fd = _exit_descriptor(process.pid)
        if self._exit_fd is not None:
            self._selector.register(self._exit_fd, selectors.EVENT_READ)

    def text(self, name: Stream) -> str:
        """Return all that came through one pipe."""
        return "".join(self._pieces[name])

    def pump(self, deadline: float | None) -> Verdict | None:
        """Pass output on until the process ends (None), its time is up, or it has printed too much.

        The end of the process counts, not the end of its output: a child that it left behind may
        hold the pipes open for ever.
        """
        while self._process.poll() is None:
            if deadline is not None and time.monotonic() >= deadline:
                return Verdict.TIME_OUT
            for key, _ in self._selector.select(self._patience(deadline)):
                if key.fd != self._exit_fd:
                    self._read(key.data)
            if self._bytes_left < 0:
                return Verdict.FLOOD
        for name in self._pieces:
            while self._bytes_left >= 0 and self._read(name):
                pass
        return Verdict.FLOOD if self._bytes_left < 0 else None

    def close(self) -> None:
        """Close the pipes; passes on what an incomplete character left."""
        self._selector.close()
        for name, pipe in self._pipes.items():
            self._take(name, self._decoders[name].decode(b"", final=True))
            pipe.close()
        if self._exit_fd is not None:
            os.close(self._exit_fd)

    def _patience(self, deadline: float | None) -> float | None:
        if self._exit_fd is None:
            return _TICK_S
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def _read(self, name: Stream) -> bool:
        """Read what is there; say whether there was anything."""
        pipe = self._pipes[name]
        try:
            data = os.read(pipe.fileno(), _CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not data:
            with contextlib.suppress(KeyError):
                self._selector.unregister(pipe)
            return False
        self._bytes_left -= len(data)
        self._take(name, self._decoders[name].decode(data))
        return True

    def _take(self, name: Stream, text: str) -> None:
        if text:
            self._pieces[name].append(text)
            self._on_output(name, text)


def _exit_descriptor(pid: int) -> int | None:
    """Return a descriptor that becomes readable when `pid` ends, on a system that has such."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None

"""Grade an answer to an exercise: whether it is proven right, and if not, which claim fails.

The answer is executed in a process of its own (practice/worker.py), by the stages of practice/grading.py.
This side waits, tells how far it has come, and ends what does not come to an end.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Self

from parallel_cookbook.practice.result import Grade
from parallel_cookbook.run import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.practice.exercises import Exercise

DEFAULT_MAX_SECONDS = 10.0
_GRACE_S = 3.0
"""How much longer than it may take a grade is waited for."""
_PATIENCE_S = 4.0
"""A process that has promised signs of life, and gives none for so long, stands still."""
_LOOK_S = 0.1
_TRACE_S = 0.5
_FRAME = re.compile(r'File "(.+)", line (\d+) in ')


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a grading has come."""

    executions: int
    share_done: float
    """The estimated share of the interleavings that are explored, from 0 to 1."""
    seconds: float


def grade(
    exercise: Exercise,
    answer: Path,
    *,
    max_seconds: float = DEFAULT_MAX_SECONDS,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> Grade:
    """Return the grade of the file `answer` to `exercise`; block until it is known.

    Who grades often holds a `Grader` open, which is quicker by the time that it takes to start Python.

    max_seconds: how long the answer may be worked on; what is not known by then is "unknown". What a
        process cannot be asked to leave is ended three seconds later.
    on_progress: called some ten times a second, whether or not there is news. What it raises ends the
        grading, and goes on to the caller.

    Whatever the file does, this process survives: it is executed in another one. What is wrong with the
    file, even that it is not there, raises no error: the grade says so.
    """
    with Grader() as grader:
        return grader.grade(exercise, answer, max_seconds=max_seconds, on_progress=on_progress)


class Grader:
    """Grades answers, one after the other; as a context manager it leaves no process behind.

    A child process stands ready from the first moment that has imported all that a grade needs. Not to
    be used by two threads at once.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child processes. May be called twice."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def grade(
        self,
        exercise: Exercise,
        answer: Path,
        *,
        max_seconds: float = DEFAULT_MAX_SECONDS,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> Grade:
        """Return the grade of the file `answer` to `exercise`, as the function `grade` does."""
        one = _One(exercise, answer.absolute(), max_seconds, on_progress)
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._start()
        assert self._control is not None  # noqa: S101 - as it was started
        try:
            with one.requested(self._control):
                found = one.wait()
            code = self._exit_code()
        except BaseException:
            self.close()  # whatever stands in the socket belongs to this grade
            raise
        return found or one.without_grade(code)

    def _exit_code(self) -> int | None:
        """Return how the process that graded has ended; None if the one that stands ready is gone, too.

        Blocks until it has ended, which it has or is about to.
        """
        assert self._control is not None  # noqa: S101 - as it was started
        data = b""
        while len(data) < _CODE_BYTES:
            piece = self._control.recv(_CODE_BYTES - len(data))
            if not piece:
                return None
            data += piece
        return int.from_bytes(data, "big", signed=True)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE, str(theirs.fileno()), str(_SOURCE)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._control = ours


_SOURCE = Path(__file__).parents[2]
_SERVE = """\
import sys
sys.path.insert(0, sys.argv[2])
from parallel_cookbook.practice import worker
worker.serve_at(int(sys.argv[1]))
"""
"""What the process executes that stands ready: it needs no environment to find this package."""
_CODE_BYTES = 4


class _One:
    """One grade that is waited for."""

    def __init__(
        self,
        exercise: Exercise,
        answer: Path,
        max_seconds: float,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._exercise = exercise
        self._answer = answer
        self._max_seconds = max_seconds
        self._on_progress = on_progress
        self._control: socket.socket
        self._mark = processes.new_mark()
        self._began = time.monotonic()
        self._pid = 0
        self._was_ended = False
        self._place = 0
        """The line of the answer in which it stood when it was ended; 0 if that is not known."""
        self._news: Connection
        self._trace: Path

    @contextlib.contextmanager
    def requested(self, control: socket.socket) -> Iterator[None]:
        """Send the request; at the end of the block nothing is left that executes the answer."""
        from parallel_cookbook.practice.worker import Request  # noqa: PLC0415 - with the check: 0.1 s

        self._control = control
        with tempfile.TemporaryDirectory(prefix="cookbook-") as folder:
            self._trace = Path(folder) / "trace"
            request = Request(
                self._exercise, self._answer, self._max_seconds, self._mark, str(self._trace)
            )
            ours, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(control, [pickle.dumps(request)], [theirs.fileno()])
            self._news = Connection(ours.detach(), writable=False)
            try:
                yield
            finally:
                self._news.close()
                self._end()

    def wait(self) -> Grade | None:
        """Return the grade; None if the process has ended, or was ended, without one."""
        progress = Progress(0, 0.0, 0.0)
        deadline = self._began + self._max_seconds + _GRACE_S
        patience = deadline
        while True:
            self._on_progress(progress)
            now = time.monotonic()
            if now > min(deadline, patience):
                self._look_where_it_stands()
                self._end()
                self._was_ended = True
                return None
            progress = replace(progress, seconds=now - self._began)
            if not self._news.poll(_LOOK_S):
                continue
            try:
                message = self._news.recv()
            except (EOFError, OSError, pickle.UnpicklingError, ValueError):
                # It has ended, or is about to; unless it has only closed its end.
                select.select([self._control], [], [], _TRACE_S)
                return None
            if isinstance(message, Grade):
                return message
            if isinstance(message, int):
                self._heard(message)
            else:
                patience = time.monotonic() + _PATIENCE_S if message.is_watched else deadline
                if message.executions:
                    progress = Progress(message.executions, message.share_done, progress.seconds)

    def _heard(self, pid: int) -> None:
        """Note which process it is that grades."""
        self._pid = pid

    def without_grade(self, code: int | None) -> Grade:
        """Return the grade of an answer whose process has ended without one."""
        kind = "unsupported"
        if self._was_ended:
            where = f"line {self._place}" if self._place else "something in it"
            message = f"{where} does not come back, so that it had to be ended"
        elif code is not None and code < 0:
            name = signal.Signals(-code).name
            message = f"it ended the process that judges it, by {name}"
            if -code in (signal.SIGXCPU, signal.SIGKILL):
                message = "it took so much time or memory that the system has ended it"
        else:
            message = f"it ended the process that judges it, with exit code {code}"
        return Grade(
            exercise=self._exercise.id,
            verdict="error",
            claim="It can be executed to the end.",
            kind=kind,
            message=message,
            file=str(self._answer),
            line=self._place,
            executions=0,
            is_exhaustive=False,
            seconds=time.monotonic() - self._began,
        )

    def _end(self) -> None:
        """End the process that grades, and whatever a real run of the answer has started."""
        if not self._pid:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        self._pid = 0
        processes.end_all(self._mark)

    def _look_where_it_stands(self) -> None:
        """Ask the process where it is; `faulthandler` answers without the interpreter's help."""
        if not self._pid:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self._pid, signal.SIGUSR1)
        deadline = time.monotonic() + _TRACE_S
        while time.monotonic() < deadline and not self._trace.stat().st_size:
            select.select([], [], [], 0.01)
        for file, line in _FRAME.findall(self._trace.read_text(errors="replace")):
            if file == str(self._answer):
                self._place = int(line)
                return

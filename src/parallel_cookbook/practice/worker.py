"""The processes that grade: one that stands ready, and for each answer a copy of it that executes the answer.

The first imports what a grade needs, once, and forks for each request that comes through a socket. So a grade
begins within milliseconds, in a process that has executed nothing else; and whatever the answer does to its
process, the next answer gets a new one.

See practice/grade.py for the other side.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import pickle
import signal
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, NoReturn

from parallel_cookbook.practice.grading import Grading

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import Tally
    from parallel_cookbook.practice.exercises import Exercise

MAX_MEMORY_BYTES = 1 << 30
"""How much address space a process that grades may have."""
_MAX_FILE_BYTES = 64 << 20
_MORE_CPU_S = 10
"""By how much its processor time may exceed the time of the grade, before the system ends it."""
_TELL_S = 0.1
MAX_REQUEST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be graded, and how."""

    exercise: Exercise
    answer: Path
    max_seconds: float
    mark: str
    """What the processes of a real run bear."""
    trace: str
    """The file into which this process writes where it is, when it gets SIGUSR1."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life."""

    executions: int = 0
    """How many there were; 0 if that is not told."""
    share_done: float = 0.0
    is_watched: bool = True
    """Whether more signs will come soon, unless it stands still."""


def serve_at(handle: int) -> None:
    """Serve the socket with this file descriptor."""
    with socket.socket(fileno=handle) as control:
        serve(control)


def serve(control: socket.socket) -> None:
    """Fork for each request, until the other side closes; tell it how each child ended.

    With a request comes a file descriptor, to which the child writes its pid, its progress, the grade.
    """
    for number in (signal.SIGINT, signal.SIGTSTP):  # the terminal's keys are for who has asked
        signal.signal(number, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    while True:
        data, handles, _, _ = socket.recv_fds(control, MAX_REQUEST_BYTES, 1)
        if not data:
            return
        child = os.fork()
        if child == 0:
            control.close()
            _grade(pickle.loads(data), Connection(handles[0], readable=False))  # noqa: S301 - our own
        os.close(handles[0])
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        try:
            control.send(code.to_bytes(4, "big", signed=True))
        except OSError:
            return


def _grade(request: Request, news: Connection) -> NoReturn:
    """Grade, send the grade, and end, in a process of its own."""
    os.setsid()
    _limit(request.max_seconds)
    _close_streams()
    teller = _Teller(news)
    with open(request.trace, "wb") as trace:  # noqa: PTH123 - faulthandler needs the file itself
        faulthandler.register(signal.SIGUSR1, file=trace, all_threads=False)
        teller.send(os.getpid())
        grading = Grading(
            request.exercise,
            request.answer,
            request.max_seconds,
            request.mark,
            on_progress=teller.progress,
            on_look=teller.look,
        )
        try:
            grade = grading.grade()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            grade = grading.given_up(error)
        teller.send(grade)
    os._exit(0)


class _Teller:
    """Sends news to who waits for the grade."""

    def __init__(self, news: Connection) -> None:
        self._news = news
        self._told = 0.0
        self._is_sending = False

    def send(self, message: object) -> None:
        """Send a message; end the process if nobody waits for it any more."""
        self._is_sending = True
        try:
            self._news.send(message)
        except OSError:
            os._exit(1)
        self._is_sending = False

    def progress(self, tally: Tally) -> None:
        """Tell how far the search has come, now and then."""
        if time.monotonic() - self._told >= _TELL_S:
            self._told = time.monotonic()
            self.send(Sign(tally.executions, tally.share_done, is_watched=True))

    def look(self, is_watched: bool) -> None:
        """Give a sign of life; called in a signal's handler, perhaps in the midst of another message."""
        if not self._is_sending:
            self.send(Sign(is_watched=is_watched))


def _limit(max_seconds: float) -> None:
    """Let the system end this process if it takes too much."""
    import resource  # noqa: PLC0415 - not everywhere

    seconds = int(max_seconds) + _MORE_CPU_S
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, _MAX_FILE_BYTES),
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
    ):
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)  # noqa: PLW2901 - as much as may be
        with contextlib.suppress(OSError, ValueError):  # macOS does not know them all
            resource.setrlimit(kind, (most, hard))


def _close_streams() -> None:
    """Let nothing that is printed past the check come to the terminal, and nothing be read from it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)

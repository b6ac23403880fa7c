"""A process that outlives a check which stands still for good, and tells of it.

C code that neither returns nor lets signals be handled stops the whole interpreter, its watchdog too. So
the command checks in a child process, whose watchdog gives a sign of life at each look. When the signs
stop, this process asks the child where it is (`faulthandler` answers without the interpreter's help), ends
it, and reports in its place.

Without `os.fork` the command checks by itself, and such a program has to be killed by hand.
"""

from __future__ import annotations

import faulthandler
import os
import re
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_WATCHING, _DONE = b"+", b"-"
_MARGIN_S = 1.0
"""By how much it is more patient than the watchdog, whose message is better."""
_TO_END_S = 0.3
_TO_TELL_S = 2.0
"""How long it waits for the end of a child that was interrupted by Ctrl-C, and of one to which it says so."""
_FRAME = re.compile(r'File "(.+)", line (\d+) in ')

Place = tuple[str, int]


def stand_guard(
    max_stall_s: float, on_stall: Callable[[list[Place]], int]
) -> Callable[[bool], None]:
    """Return in a child process, with what its watchdog calls at each look; stay behind as its guard.

    The guard ends when the child does, with its exit code. on_stall: reports where the child stands, the
    innermost line first, and returns the exit code.

    To be called while there is one thread only. Where processes cannot be forked, it just returns.
    """
    if not hasattr(os, "fork"):
        return lambda _is_watching: None
    sys.stdout.flush()
    sys.stderr.flush()
    life, its_life = os.pipe()
    trace, its_trace = os.pipe()
    child = os.fork()
    if child:
        os.close(its_life)
        os.close(its_trace)
        _guard(child, life, trace, max_stall_s + _MARGIN_S, on_stall)
    os.close(life)
    os.close(trace)
    faulthandler.register(signal.SIGUSR1, file=its_trace, all_threads=False)

    def sign(is_watching: bool) -> None:
        try:
            os.write(its_life, _WATCHING if is_watching else _DONE)
        except BrokenPipeError:  # the guard was killed: nobody waits for a result
            os._exit(128 + signal.SIGKILL)

    return sign


def _has_ended(life: int, patience_s: float) -> bool:
    """Wait until the child closes the pipe of its signs of life; say whether it did so in time."""
    deadline = time.monotonic() + patience_s
    while (left_s := deadline - time.monotonic()) > 0:
        if select.select([life], [], [], left_s)[0] and not os.read(life, 4096):
            return True
    return False


def _guard(
    child: int,
    life: int,
    trace: int,
    patience_s: float,
    on_stall: Callable[[list[Place]], int],
) -> NoReturn:
    """Wait for the end of the child, or of its signs of life."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]

    def end_now(number: int, _frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)
        os._exit(128 + number)

    def end(number: int, frame: FrameType | None) -> None:
        for each in heeded:  # the second Ctrl-C waits for nothing
            signal.signal(each, end_now)
        # From a terminal the child gets it too, and ends by itself, after it has said what it had found.
        if number == signal.SIGINT and not _has_ended(life, _TO_END_S):
            os.kill(child, signal.SIGINT)
            _has_ended(life, _TO_TELL_S)
        end_now(number, frame)

    for number in heeded:
        signal.signal(number, end)
    is_watching = False
    while True:
        patience = min(patience_s, 1e6) if is_watching else None
        if not select.select([life], [], [], patience)[0]:
            break
        signs = os.read(life, 4096)
        if not signs:
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
        is_watching = signs.endswith(_WATCHING)
    os.kill(child, signal.SIGUSR1)
    found = ""
    while select.select([trace], [], [], 0.5)[0] and (piece := os.read(trace, 65_536)):
        found += piece.decode(errors="replace")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    code = on_stall([(file, int(line)) for file, line in _FRAME.findall(found)])
    sys.stdout.flush()
    os._exit(code)

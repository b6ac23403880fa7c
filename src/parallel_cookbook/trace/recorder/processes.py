"""Record processes: who starts whom, by which method, who waits for whose end, and how it ended.

A forked child begins a tape of its own as soon as it exists. A spawned one, or one of a fork server, is sent
a little object among what multiprocessing sends it first: unpickling that begins the recording there,
before anything of the program is imported.
"""

from __future__ import annotations

import os
from _thread import get_ident
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import FORK, PROCESS_JOIN, PROCESS_START
from parallel_cookbook.trace.recorder.patching import replaces
from parallel_cookbook.trace.recorder.places import getframe, place_above
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.waiting import as_a_whole, inside, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Function = Callable[..., Any]

__tracebackhide__ = True


def set_default_start_method(method: str) -> None:
    """Make `method` what processes start with where the program does not choose; empty: Python's own."""
    if method:
        # `set_start_method` would forbid the program to choose for itself, so the default itself is
        # replaced: the same attribute on CPython 3.11 to 3.14 (Lib/multiprocessing/context.py).
        @replaces("multiprocessing.context", "_default_context")
        def _default(original: Any) -> Any:
            original._default_context = original.get_context(method)
            return original


class _Beginning:
    """Begins the recording in the process that unpickles it."""

    def __init__(self, name: str) -> None:
        self._about = {
            "name": name,
            "method": _methods.get(get_ident(), "spawn"),
            "parent": tape.stem,
        }

    def __reduce__(self) -> Any:
        from parallel_cookbook.trace.recorder import begin_in_child

        return begin_in_child, (tape.folder, self._about)


_methods: dict[int, str] = {}
"""By thread: how it is just starting a process."""


@replaces("multiprocessing.spawn", "get_preparation_data")
def _get_preparation_data(original: Function) -> Function:
    def get_preparation_data(name: str) -> Any:
        data = original(name)
        if tape.is_open:
            data["cookbook_trace"] = _Beginning(name)
        return data

    return get_preparation_data


@replaces("multiprocessing.process", "BaseProcess.start")
def _start(original: Function) -> Function:
    def start(self: Any) -> None:
        site = place_above(getframe(1))
        ident = get_ident()
        moment = monotonic_ns()
        _methods[ident] = getattr(self, "_start_method", None) or _default_method()
        with as_a_whole():
            original(self)
        tape.write(PROCESS_START, 0, site, self.pid, 0, moment)

    return start


def _default_method() -> str:
    from multiprocessing.context import _default_context

    return str(_default_context.get_start_method())


@replaces("multiprocessing.process", "BaseProcess._bootstrap")
def _bootstrap(original: Function) -> Function:
    def _bootstrap(self: Any, parent_sentinel: Any = None) -> int:
        tape.name(name=self.name, daemon=self.daemon)
        inside.discard(get_ident())
        return int(original(self, parent_sentinel=parent_sentinel))

    return _bootstrap


@replaces("multiprocessing.process", "BaseProcess.join")
def _join(original: Function) -> Function:
    def join(self: Any, timeout: float | None = None) -> None:
        if self._popen is None or self._closed or self._parent_pid != os.getpid():
            original(self, timeout)  # raises
            return
        site = place_above(getframe(1))
        wait(
            *(PROCESS_JOIN, 0, site, original, self, timeout),
            value=self.pid or 0,
            is_endless=timeout is None,
            succeeded=lambda _: self._popen.returncode is not None,
        )

    return join


@replaces("multiprocessing.popen_fork", "Popen.poll")
@replaces("multiprocessing.popen_forkserver", "Popen.poll")
def _poll(original: Function) -> Function:
    def poll(self: Any, flag: int = os.WNOHANG) -> Any:
        known = self.returncode
        code = original(self, flag)
        if known is None and code is not None:
            tape.name(exit=self.pid, code=code, moment=monotonic_ns())
        return code

    return poll


@replaces("os", "fork")
def _fork(original: Function) -> Function:
    def fork() -> int:
        site = place_above(getframe(1))
        moment = monotonic_ns()
        pid = int(original())
        if pid:
            tape.write(FORK, 0, site, pid, 0, moment)
        return pid

    return fork


@replaces("os", "_exit")
def _exit(original: Function) -> Function:
    def _exit(status: int) -> None:
        from parallel_cookbook.trace.recorder import end

        end()
        original(status)

    return _exit

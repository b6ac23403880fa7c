"""The functions of `os` that are about processes, for a program under check.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import errno
import os as _real
import signal
from types import ModuleType
from typing import NoReturn

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.processes.world import own_state, world_of
from parallel_cookbook.simulation.refused import REFUSED_OS_FUNCTIONS, refusal, refuse

_OWN = ("_exit", "getpid", "getppid", "kill")


def os_module() -> ModuleType:
    """Return a module like `os` that knows the program's processes; others are refused."""
    module = ModuleType("os", _real.__doc__)
    names = vars(module)
    names.update(vars(_real))
    names["register_at_fork"] = lambda **_functions: None  # nothing forks
    for name in REFUSED_OS_FUNCTIONS & vars(_real).keys():
        names[name] = refusal(f"os.{name}", getattr(_real, name))
    names.update((name, globals()[name]) for name in _OWN)
    return module


def getpid() -> int:
    """Return the running process's number."""
    return own_state(active_kernel()).pid


def getppid() -> int:
    """Return the number of the process that has started the running one."""
    return own_state(active_kernel()).parent_pid


def kill(pid: int, number: int) -> None:
    """Send a signal to a process of the program: one that ends it, or 0, which only looks."""
    kernel = active_kernel()
    popen = world_of(kernel).started.get(pid)
    if popen is None:
        refuse("os.kill of the program's first process, or a foreign one")
    if number not in {0, signal.SIGTERM, signal.SIGKILL, signal.SIGINT}:
        refuse(f"os.kill with signal {number}")
    if number == 0:
        if popen.poll() is not None:
            raise ProcessLookupError(errno.ESRCH, _real.strerror(errno.ESRCH))
        return
    if popen.group is kernel.running.group:
        _end_myself(-number)
    popen.send_signal(number, can_be_ignored=number != signal.SIGKILL)


def _exit(status: int) -> NoReturn:
    """End the running process here and now."""
    kernel = active_kernel()
    if own_state(kernel).popen is None:
        refuse("os._exit in the program's first process")
    _end_myself(status)


def _end_myself(code: int) -> NoReturn:
    kernel = active_kernel()
    state = own_state(kernel)
    popen = state.popen
    assert popen is not None  # noqa: S101 - it is not the first process
    kernel.demand_kill_points()
    more = [(popen.task.done, Mode.WRITE, None)]
    more += [(end.handles, Mode.READ, None) for end in state.ends.values()]
    kernel.point(Operation("exit at once", state.group.life, Mode.WRITE, None, tuple(more)))
    popen.task.done.state = 2
    popen.end(code)
    kernel.vanish()

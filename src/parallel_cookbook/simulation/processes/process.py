"""`multiprocessing.process` for a program under check: Process, and the functions about processes.

Guarantees: start, join and each look are one step each, on the task of the process; once its end has
been seen, there are none. Names and errors are CPython's; a pid is a number that follows from who has
started the process, and when.

What CPython does: Lib/multiprocessing/process.py.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import signal
import weakref
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.processes.spawning import Popen
from parallel_cookbook.simulation.processes.world import OwnState, own_state, world_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["BaseProcess", "active_children", "current_process", "parent_process"]

_dangling: weakref.WeakSet[BaseProcess] = weakref.WeakSet()
"""For CPython's test support, which looks for processes that were not joined."""
_SIGNAL_NAMES = {-number: f"-{number.name}" for number in signal.Signals}


class BaseProcess:
    """A process of its own; see `multiprocessing.Process`."""

    __module__ = "multiprocessing.process"

    _start_method: str | None = None

    def __init__(
        self,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] = {},
        *,
        daemon: bool | None = None,
    ) -> None:
        assert group is None, "group argument must be None for now"  # noqa: S101 - as CPython
        state = own_state(active_kernel())
        creator = _current(state)
        state.created += 1
        self._identity: tuple[int, ...] = (*creator._identity, state.created)  # noqa: SLF001 - a process, too
        self._config: dict[str, Any] = dict(creator._config)  # noqa: SLF001
        self._parent_pid = state.pid
        self._parent_name = creator.name
        self._popen: Popen | None = None
        self._closed = False
        self._target = target
        self._args = tuple(args)
        self._kwargs = dict(kwargs)
        number = ":".join(str(part) for part in self._identity)
        self._name = name or f"{type(self).__name__}-{number}"
        if daemon is not None:
            self.daemon = daemon

    def _check_closed(self) -> None:
        if self._closed:
            raise ValueError("process object is closed")

    def _is_mine(self) -> bool:
        return self._parent_pid == own_state(active_kernel()).pid

    # --- its life -------------------------------------------------------------------------------

    def run(self) -> None:
        """Do what the process is for, in the process; a subclass may have its own."""
        if self._target:
            self._target(*self._args, **self._kwargs)

    def start(self) -> None:
        """Let it run, beside its creator. One step.

        Raises what pickling it raises, RuntimeError if the main file is not guarded, and
        AssertionError if it was started before, or by a daemon.
        """
        self._check_closed()
        state = own_state(active_kernel())
        assert self._popen is None, "cannot start a process twice"  # noqa: S101 - as CPython
        assert self._is_mine(), (  # noqa: S101
            "can only start a process object created by current process"
        )
        assert not _current(state)._config.get("daemon"), (  # noqa: S101, SLF001
            "daemonic processes are not allowed to have children"
        )
        popen = Popen(self)
        self._popen = popen
        # As CPython does: an argument may refer to the process.
        del self._target, self._args, self._kwargs
        state.children[self] = None

    def terminate(self) -> None:
        """Send it SIGTERM, which ends it wherever it is, unless it ignores that. A step."""
        self._check_closed()
        assert self._popen is not None  # noqa: S101 - CPython fails, too
        self._popen.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL, which ends it wherever it is. A step."""
        self._check_closed()
        assert self._popen is not None  # noqa: S101 - CPython fails, too
        self._popen.send_signal(signal.SIGKILL, can_be_ignored=False)

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or for `timeout` seconds. One step."""
        self._check_closed()
        assert self._is_mine(), "can only join a child process"  # noqa: S101 - as CPython
        assert self._popen is not None, "can only join a started process"  # noqa: S101
        if self._popen.wait(timeout) is not None:
            self._forget()

    def is_alive(self) -> bool:
        """Whether it has started and not ended. One step."""
        self._check_closed()
        if self is own_state(active_kernel()).current:
            return True
        assert self._is_mine(), "can only test a child process"  # noqa: S101 - as CPython
        if self._popen is None:
            return False
        if self._popen.poll() is None:
            return True
        self._forget()
        return False

    def close(self) -> None:
        """Give up what the object holds. Raises ValueError if the process still runs."""
        if self._popen is not None:
            if self._popen.poll() is None:
                raise ValueError(
                    "Cannot close a process while it is still running. "
                    "You should first call join() or terminate()."
                )
            self._popen = None
            self._forget()
        self._closed = True

    def _forget(self) -> None:
        own_state(active_kernel()).children.pop(self, None)

    # --- what it is -----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What it is called; no key to anything."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        assert isinstance(name, str), "name must be a string"  # noqa: S101 - as CPython
        self._name = name

    @property
    def daemon(self) -> bool:
        """Whether its creator ends it at its own end."""
        return bool(self._config.get("daemon", False))

    @daemon.setter
    def daemon(self, daemonic: bool) -> None:
        assert self._popen is None, "process has already started"  # noqa: S101 - as CPython
        self._config["daemon"] = daemonic

    @property
    def authkey(self) -> bytes:
        """What processes prove with that they belong together."""
        return bytes(self._config["authkey"])

    @authkey.setter
    def authkey(self, authkey: bytes) -> None:
        self._config["authkey"] = bytes(authkey)

    @property
    def exitcode(self) -> int | None:
        """How it has ended; None before. One step, none once that has been seen.

        Who asks is taken to deal with what the code says: an exception that ended the process is no
        failure of the program then.
        """
        self._check_closed()
        if self._popen is None:
            return None
        code = self._popen.poll()
        if code:
            kernel = active_kernel()
            kernel.on_handled(self._popen.task)
        return code

    @property
    def ident(self) -> int | None:
        """Its number; None before it is started."""
        self._check_closed()
        state = own_state(active_kernel())
        if self is state.current:
            return state.pid
        return None if self._popen is None else self._popen.pid

    pid = ident

    @property
    def sentinel(self) -> int:
        """A number for `multiprocessing.connection.wait`, ready when it has ended."""
        self._check_closed()
        if self._popen is None:
            raise ValueError("process not started")
        return self._popen.sentinel

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "_popen"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _popen=None)

    def __hash__(self) -> int:
        # Not by address: a program that goes through a set of processes does the same each time.
        return hash((self._parent_pid, self._identity))

    def __repr__(self) -> str:
        state = own_state(active_kernel())
        code = None
        if self is state.current:
            status = "started"
        elif self._closed:
            status = "closed"
        elif not self._is_mine():
            status = "unknown"
        elif self._popen is None:
            status = "initial"
        else:
            code = self._popen.peek()  # no step: what is printed must not change what happens
            status = "started" if code is None else "stopped"
        parts = [type(self).__name__, f"name={self._name!r}"]
        if self._popen is not None:
            parts.append(f"pid={self._popen.pid}")
        parts += [f"parent={self._parent_pid}", status]
        if code is not None:
            parts.append(f"exitcode={_SIGNAL_NAMES.get(code, code)}")
        if self.daemon:
            parts.append("daemon")
        return f"<{' '.join(parts)}>"


class _MainProcess(BaseProcess):
    """The object for the program's first process."""

    def __init__(self, state: OwnState) -> None:
        # No call of BaseProcess.__init__, which would ask for this object.
        self._identity = ()
        self._name = "MainProcess"
        self._config = {"authkey": b"not very secret", "semprefix": "/mp"}
        self._parent_pid = state.parent_pid
        self._parent_name = ""
        self._popen = None
        self._closed = False

    def close(self) -> None:
        """Do nothing: it cannot be closed."""


class _ParentProcess:
    """What a process knows of the one that has started it."""

    __module__ = "multiprocessing.process"

    def __init__(self, name: str, popen: Popen) -> None:
        self.name = name
        self._popen = popen
        self._parent = world_of(active_kernel()).started.get(popen.state.parent_pid)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.state.parent_pid

    ident = pid

    def is_alive(self) -> bool:
        """Whether it has not ended: the first process of a program outlives the others. One step."""
        return self._parent is None or self._parent.poll() is None

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or for `timeout` seconds. One step."""
        if self._parent is not None:
            self._parent.wait(timeout)


def _current(state: OwnState) -> BaseProcess:
    if state.current is None:
        state.current = _MainProcess(state)
    return state.current


def current_process() -> BaseProcess:
    """Return the object for the running process."""
    return _current(own_state(active_kernel()))


def parent_process() -> _ParentProcess | None:
    """Return what the running process knows of the one that has started it; None for the first."""
    state = own_state(active_kernel())
    if state.popen is None:
        return None
    if state.parent is None:
        state.parent = _ParentProcess(_current(state)._parent_name, state.popen)  # noqa: SLF001
    return state.parent  # type: ignore[no-any-return]  # noted as anything


def active_children() -> list[BaseProcess]:
    """Return the children that have not ended. One step for each that was not seen to have ended."""
    state = own_state(active_kernel())
    for child in list(state.children):
        if child._popen is None or child._popen.poll() is not None:  # noqa: SLF001
            state.children.pop(child, None)
    return list(state.children)

"""Condition, Event and Barrier of `multiprocessing`.

Condition.wait is
1. one step that gives the lock back and joins those who sleep;
2. one step that wakes up, enabled when a notify has come;
3. one step that takes the lock again.
With a time-out, a waiter that was not notified has a step in which it leaves the others, before it takes the
lock. Notify is one step. Whom it wakes, CPython does not promise: if there are more sleepers than it
wakes, all of them come to step 2, and those who come first are woken, the others sleep on.

Event.wait is a look, and, if it is not set, a sleep until the next `set` and one more look. So a wait can
return False without any time-out, when a `clear` has come in between; as in life.

Targets: one for each condition or event, and one for each wait.

What CPython does: Lib/multiprocessing/synchronize.py, where these are built of semaphores. What follows from
that for a process that is killed while it sleeps is not simulated: there, `notify` waits for it for ever.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation import barriers
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.processes.semlocks import Lock, RLock
from parallel_cookbook.simulation.processes.world import assert_spawning, share, shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from parallel_cookbook.kernel import Kernel, Target
    from parallel_cookbook.kernel.operation import Need

    Part = tuple[Target, Mode, Need | None]

# Predicates and locks are the program's.
# ruff: noqa: ANN401

_ASLEEP, _WOKEN, _CALLED = 0, 1, 2
"""The states of a sleeper; CALLED: the first of several to come is woken."""


def _is_called(state: int) -> bool:
    return state != _ASLEEP


class _Sleepers:
    """Those who wait on a condition or an event, as all processes see them."""

    def __init__(self, kernel: Kernel, kind: str) -> None:
        self.kernel = kernel
        self.target = kernel.new_target(kind)
        self.tickets: list[Target] = []
        self.contest: Target | None = None
        """Its state is how many more of those who were called are woken."""

    def join(self) -> Target:
        """Add the running task, in a step of its own that touches the target."""
        ticket = self.kernel.new_target("waiter")
        self.tickets.append(ticket)
        return ticket

    def parts(self) -> tuple[Part, ...]:
        """Return what a notify writes besides the target, for whoever waits with a time-out can tell."""
        tickets = self.tickets if self.contest is None else [*self.tickets, self.contest]
        return tuple((ticket, Mode.WRITE, None) for ticket in tickets)

    def wake(self, n: int | None) -> None:
        """Wake `n` of them, or all, in a step that writes the target and `parts`."""
        pending = 0 if self.contest is None else self.contest.state
        if n is None or pending + n >= len(self.tickets):
            for ticket in self.tickets:
                ticket.state = _WOKEN
            self.tickets = []
            if self.contest is not None:
                self.contest.state = 0
        elif n > 0:
            if self.contest is None:
                self.contest = self.kernel.new_target("contest")
            self.contest.state += n
            for ticket in self.tickets:
                ticket.state = _CALLED

    def is_woken(self, ticket: Target) -> bool:
        """Find out whether a task that was called, or noticed, is woken. A step if it was called."""
        if ticket.state != _CALLED or ticket not in self.tickets:
            return ticket.state == _WOKEN
        contest = self.contest
        assert contest is not None  # noqa: S101 - it was called by one
        self.kernel.point(Operation("wake up on", contest))
        if ticket.state == _WOKEN:
            return True
        if contest.state == 0:
            ticket.state = _ASLEEP
            return False
        contest.state -= 1
        self.tickets.remove(ticket)
        ticket.state = _WOKEN
        return True

    def leave(self, ticket: Target) -> None:
        """Take back a `join`: a step."""
        self.kernel.point(Operation("leave", self.target))
        if ticket.state == _CALLED:
            self.is_woken(ticket)  # in vain: the notify is lost on it
        if ticket in self.tickets:
            self.tickets.remove(ticket)


class _Count:
    """What CPython's own tests look at: how many there are in a semaphore."""

    def __init__(self, value: int) -> None:
        self._value = value

    def get_value(self) -> int:
        """Return it."""
        return self._value


class Condition:
    """Sleepers beside a lock; see `multiprocessing.Condition`."""

    __module__ = "multiprocessing.synchronize"

    def __init__(self, lock: Any = None, *, ctx: Any = None) -> None:
        self._open(lock or RLock(ctx=ctx), _Sleepers(active_kernel(), "condition"))

    def _open(self, lock: Lock | RLock, sleepers: _Sleepers) -> None:
        self._lock = lock
        self._sleepers = sleepers
        self._kernel = sleepers.kernel
        self.acquire = lock.acquire
        self.release = lock.release

    @property
    def _sleeping_count(self) -> _Count:
        self._kernel.point(Operation("look at", self._sleepers.target, Mode.READ))
        return _Count(len(self._sleepers.tickets))

    _woken_count = _wait_semaphore = _Count(0)

    def __reduce__(self) -> Any:
        assert_spawning(self)
        return _rebuild_condition, (self._lock, share(self._sleepers))

    def __enter__(self) -> bool:
        return self._lock.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.__exit__(kind, error, traceback)

    def wait(self, timeout: float | None = None) -> bool:
        """Give the lock back, sleep until woken or for `timeout` seconds, and take the lock again.

        Returns whether it was woken in time. Raises AssertionError if the lock is not held.
        """
        kernel, sleepers, core = self._kernel, self._sleepers, self._lock._core  # noqa: SLF001
        assert self._lock._is_mine(), "must acquire() condition before using wait()"  # noqa: S101, SLF001
        part = (core._target, Mode.WRITE, None)  # noqa: SLF001
        kernel.point(Operation("wait on", sleepers.target, Mode.WRITE, None, (part,)))
        ticket = sleepers.join()
        held = self._let_go()
        is_woken = False
        try:
            is_woken = self._sleep(ticket, timeout)
            if not is_woken:
                sleepers.leave(ticket)
        finally:
            if not kernel.is_unwinding:
                kernel.point(core._acquire)  # noqa: SLF001
                self._hold(held)
        return is_woken

    def _sleep(self, ticket: Target, timeout: float | None) -> bool:
        kernel, sleepers = self._kernel, self._sleepers
        while timeout is None:
            kernel.point(Operation("wake up on", ticket, Mode.READ, _is_called))
            if sleepers.is_woken(ticket):
                return True
        operation = timed(kernel, "wait on", ticket, Mode.READ, _is_called, max(timeout, 0))
        kernel.point(operation)
        if ticket.state == _ASLEEP:
            expire(kernel, operation)
            return False
        return sleepers.is_woken(ticket) or self._sleep(ticket, timeout)

    def _let_go(self) -> Any:
        core = self._lock._core  # noqa: SLF001
        if isinstance(self._lock, RLock):
            return core._let_go()  # noqa: SLF001
        core._target.state = 0  # noqa: SLF001
        return None

    def _hold(self, held: Any) -> None:
        core = self._lock._core  # noqa: SLF001
        if isinstance(self._lock, RLock):
            core._hold(held)  # noqa: SLF001
        else:
            core._target.state = 1  # noqa: SLF001
            core._holder = self._kernel.running  # noqa: SLF001

    def notify(self, n: int = 1) -> None:
        """Wake `n` of those who sleep, or as many as there are. One step.

        Raises AssertionError if the lock is not held.
        """
        self._wake(n)

    def notify_all(self) -> None:
        """Wake all who sleep now. One step. Raises AssertionError if the lock is not held."""
        self._wake(None)

    def _wake(self, n: int | None) -> None:
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        assert self._lock._is_mine(), "lock is not owned"  # noqa: S101, SLF001
        sleepers = self._sleepers
        kernel.point(Operation("notify", sleepers.target, Mode.WRITE, None, sleepers.parts()))
        self._sleepers.wake(n)

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until `predicate()` is true; return its last value.

        How much of the time is left is not measured, see `simulation/conditions.py`.
        """
        result = predicate()
        while not result:
            if timeout is not None and (timeout <= 0 or not self.wait(timeout)):
                return predicate()
            if timeout is None:
                self.wait()
            result = predicate()
        return result

    def __repr__(self) -> str:
        return f"<Condition({self._lock!r}, {len(self._sleepers.tickets)})>"


def _rebuild_condition(lock: Lock | RLock, number: int) -> Condition:
    condition = object.__new__(Condition)
    condition._open(lock, shared(number))
    return condition


class _Flag(_Sleepers):
    """An event, as all processes see it."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, "event")
        self.look = Operation("look at", self.target, Mode.READ)

    def raise_(self) -> None:
        """Be set, and wake all, in a step that writes the target."""
        self.target.state = 1
        for ticket in self.tickets:
            self.kernel.note_cause(self.target, ticket)
            ticket.state = _WOKEN
        self.tickets = []


class Event:
    """A flag that processes wait for; see `multiprocessing.Event`."""

    __module__ = "multiprocessing.synchronize"

    def __init__(self, *, ctx: Any = None) -> None:  # noqa: ARG002 - CPython's
        self._open(_Flag(active_kernel()))

    def _open(self, flag: _Flag) -> None:
        self._flag = flag
        self._kernel = flag.kernel

    def __reduce__(self) -> Any:
        assert_spawning(self)
        return _rebuild_event, (share(self._flag),)

    def is_set(self) -> bool:
        """Whether it is set. One step."""
        self._kernel.point(self._flag.look)
        return self._flag.target.state == 1

    def set(self) -> None:
        """Set it, and wake all who sleep. One step."""
        if not self._kernel.is_unwinding:
            self._kernel.point(Operation("set", self._flag.target))
            self._flag.raise_()

    def clear(self) -> None:
        """Reset it. One step."""
        if not self._kernel.is_unwinding:
            self._kernel.point(Operation("clear", self._flag.target))
            self._flag.target.state = 0

    def wait(self, timeout: float | None = None) -> bool:
        """Return whether it is set, now or after the next `set`, or when the time is up."""
        kernel, flag = self._kernel, self._flag
        kernel.point(Operation("wait on", flag.target, Mode.READ))
        if flag.target.state == 1:
            return True
        ticket = flag.join()
        more = ((flag.target, Mode.READ, None),)
        if timeout is None:
            kernel.point(Operation("wake up on", ticket, Mode.READ, _is_called, more))
        else:
            operation = timed(kernel, "wait on", ticket, Mode.READ, _is_called, max(timeout, 0))
            operation = operation.extended(more[0])
            kernel.point(operation)
            if ticket.state == _ASLEEP:
                expire(kernel, operation)
                flag.tickets.remove(ticket)  # the event was not set since it has joined
        return flag.target.state == 1

    def __repr__(self) -> str:
        status = "set" if self._flag.target.state else "unset"
        return f"<Event at {id(self):#x} {status}>"


def _rebuild_event(number: int) -> Event:
    event = object.__new__(Event)
    event._open(shared(number))
    return event


class Barrier(barriers.Barrier):
    """A meeting place; see `multiprocessing.Barrier`. Its steps are those of the one for threads."""

    __module__ = "multiprocessing.synchronize"

    def __init__(
        self,
        parties: int,
        action: Callable[[], Any] | None = None,
        timeout: float | None = None,
        *,
        ctx: Any = None,  # noqa: ARG002 - CPython's
    ) -> None:
        super().__init__(parties, action, timeout)

    def __reduce__(self) -> Any:
        assert_spawning(self)
        own = {key: value for key, value in vars(self).items() if key == "_action"}
        return _rebuild_barrier, (share(self), own)


def _rebuild_barrier(number: int, own: dict[str, Any]) -> Barrier:
    barrier = object.__new__(Barrier)
    vars(barrier).update({**vars(shared(number)), **own})
    return barrier

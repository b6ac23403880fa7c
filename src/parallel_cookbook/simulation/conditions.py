"""Condition and Event.

Condition.wait, with one of our own locks, is
1. one step that both gives the lock back and joins the queue of waiters;
2. one step that takes the lock again, enabled when a notify has chosen this waiter and the lock is free.
With a time-out there is a step between them, which finds out whether the waiter was notified. One that
was not takes the lock again before it leaves the queue, so that a notify in between is lost on it: this
is what CPython does. With a lock of the program's own these are steps of their own.

Notify is one step. It wakes those who have waited longest. Notifying nobody is a step all the same: it
conflicts with a wait that may come before it.

Targets: the queue of a condition, which wait and notify write; and one for each wait, which only its
notify writes, so that waking one waiter is independent of another's time-out.

Event: set and clear write, wait and is_set look: each one step. CPython's wait first joins a queue and
can return after set and clear; here it returns between them, or after both not at all. No program can
tell, for nobody sees whether a waiter has joined yet.

What CPython does: Lib/threading.py.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, Target, active_kernel
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.locks import FREE, HELD, Lock, RLock, is_free

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel.operation import Need

    Part = tuple[Target, Mode, Need | None]


def is_one(state: int) -> bool:
    """Whether an event is set, or a waiter has been notified."""
    return state == 1


class Condition:
    """A queue of waiters beside a lock; see `threading.Condition`."""

    __module__ = "threading"

    def __init__(self, lock: Any = None) -> None:  # noqa: ANN401 - any object with acquire and release
        if lock is None:
            lock = RLock()
        self._lock = lock
        kernel = self._kernel = active_kernel()
        self._target = kernel.new_target("condition")
        self._waiters: deque[Target] = deque()
        # Some programs call these, and ours do where the lock is none of our own.
        self.acquire = lock.acquire
        self.release = lock.release
        kind = type(lock)
        self._is_own_lock = kind is RLock or kind is Lock
        if kind is not Lock:
            for name in ("_release_save", "_acquire_restore", "_is_owned", "_recursion_count"):
                if hasattr(lock, name):
                    setattr(self, name, getattr(lock, name))
        self._lock_part: tuple[Part, ...] = ()
        """What to look at in order to know whether the lock is held: of a Lock, everybody may release it."""
        if kind is Lock:
            self._lock_part = ((lock._target, Mode.READ, None),)  # noqa: SLF001

    # --- the lock -------------------------------------------------------------------------------

    def __enter__(self) -> Any:  # noqa: ANN401
        return self._lock.__enter__()

    def __exit__(self, *error: object) -> Any:  # noqa: ANN401
        return self._lock.__exit__(*error)

    def _release_save(self) -> Any:  # noqa: ANN401
        self._lock.release()

    def _acquire_restore(self, _saved: Any) -> None:  # noqa: ANN401
        self._lock.acquire()

    def _is_owned(self) -> bool:
        if self._lock.acquire(False):  # noqa: FBT003
            self._lock.release()
            return False
        return True

    # --- waiting --------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> bool:
        """Give the lock back, wait until notified or for `timeout` seconds, and take the lock again.

        Returns whether it was notified in time. Raises RuntimeError if the lock is not held.
        """
        kernel = self._kernel
        ticket = kernel.new_target("waiter")
        saved = self._join_queue(ticket)
        if timeout is None:
            self._take_lock_when_notified(ticket, saved)
            return True
        was_notified = False
        try:
            operation = timed(kernel, "wait on", ticket, Mode.READ, is_one, timeout)
            kernel.point(operation)
            was_notified = ticket.state == 1
            if not was_notified:
                expire(kernel, operation)
        finally:
            if not kernel.is_unwinding:
                self._take_lock_after_timeout(ticket, saved, was_notified=was_notified)
        return was_notified

    def _join_queue(self, ticket: Target) -> Any:  # noqa: ANN401 - whatever the lock saves
        kernel, lock = self._kernel, self._lock
        if not self._is_own_lock:
            if not self._is_owned():
                raise RuntimeError("cannot wait on un-acquired lock")
            kernel.point(Operation("wait on", self._target))
            self._waiters.append(ticket)
            return self._release_save()
        if type(lock) is RLock and not lock._is_owned():  # noqa: SLF001
            raise RuntimeError("cannot wait on un-acquired lock")
        self._look_at_lock()
        part = (lock._target, Mode.WRITE, None)  # noqa: SLF001
        kernel.point(Operation("wait on", self._target, Mode.WRITE, None, (part,)))
        if lock._target.state == FREE:  # noqa: SLF001
            raise RuntimeError("cannot wait on un-acquired lock")
        self._waiters.append(ticket)
        if type(lock) is RLock:
            return lock._let_go()  # noqa: SLF001
        lock._target.state = FREE  # noqa: SLF001
        return None

    def _take_lock_when_notified(self, ticket: Target, saved: Any) -> None:  # noqa: ANN401
        kernel, lock = self._kernel, self._lock
        if not self._is_own_lock:
            kernel.point(Operation("wake up on", ticket, Mode.READ, is_one))
            self._acquire_restore(saved)
            return
        more = ((ticket, Mode.READ, is_one),)
        kernel.point(Operation("acquire", lock._target, Mode.WRITE, is_free, more))  # noqa: SLF001
        self._hold_lock(saved)

    def _take_lock_after_timeout(
        self,
        ticket: Target,
        saved: Any,  # noqa: ANN401
        *,
        was_notified: bool,
    ) -> None:
        """Take the lock whether notified or not; in the latter case leave the queue then."""
        kernel, lock = self._kernel, self._lock
        if not self._is_own_lock:
            self._acquire_restore(saved)
            if not was_notified:
                kernel.point(Operation("leave", self._target))
        else:
            # Somebody may notify without the lock (if it is a Lock), and would see who leaves.
            more = () if was_notified else ((self._target, Mode.WRITE, None),)
            kernel.point(Operation("acquire", lock._target, Mode.WRITE, is_free, more))  # noqa: SLF001
            self._hold_lock(saved)
        if not was_notified and ticket in self._waiters:
            self._waiters.remove(ticket)

    def _hold_lock(self, saved: Any) -> None:  # noqa: ANN401
        lock = self._lock
        if type(lock) is RLock:
            lock._hold(saved)  # noqa: SLF001
        else:
            lock._target.state = HELD  # noqa: SLF001
            lock._holder = self._kernel.running  # noqa: SLF001

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:  # noqa: ANN401
        """Wait until `predicate()` is true; return its last value.

        How much of the time is left after a notify is not measured: the next wait can end at once, and
        so each end that the clock allows is tried without a look at the clock.
        """
        result = predicate()
        while not result:
            if timeout is not None and timeout <= 0:
                # CPython waits once before it looks at the clock.
                self.wait(timeout)
                return predicate()
            if not self.wait(timeout):
                return predicate()
            result = predicate()
        return result

    # --- waking ---------------------------------------------------------------------------------

    def _look_at_lock(self) -> None:
        """Say so if the answer depends on when somebody else gives the lock back."""
        lock, kernel = self._lock, self._kernel
        if type(lock) is Lock and lock._holder is not kernel.running:  # noqa: SLF001
            kernel.demand_release_points()

    def notify(self, n: int = 1) -> None:
        """Wake the `n` that have waited longest, or as many as there are.

        Raises RuntimeError if the lock is not held.
        """
        self._wake(n)

    def notify_all(self) -> None:
        """Wake all who wait now. Raises RuntimeError if the lock is not held."""
        self._wake(None)

    def _wake(self, n: int | None) -> None:
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        is_lock = type(self._lock) is Lock
        if not is_lock and not self._is_owned():
            raise RuntimeError("cannot notify on un-acquired lock")
        self._look_at_lock()
        waiters = self._waiters
        while True:
            chosen = list(waiters)[:n] if waiters else []
            more = self._lock_part
            if chosen:
                more = (*more, *((ticket, Mode.WRITE, None) for ticket in chosen))
            kernel.point(Operation("notify", self._target, Mode.WRITE, None, more))
            if is_lock and self._lock._target.state == FREE:  # noqa: SLF001
                raise RuntimeError("cannot notify on un-acquired lock")
            # Who holds the lock sees the queue at rest. But a Lock may be held by somebody else, and
            # then the queue has perhaps changed.
            if chosen == (list(waiters)[:n] if waiters else []):
                break
        for ticket in chosen:
            ticket.state = 1
            waiters.popleft()

    def notifyAll(self) -> None:  # noqa: N802 - CPython's name
        """Do the same as `notify_all`, and say that the name is old."""
        warnings.warn(
            "notifyAll() is deprecated, use notify_all() instead", DeprecationWarning, stacklevel=2
        )
        self.notify_all()

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()  # noqa: SLF001
        self._waiters.clear()

    def __repr__(self) -> str:
        return f"<Condition({self._lock}, {len(self._waiters)})>"


class Event:
    """A flag to wait for; see `threading.Event`."""

    __module__ = "threading"

    def __init__(self) -> None:
        kernel = self._kernel = active_kernel()
        target = self._target = kernel.new_target("event")
        self._look = Operation("look at", target, Mode.READ)
        self._wait = Operation("wait for", target, Mode.READ, is_one)

    def is_set(self) -> bool:
        """Whether the flag is set. One step."""
        self._kernel.point(self._look)
        return self._target.state == 1

    def isSet(self) -> bool:  # noqa: N802 - CPython's name
        """Do the same as `is_set`, and say that the name is old."""
        warnings.warn(
            "isSet() is deprecated, use is_set() instead", DeprecationWarning, stacklevel=2
        )
        return self.is_set()

    def set(self) -> None:
        """Set the flag: all who wait can go on. One step."""
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        kernel.point(Operation("set", self._target))
        self._target.state = 1

    def clear(self) -> None:
        """Reset the flag. One step."""
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        kernel.point(Operation("clear", self._target))
        self._target.state = 0

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is set, or for `timeout` seconds; return whether it was. One step."""
        kernel = self._kernel
        if timeout is None:
            kernel.point(self._wait)
            return True
        operation = timed(kernel, "wait for", self._target, Mode.READ, is_one, timeout)
        kernel.point(operation)
        if self._target.state == 1:
            return True
        expire(kernel, operation)
        return False

    def _at_fork_reinit(self) -> None:
        """Nothing is held inside."""

    def __repr__(self) -> str:
        kind = type(self)
        status = "set" if self._target.state else "unset"
        return f"<{kind.__module__}.{kind.__qualname__} at {id(self):#x}: {status}>"

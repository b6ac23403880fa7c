"""Barrier.

Guarantees: to arrive is one step, to leave is one; without an action, the last to arrive opens the
barrier in the step in which it arrives. An action runs while the barrier is shut to everything else.

Who leaves, in which order, nobody can see before the last of them has left. So leaving counts as a look,
and all else that changes the barrier as a write. Leaving with a time-out writes: it may break the barrier.

Targets: one for each barrier. Its state is the phase, and the number of tasks inside times 8.

What CPython does: Lib/threading.py, whose own states are filling 0, draining 1, resetting -1, broken -2,
with a lock around each transition and around the action.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed

if TYPE_CHECKING:
    from collections.abc import Callable

FILLING, DRAINING, RESETTING, BROKEN = range(4)
_PHASE = 3
_IN_ACTION = 4
_ONE_INSIDE = 8


def _can_arrive(state: int) -> bool:
    return not state & _IN_ACTION and state & _PHASE in (FILLING, BROKEN)


def _can_leave(state: int) -> bool:
    return not state & _IN_ACTION and state & _PHASE != FILLING


def _is_unlocked(state: int) -> bool:
    return not state & _IN_ACTION


class BrokenBarrierError(RuntimeError):
    """Raised by a wait on a barrier that is broken, or is reset meanwhile."""

    __module__ = "threading"


class Barrier:
    """A point that a fixed number of tasks pass together; see `threading.Barrier`."""

    __module__ = "threading"

    def __init__(
        self, parties: int, action: Callable[[], Any] | None = None, timeout: float | None = None
    ) -> None:
        if parties < 1 and sys.version_info >= (3, 13):
            raise ValueError("parties must be > 0")
        self._parties: Final = parties
        self._action = action
        self._timeout = timeout
        kernel = self._kernel = active_kernel()
        target = self._target = kernel.new_target("barrier")
        self._arrive = Operation("arrive at", target, Mode.WRITE, _can_arrive)
        self._leave = Operation("leave", target, Mode.READ, _can_leave)

    def wait(self, timeout: float | None = None) -> int:
        """Arrive, and wait for the others; return how many had arrived before.

        Raises BrokenBarrierError if the barrier is or gets broken, or if it is reset.
        """
        if timeout is None:
            timeout = self._timeout
        kernel, target = self._kernel, self._target
        kernel.point(self._arrive)
        if target.state & _PHASE == BROKEN:
            raise BrokenBarrierError
        index = target.state // _ONE_INSIDE
        target.state += _ONE_INSIDE
        if index + 1 == self._parties:
            if self._action is not None:
                self._act(self._action)
            self._enter_phase(DRAINING)
        elif timeout is None:
            kernel.point(self._leave)
        else:
            self._leave_in_time(timeout)
        was_broken = target.state & _PHASE != DRAINING
        self._go()
        if was_broken:
            raise BrokenBarrierError
        return index

    def _act(self, action: Callable[[], Any]) -> None:
        """Run the action while the barrier is shut; if it fails, break the barrier."""
        target = self._target
        target.state |= _IN_ACTION
        position = self._kernel.position
        try:
            action()
        except BaseException:
            if not self._kernel.is_unwinding:
                self._end_action(position)
                self._enter_phase(BROKEN)
                self._go()
            raise
        self._end_action(position)

    def _end_action(self, position: int) -> None:
        """Open the barrier again: a step, unless nothing else has happened since `position`."""
        kernel = self._kernel
        if kernel.position != position:
            kernel.point(Operation("open", self._target))
        self._target.state &= ~_IN_ACTION

    def _leave_in_time(self, timeout: float) -> None:
        """Wait until the barrier opens or breaks; break it when the time is up."""
        kernel, target = self._kernel, self._target
        operation = timed(
            kernel, "leave", target, Mode.WRITE, _can_leave, timeout, need=_is_unlocked
        )
        kernel.point(operation)
        if target.state & _PHASE == FILLING:
            expire(kernel, operation)
            self._enter_phase(BROKEN)

    def _go(self) -> None:
        """Be inside no longer; the last one out makes the barrier ready for the next round."""
        target = self._target
        target.state -= _ONE_INSIDE
        if target.state in (DRAINING, RESETTING):
            target.state = FILLING

    def _enter_phase(self, phase: int) -> None:
        self._target.state = self._target.state & ~_PHASE | phase

    def reset(self) -> None:
        """Make the barrier as new; who waits there gets BrokenBarrierError. One step."""
        kernel, target = self._kernel, self._target
        if kernel.is_unwinding:
            return
        kernel.point(Operation("reset", target, Mode.WRITE, _is_unlocked))
        if target.state < _ONE_INSIDE:
            target.state = FILLING
        elif target.state & _PHASE != DRAINING:
            self._enter_phase(RESETTING)

    def abort(self) -> None:
        """Break the barrier: who waits or will wait there gets BrokenBarrierError. One step."""
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        kernel.point(Operation("abort", self._target, Mode.WRITE, _is_unlocked))
        self._enter_phase(BROKEN)

    @property
    def parties(self) -> int:
        """How many tasks pass together."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """How many wait now. One step."""
        self._kernel.point(Operation("look at", self._target, Mode.READ))
        state = self._target.state
        return state // _ONE_INSIDE if state & _PHASE == FILLING else 0

    @property
    def broken(self) -> bool:
        """Whether the barrier is broken. One step."""
        self._kernel.point(Operation("look at", self._target, Mode.READ))
        return self._target.state & _PHASE == BROKEN

    def __repr__(self) -> str:
        kind = type(self)
        name = f"{kind.__module__}.{kind.__qualname__} at {id(self):#x}"
        state = self._target.state
        if state & _PHASE == BROKEN:
            return f"<{name}: broken>"
        waiting = state // _ONE_INSIDE if state & _PHASE == FILLING else 0
        return f"<{name}: waiters={waiting}/{self._parties}>"

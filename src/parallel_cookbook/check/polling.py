"""Loops that wait by looking again and again, and the livelock that they end in when nobody answers.

A task that goes round a `while` loop without any effect (it has written nothing, and its local
variables are what they were) would do so for ever, and a search would follow it for ever. When the same
turn has come three times, the task is put aside until one of the things that it looked at has changed. If no
task is left that could change it, the execution ends in a livelock.

That is sound because the turns left out are repetitions: the task is in the same state after each of
them (compare Kokologiannakis, Ren and Vafeiadis, "Dynamic Partial Order Reductions for Spinloops",
FMCAD 2021). What is written through code that is not rewritten, such as a C extension's own state, is not
seen as an effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, Target

if TYPE_CHECKING:
    from types import FrameType

    from parallel_cookbook.kernel import Kernel
    from parallel_cookbook.kernel.operation import Need

_PLAIN = (int, float, str, bool, bytes, type(None))
_SAME_TURNS = 2
"""So many repetitions of a turn, with everything that it looked at on record, make it a poll."""


class _Turn:
    """What is known of a task's last turn of a loop."""

    __slots__ = ("changes", "frame", "locals", "repetitions")

    def __init__(self, frame: FrameType, changes: int) -> None:
        self.frame = frame
        self.changes = changes
        self.locals: dict[str, Any] | None = None
        self.repetitions = 0


class Polls:
    """Watches the loops of one execution."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._turns: dict[tuple[int, int], _Turn] = {}

    def begin_execution(self) -> None:
        """Forget all loops."""
        self._turns.clear()

    def turn(self, site: int, frame: FrameType) -> None:
        """Note the beginning of a turn; wait, if the turns before it had no effect."""
        task = self._kernel.running
        key = (task.index, site)
        turn = self._turns.get(key)
        if turn is None or turn.frame is not frame:
            self._turns[key] = _Turn(frame, task.changes)
            return
        if task.changes != turn.changes:
            turn.changes = task.changes
            turn.locals = None
            turn.repetitions = 0
            task.looked = None
            return
        variables = dict(frame.f_locals)  # from 3.13 on, f_locals is a view
        if turn.locals is None or not _are_same(turn.locals, variables):
            turn.locals = variables
            turn.repetitions = 0
            task.looked = None
            return
        turn.repetitions += 1
        if turn.repetitions < _SAME_TURNS:
            task.looked = {}
        elif task.looked is not None:
            looked, task.looked = task.looked, None
            turn.repetitions = 0
            self._kernel.point(Poll(looked))


class Poll(Operation):
    """Waits until one of several targets has changed since the task looked at it."""

    __slots__ = ("looked",)

    def __init__(
        self, looked: dict[Target, int], more: tuple[tuple[Target, Mode, Need | None], ...] = ()
    ) -> None:
        parts = [(target, Mode.READ, _never) for target in looked]
        target, mode, need = parts[0] if parts else (Target(0, "nothing"), Mode.READ, _never)
        super().__init__("poll", target, mode, need, (*parts[1:], *more))
        self.looked = looked

    def is_enabled(self) -> bool:
        """Whether any of them has been written since."""
        return any(target.version != version for target, version in self.looked.items())

    def extended(self, part: tuple[Target, Mode, Need | None]) -> Operation:
        """Return the same operation on one more target."""
        return Poll(self.looked, (part,))


def _never(_state: int) -> bool:
    # When a poll may go on does not show in the state of its targets. For the search that means: it
    # could not have come before the write that ended it, which is true.
    return False


def _are_same(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether all variables have the values that they had, as far as that can be told at sight."""
    if before.keys() != now.keys():
        return False
    for name, value in now.items():
        old = before[name]
        if old is not value and not (
            type(old) is type(value) and isinstance(value, _PLAIN) and old == value
        ):
            return False
    return True

"""Data races in what processes share: values, arrays, blocks of memory, the objects of a manager.

Each access there is a scheduling point already; this says which of them nothing orders. Two rules:

- Two accesses to one place, one of them a write, that no synchronisation orders: the rule for
  variables (check/memory.py).
- *A stale update.* A task reads a place, another one writes it, and the first one writes it without
  having learned of that. Accesses to a `Value` never race by the first rule, because each of them takes the
  Value's lock by itself; nor do the calls of a proxy, which its server orders. But what lies between a
  read and a write in two such sections is not protected. What a task has learned by that lock, or by that
  call, when it came to write, does not count; what it has learned otherwise does: tasks that take turns
  by a barrier or a queue, from the read to the other's write and from there to the own one, may do so.

All that is noted here can be taken back, as the other notes of an execution: see kernel/record.py.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from parallel_cookbook.kernel.scheduler import ENDED

if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import CodeType

    from parallel_cookbook.kernel import Kernel, Target, Task

    Spot = tuple[CodeType | None, int]
    """The code of the program that makes an access, and the instruction there."""


class _Access(NamedTuple):
    """What is remembered of an access."""

    mask: int
    """Which parts of the place it has touched."""
    task: Task
    step: int
    """How many steps its task had taken, it included."""
    spot: Spot
    is_store: bool
    number: int
    """The position of its step in the execution."""
    known: int
    """What its task knew before it entered the section, or made the call, in which the access stands."""


@dataclass(frozen=True, slots=True)
class SharedAccess:
    """One side of a race: who, at which line of the program, and whether it wrote."""

    task: str
    file: str
    line: int
    columns: tuple[int, int]
    is_write: bool


@dataclass(frozen=True, slots=True)
class SharedRace:
    """Two accesses to shared memory that nothing orders, the earlier first."""

    first: SharedAccess
    second: SharedAccess
    key: str = ""
    """What was accessed, if the source there does not say it: the key of an item."""


class _Notes:
    """What has been done to one place, in one execution."""

    __slots__ = ("accesses", "reads")

    def __init__(self) -> None:
        self.accesses: tuple[_Access, ...] = ()
        """The last write of each part, and the reads since."""
        self.reads: dict[int, _Access] = {}
        """By task: its last read, if it has not written since. Never changed, but replaced."""

    def restore(self, entry: tuple[Any, ...]) -> None:
        """Take back what one access has noted; see `Record.rewind`."""
        _, self.accesses, self.reads = entry


class SharedRaces:
    """Watches what a machine's executions do to memory that processes share."""

    def __init__(self, kernel: Kernel, files: dict[str, str]) -> None:
        self._kernel = kernel
        self._files = files
        """The files of the program, as keys."""
        self.races: dict[tuple[Spot, Spot], SharedRace] = {}
        """All races found so far, by where the two accesses stand."""

    def access(
        self, target: Target, key: Hashable, mask: int, is_store: bool, known: int | None
    ) -> None:
        """Note an access that the running task has just made, and look whether it races.

        key: which part of an object that a server keeps; None for memory.
        known: what the task knew before it entered the section in which the access stands, or made the call,
        for the second rule; None for an access that is in no section.
        """
        if target.notes is None:
            target.notes = {}
        notes = target.notes.get(key)
        if notes is None:
            notes = target.notes[key] = _Notes()
        kernel = self._kernel
        me = kernel.running
        now = _Access(
            mask,
            me,
            me.steps,
            self._spot(),
            is_store,
            kernel.position,
            me.sync if known is None else known,
        )
        kernel.record.trail.append((notes, notes.accesses, notes.reads))
        for other in notes.accesses if key is None else ():
            if other.mask & mask and (other.is_store or is_store) and _is_unknown(other, me):
                self._note(other, now, key)
        if is_store:
            if known is not None:
                self._look_for_stale_update(notes, now, key)
            notes.accesses = (*_without(notes.accesses, mask), now)
            if me.index in notes.reads:
                notes.reads = {i: a for i, a in notes.reads.items() if i != me.index}
            return
        kept = [a for a in notes.accesses if a.is_store or a.task is not me or a.mask & ~mask]
        notes.accesses = (*kept, now)
        notes.reads = {**notes.reads, me.index: now}

    def _look_for_stale_update(self, notes: _Notes, now: _Access, key: Hashable) -> None:
        """Look whether somebody has written between the last read of who writes now, and now."""
        read = notes.reads.get(now.task.index)
        if read is None:
            return
        for other in notes.accesses:
            if not other.is_store or not other.mask & now.mask or other.task is now.task:
                continue
            is_between = other.number > read.number
            if is_between and not (_knows(other.known, read) and _knows(now.known, other)):
                self._note(other, now, key)
                self._note(other, read, key)

    def _note(self, first: _Access, second: _Access, key: Hashable) -> None:
        spots = first.spot, second.spot
        if spots not in self.races:
            told = "" if key is None else repr(key)
            self.races[spots] = SharedRace(_told(first), _told(second), told)

    def _spot(self) -> Spot:
        """Return where the program is: the innermost code of its own."""
        frame = sys._getframe(2)  # noqa: SLF001 - that of the simulation
        while frame.f_code.co_filename not in self._files:
            if frame.f_back is None:
                return None, 0
            frame = frame.f_back
        return frame.f_code, frame.f_lasti


def _is_unknown(access: _Access, me: Task) -> bool:
    return access.task is not me and not _knows(me.sync, access)


def _knows(sync: int, access: _Access) -> bool:
    """Whether who knows of the events `sync` comes after what an access's task did after it.

    Who was killed right after it has done nothing more: its death, which comes after its last step, counts.
    """
    task = access.task
    step = access.step
    if len(task.positions) == step and task.done.state == ENDED:
        step -= 1
    return len(task.positions) > step and sync >> task.positions[step] & 1 == 1


def _without(accesses: tuple[_Access, ...], mask: int) -> list[_Access]:
    """Return what is left of accesses whose traces in these parts are overwritten."""
    return [
        a if not a.mask & mask else a._replace(mask=a.mask & ~mask)
        for a in accesses
        if a.mask & ~mask
    ]


def _told(access: _Access) -> SharedAccess:
    code, instruction = access.spot
    if code is None:
        return SharedAccess(access.task.name, "", 0, (0, 0), access.is_store)
    places = list(code.co_positions())
    line, _, column, end = places[instruction // 2]
    columns = (column or 0, end or 0)
    return SharedAccess(access.task.name, code.co_filename, line or 0, columns, access.is_store)

"""Schedules as short printable strings, and their replay.

A schedule names, step by step, the task that goes on and the first letter of what it does, and the
sites that were scheduling points. It holds no line numbers: a site is known by its function, its kind,
its subject, and its place among its equals, so that a schedule survives a change of unrelated lines, and
of the Python version.

Form: `1-GRAIN-STEPS-SEAL`, where GRAIN says what was a scheduling point (the visible sites, and what else
the exploration had learnt), four characters each, and STEPS are runs of
one task: its index and a letter for each of its steps. `1-k3f9-0ss1ba0j-x7q2`: task 0 starts two tasks,
task 1 begins and acquires, task 0 joins. SEAL, which may be missing, is a digest of what the letters leave
out: the whole names of the operations, on what kind of thing, and which of them are on the same thing.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from parallel_cookbook.errors import ReplayMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parallel_cookbook.instrument import Site, SiteTable
    from parallel_cookbook.kernel import Kernel, Target, Task

VERSION = "1"
_KEY_LENGTH = 4
_ADVICE = "the program has changed since; check it again"
Step = tuple[int, str]
"""The index of a task, and the first letter of what it does."""


def encode(steps: Sequence[Step], visible: Iterable[str], seal: str = "") -> str:
    """Return the schedule of these steps; `visible` are the keys of the visible sites.

    seal: of a `Replay` that has followed these steps; without one, a replay compares less.
    """
    parts = []
    last = -1
    for task, letter in steps:
        if task != last:
            parts.append(str(task))
            last = task
        parts.append(letter)
    words = [VERSION, "".join(sorted(visible)), "".join(parts)]
    return "-".join([*words, seal] if seal else words)


def decode(schedule: str) -> tuple[Replay, set[str]]:
    """Return who follows the schedule, and the keys of the visible sites.

    Raises ReplayMismatchError if it is no schedule.
    """
    match = re.fullmatch(r"1-((?:[a-z0-9]{4})*)-((?:\d+[a-z]+)*)(?:-([a-z0-9]{4}))?", schedule)
    if match is None:
        raise ReplayMismatchError(
            f"{schedule!r} is no schedule; take one from the line `replay:` of a report"
        )
    keys = {match[1][i : i + _KEY_LENGTH] for i in range(0, len(match[1]), _KEY_LENGTH)}
    steps = [
        (int(task), letter)
        for task, letters in re.findall(r"(\d+)([a-z]+)", match[2])
        for letter in letters
    ]
    return Replay(steps, match[3] or ""), keys


def site_keys(sites: SiteTable) -> list[str]:
    """Return the key of each site: the same whatever stands on other lines of the file.

    A file that is rewritten again gets the keys that it had.
    """
    seen: dict[tuple[str, ...], int] = {}
    before: dict[str, dict[tuple[str, ...], int]] = {}
    keys = []
    for position, site in enumerate(sites):
        file = sites.beginnings.get(position)
        if file is not None:
            seen = dict(before.setdefault(file, dict(seen)))
        name = _name(site)
        seen[name] = seen.get(name, -1) + 1
        keys.append(key_of(*name, str(seen[name])))
    return keys


def key_of(*words: str) -> str:
    """Return the key of something that has no site, such as an attribute of a class."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return _in_base_36(int.from_bytes(digest[:4], "big"))[-_KEY_LENGTH:].rjust(_KEY_LENGTH, "0")


def _name(site: Site) -> tuple[str, ...]:
    return (site.file.replace("\\", "/").rpartition("/")[2], site.function, site.kind, site.subject)


def _in_base_36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return text


class Replay:
    """Follows the steps of a schedule, and stops where the program does something else.

    seal: what `seal` returned when the schedule was recorded; empty if that is not known.

    After the last step the program may only end. A task that is left alone may go on all the same: then
    no order is to be chosen, and who looks for a mistake may add a `print` behind the last join.
    """

    def __init__(self, steps: Sequence[Step], seal: str = "") -> None:
        self.steps = steps
        self._position = 0
        self._recorded_seal = seal
        self._done: list[str] = []
        """Of each step: the whole operation, on what kind of target, and which one."""
        self._targets: dict[Target, int] = {}
        """The number of each target, in the order in which the steps meet them."""

    def choose(self, kernel: Kernel) -> Task | None:
        """Return the task that the schedule names.

        Raises ReplayMismatchError if it cannot go on, or is about to do something else.
        """
        if self._position >= len(self.steps):
            return self._after_the_last_step(kernel)
        index, letter = self.steps[self._position]
        self._position += 1
        task = kernel.tasks[index] if index < len(kernel.tasks) else None
        operation = task.operation if task is not None else None
        if operation is None or operation.kind[0] != letter or not operation.is_enabled():
            raise ReplayMismatchError(self._complaint(kernel, index, letter))
        number = self._targets.setdefault(operation.target, len(self._targets))
        self._done.append(f"{index} {operation.kind} {operation.target.kind} {number}")
        return task

    @property
    def seal(self) -> str:
        """A digest of the steps that were done; the same after unrelated lines were added."""
        return key_of(*self._done)

    def finish(self, *, was_cut: bool = False) -> None:
        """Say that the execution has ended; `was_cut`: by a limit, which may be another one now.

        Raises ReplayMismatchError if steps are left, or others were done than were recorded.
        """
        if was_cut:
            return
        done, total = self._position, len(self.steps)
        if done < total:
            raise ReplayMismatchError(f"the program ends after {done} of {total} steps: {_ADVICE}")
        if self._recorded_seal and self.seal != self._recorded_seal:
            raise ReplayMismatchError(
                "the steps look alike, but are not on the same things, or do not do the same to them, as "
                f"those of the schedule: {_ADVICE}"
            )

    def _after_the_last_step(self, kernel: Kernel) -> Task | None:
        enabled = kernel.enabled()
        alive = [task for task in kernel.tasks if task.operation and task.operation.kind != "exit"]
        ways_out = [task for task in enabled if task not in alive]
        if ways_out:
            return ways_out[0]  # the end of the program, which ends its daemons, wherever they are
        if enabled and alive != enabled[:1]:
            who = ", ".join(task.name for task in enabled)
            raise ReplayMismatchError(
                f"the schedule ends after {len(self.steps)} steps, but {who} can go on: {_ADVICE}"
            )
        return enabled[0] if enabled else None

    def _complaint(self, kernel: Kernel, index: int, letter: str) -> str:
        where = f"step {self._position} of the schedule lets task {index} do {letter!r}"
        if index >= len(kernel.tasks):
            return f"{where}, but there is no task {index} yet: {_ADVICE}"
        task = kernel.tasks[index]
        if task.operation is None:
            return f"{where}, but {task.name} has ended: {_ADVICE}"
        state = "is about to" if task.operation.is_enabled() else "is blocked before"
        return f"{where}, but {task.name} {state} {task.operation.kind!r}: {_ADVICE}"

"""Schedules as short printable strings, and their replay.

A schedule names, step by step, the task that goes on and the first letter of what it does, and the
sites that were scheduling points. It holds no line numbers: a site is known by its function, its kind,
its subject, and its place among its equals, so that a schedule survives a change of unrelated lines, and
of the Python version.

Form: `1-GRAIN-STEPS`, where GRAIN says what was a scheduling point (the visible sites, and what else the
exploration had learnt), four characters each, and STEPS are runs of
one task: its index and a letter for each of its steps. `1-k3f9-0ss1ba0j`: task 0 starts two tasks, task 1
begins and acquires, task 0 joins.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from parallel_cookbook.errors import ReplayMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parallel_cookbook.instrument import Site, SiteTable
    from parallel_cookbook.kernel import Kernel, Task

VERSION = "1"
_KEY_LENGTH = 4
Step = tuple[int, str]
"""The index of a task, and the first letter of what it does."""


def encode(steps: Sequence[Step], visible: Iterable[str]) -> str:
    """Return the schedule of these steps; `visible` are the keys of the visible sites."""
    parts = []
    last = -1
    for task, letter in steps:
        if task != last:
            parts.append(str(task))
            last = task
        parts.append(letter)
    return f"{VERSION}-{''.join(sorted(visible))}-{''.join(parts)}"


def decode(schedule: str) -> tuple[list[Step], set[str]]:
    """Return the steps and the keys of the visible sites; ReplayMismatchError if it is no schedule."""
    match = re.fullmatch(r"1-((?:[a-z0-9]{4})*)-((?:\d+[a-z]+)*)", schedule)
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
    return steps, keys


def site_keys(sites: SiteTable) -> list[str]:
    """Return the key of each site: the same whatever stands on other lines of the file."""
    seen: dict[tuple[str, ...], int] = {}
    keys = []
    for site in sites:
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
    """Follows the steps of a schedule; after its last step the running task goes on."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._position = 0

    def choose(self, kernel: Kernel) -> Task | None:
        """Return the task that the schedule names.

        Raises ReplayMismatchError if it cannot go on, or is about to do something else.
        """
        enabled = kernel.enabled()
        if self._position >= len(self._steps):
            return kernel.running if kernel.running in enabled else next(iter(enabled), None)
        index, letter = self._steps[self._position]
        self._position += 1
        for task in enabled:
            if task.index == index and task.operation and task.operation.kind[0] == letter:
                return task
        raise ReplayMismatchError(self._complaint(kernel, index, letter))

    def _complaint(self, kernel: Kernel, index: int, letter: str) -> str:
        where = f"step {self._position} of the schedule lets task {index} do {letter!r}"
        advice = "the program has changed since; check it again"
        if index >= len(kernel.tasks):
            return f"{where}, but there is no task {index} yet: {advice}"
        task = kernel.tasks[index]
        if task.operation is None:
            return f"{where}, but {task.name} has ended: {advice}"
        state = "is about to" if task.operation.is_enabled() else "is blocked before"
        return f"{where}, but {task.name} {state} {task.operation.kind!r}: {advice}"

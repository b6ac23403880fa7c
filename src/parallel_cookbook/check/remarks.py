"""What a report says besides failures and warnings: blocks that are never unlinked, changes that are lost.

Neither is one of the kinds of failures and warnings that the command promises: the program may be right all
the same. So they are remarks, a list of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parallel_cookbook.check.result import Remark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parallel_cookbook.events import Interleaving, LostChange


@dataclass(frozen=True, slots=True)
class Leak:
    """A block of shared memory that nobody has unlinked when the program ends."""

    task: str
    """Who has made it."""
    location: str
    """Where, as `file:line`."""


def remarks(leaks: Iterable[Leak], stories: Iterable[Interleaving]) -> list[Remark]:
    """Return what there is to remark, each line once."""
    found = [*map(_of_leak, leaks), *_of_changes(stories)]
    return list({(remark.kind, remark.location): remark for remark in found}.values())


def _of_leak(leak: Leak) -> Remark:
    message = (
        f"the block of shared memory that {leak.task} has made here is never unlinked: whoever is the last "
        "to need it must call its unlink() once; else it is left to the resource tracker, which warns of it"
    )
    return Remark("leaked-memory", message, leak.task, leak.location)


def _of_changes(stories: Iterable[Interleaving]) -> Iterator[Remark]:
    for story in stories:
        for change in story.lost_changes:
            location = f"{change.file}:{change.line}"
            yield Remark("lost-change", told_change(change), change.task, location)


def told_change(change: LostChange) -> str:
    """Say in a sentence which change is lost, and what to do."""
    what = f"of {change.source}" if change.source else "that a proxy has given out"
    back = f"to {change.source} again" if change.source else "in the manager again"
    return (
        f"{change.task} changes a copy {what} in line {change.line}, a {change.kind} of its own, and the "
        f"manager's is not changed: assign the changed {change.kind} {back}, or keep a proxy there, such as "
        f"manager.{change.kind}(), which passes changes on"
    )

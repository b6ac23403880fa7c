"""Data races as warnings: one for each pair of lines, with the lock that would have ordered them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from parallel_cookbook.check.result import Warning_

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parallel_cookbook.check.memory import Access, Race
    from parallel_cookbook.events import Event, Interleaving
    from parallel_cookbook.instrument import SiteTable

Line = tuple[str, int]
"""A file and a line of it."""


@dataclass(slots=True)
class _Side:
    """What happens on one line of a racing pair."""

    line: Line
    task: str
    verbs: set[str] = field(default_factory=set)

    def told(self) -> str:
        return " and ".join(sorted(self.verbs))


@dataclass(slots=True)
class _Pair:
    place: str
    first: _Side
    second: _Side


def race_warnings(
    races: Iterable[Race], sites: SiteTable, story: Interleaving | None
) -> list[Warning_]:
    """Return one warning for each pair of lines that race, in the order in which they were found.

    `story` is one execution, told; it knows which locks are held at which accesses.
    """
    pairs: dict[frozenset[Line], _Pair] = {}
    for race in races:
        lines = _line(sites, race.first), _line(sites, race.second)
        key = frozenset(lines)
        if key not in pairs:
            sides = _Side(lines[0], race.first.task), _Side(lines[1], race.second.task)
            pairs[key] = _Pair(race.place, *sides)
        pair = pairs[key]
        for line, access in zip(lines, (race.first, race.second), strict=True):
            side = pair.first if line == pair.first.line else pair.second
            side.verbs.add("writes" if access.is_write else "reads")
    return [_warning(pair, story) for pair in pairs.values()]


def _line(sites: SiteTable, access: Access) -> Line:
    site = sites[access.site]
    return site.file, site.line


def _warning(pair: _Pair, story: Interleaving | None) -> Warning_:
    first, second = pair.first, pair.second
    has_many_files = first.line[0] != second.line[0]
    one, other = _told_line(first.line, has_many_files), _told_line(second.line, has_many_files)
    if first.line == second.line:
        told = f"{first.task} and {second.task} both run {one}, which {first.told()} it"
    else:
        told = (
            f"{first.task} {first.told()} it in {one}, {second.task} {second.told()} it in {other}"
        )
    message = f"{pair.place}: {told}, and nothing orders the two"
    advice = _advice(pair, story, has_many_files=has_many_files) if story is not None else ""
    if advice:
        message = f"{message}: {advice}"
    file, line = second.line
    return Warning_("data-race", message, second.task, f"{file}:{line}")


def _told_line(line: Line, has_many_files: bool) -> str:
    return f"{Path(line[0]).name}:{line[1]}" if has_many_files else f"line {line[1]}"


def _advice(pair: _Pair, story: Interleaving, *, has_many_files: bool) -> str:
    """Say which lock is held at one of the accesses to the place and not at the others."""
    first, second = pair.first.line, pair.second.line
    own = [e for e in story.events if e.places and (e.file, e.line) in {first, second}]
    places = {place for event in own if _is_about(event, pair.place) for place in event.places}
    about = [e for e in story.events if not places.isdisjoint(e.places)]
    guards: dict[Line, set[str]] = {}
    for event in about:
        held = {hold.label for hold in event.held if hold.task == event.task}
        line = event.file, event.line
        guards[line] = guards[line] & held if line in guards else held
    if first not in guards or second not in guards:
        return ""
    if any(guards[line] for line in (first, second)):
        return " and ".join(
            f"{_told_line(line, has_many_files)} holds {_told_locks(guards[line])}"
            if guards[line]
            else f"{_told_line(line, has_many_files)} holds no lock"
            for line in dict.fromkeys((first, second))
        )
    for line, locks in guards.items():
        if locks:
            return f"{_told_line(line, has_many_files)} holds {_told_locks(locks)} for it, but not these"
    return "no lock is ever held there"


def _is_about(event: Event, place: str) -> bool:
    return event.subject.rpartition(".")[2] == place.rpartition(".")[2]


def _told_locks(locks: set[str]) -> str:
    return " and ".join(sorted(locks))

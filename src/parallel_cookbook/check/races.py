"""Data races as warnings: one for each pair of lines, with the lock that would have ordered them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from parallel_cookbook.check.result import Warning_

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parallel_cookbook.check.memory import Access, Race
    from parallel_cookbook.check.shared_races import SharedRace
    from parallel_cookbook.events import Event, Interleaving
    from parallel_cookbook.instrument import SiteTable

_NAMING = frozenset({"load_attr", "store_attr", "load_item", "store_item", "call_method"})
"""Kinds of sites whose subject can be shared memory."""

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
    races: Iterable[Race],
    shared: Iterable[SharedRace],
    sites: SiteTable,
    story: Interleaving | None,
) -> list[Warning_]:
    """Return one warning for each pair of lines that race, in the order in which they were found.

    shared: the races for what processes share.
    story: one execution, told; it knows which locks are held at which accesses.
    """
    pairs: dict[frozenset[Line], _Pair] = {}
    for race in races:
        _add(pairs, race.place, race, (_line(sites, race.first), _line(sites, race.second)))
    for found in shared:
        lines = (found.first.file, found.first.line), (found.second.file, found.second.line)
        _add(pairs, _shared_place(found, sites), found, lines)
    return [_warning(pair, story) for pair in pairs.values()]


def _add(
    pairs: dict[frozenset[Line], _Pair],
    place: str,
    race: Race | SharedRace,
    lines: tuple[Line, Line],
) -> None:
    """Enter a race with those of the same two lines."""
    key = frozenset(lines)
    if key not in pairs:
        sides = _Side(lines[0], race.first.task), _Side(lines[1], race.second.task)
        pairs[key] = _Pair(place, *sides)
    pair = pairs[key]
    for line, access in zip(lines, (race.first, race.second), strict=True):
        side = pair.first if line == pair.first.line else pair.second
        side.verbs.add("writes" if access.is_write else "reads")


def _shared_place(race: SharedRace, sites: SiteTable) -> str:
    """Return what the source calls the memory in question, where the second access stands."""
    access = race.second
    here = [
        site
        for site in sites
        if site.file == access.file
        and site.line <= access.line <= site.end_line
        and site.kind in _NAMING
    ]
    exact = [site for site in here if (site.column, site.end_column) == access.columns]
    named = exact or [site for site in here if ("store" in site.kind) == access.is_write] or here
    return named[0].subject if named else race.key or "shared memory"


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
    guards: dict[Line, set[str]] = {}
    briefly: dict[Line, set[str]] = {}
    ever: dict[Line, list[set[str]]] = {}
    for event, held, own_locks in _with_locks(story):
        if places.isdisjoint(event.places):
            continue
        line = event.file, event.line
        guards[line] = guards[line] & held if line in guards else held
        briefly.setdefault(line, set()).update(own_locks)
        ever.setdefault(line, []).append(held)
    if first not in guards or second not in guards:
        return ""
    lines = list(dict.fromkeys((first, second)))
    if any(guards[line] or briefly[line] for line in lines):
        return " and ".join(
            f"{_told_line(line, has_many_files)} holds {_told_hold(guards[line], briefly[line], ever[line])}"
            for line in lines
        )
    here = [held for line in lines for held in ever[line]]
    if any(here):
        names = _told_locks(set().union(*here))
        return f"each holds a lock of its own: {names}" if all(here) else f"only some hold {names}"
    for line, locks in guards.items():
        if locks:
            return f"{_told_line(line, has_many_files)} holds {_told_locks(locks)} for it, but not these"
    return "no lock is ever held there"


def _with_locks(story: Interleaving) -> Iterator[tuple[Event, set[str], set[str]]]:
    """Yield each event, with the locks that its task holds, apart those that one access takes by itself."""
    brief: dict[int, set[str]] = {}
    for event in story.events:
        taken = brief.setdefault(event.task, set())
        if event.kind == "acquire" and not event.source:
            taken.add(event.label)
        elif event.kind == "release":
            taken.discard(event.label)
        held = {hold.label for hold in event.held if hold.task == event.task}
        yield event, held - taken, held & taken


def _is_about(event: Event, place: str) -> bool:
    subject = event.subject
    is_part = place.startswith((f"{subject}.", f"{subject}["))
    return is_part or subject.rpartition(".")[2] == place.rpartition(".")[2]


def _told_hold(locks: set[str], brief: set[str], ever: list[set[str]]) -> str:
    """Say what a line holds at all its accesses; `ever`: what it holds at each."""
    if not locks and not brief and any(ever):
        return "now one lock, now another" if all(ever) else "a lock, but not always"
    if locks or not brief:
        return _told_locks(locks) if locks else "no lock"
    return f"{_told_locks(brief)} for each access by itself only, not from one to the next"


def _told_locks(locks: set[str]) -> str:
    return " and ".join(sorted(locks))

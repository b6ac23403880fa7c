"""A timeline as a trace that the Perfetto UI opens (and chrome://tracing), to be asked with SQL.

The format is Chrome's JSON, not Perfetto's protobuf: it needs no library to be written, can be read with any
editor, and holds all that a timeline has. Its importer drops slices of one track that overlap without
nesting, which a timeline's lanes never do: a lock has a lane, so a track, of its own.

A group of lanes is a process, a lane a thread of it. An arrow is a flow, which the importer binds to the
slices that are open at its ends, and draws from the one that begins first. Where a lane has none there, or
that would turn the arrow round, a slice of a nanosecond is added to carry it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING

from parallel_cookbook.report.timeline_html import short_names, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.timeline import Arrow, Slice, Timeline

_STEP = 1000
"""An interleaving's step, in the trace's nanoseconds."""
_FIRST_TRACK = 1000
"""So that no number of a thread is that of a process: it would be taken for its main thread."""


def perfetto_trace(timeline: Timeline) -> Iterator[str]:
    """Yield the lines of the trace, one event a line.

    They are to be written as UTF-8, which they can be, whatever the program's names are. Moments keep their
    nanoseconds. Cost: a few microseconds a slice.
    """
    head = {"title": timeline.title, "notes": list(timeline.notes), "unit": timeline.unit}
    yield f'{{"displayTimeUnit": "ns", "otherData": {_json(head)}, "traceEvents": [\n'
    separator = ""
    for event in _Writer(timeline).events():
        yield f"{separator}{event}"
        separator = ",\n"
    yield "\n]}\n"


class _Writer:
    """Writes a timeline's parts as events."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._scale = 1 if timeline.unit == "ns" else _STEP
        groups = list(dict.fromkeys(lane.group for lane in timeline.lanes))
        self._groups = {group: number for number, group in enumerate(groups, 1)}
        self._lanes = _Lanes(timeline)
        self._files = short_names({one.place.file for one in timeline.slices if one.place})

    def events(self) -> Iterator[str]:
        """Yield all events, as JSON."""
        yield from map(_json, self._names())
        for one in self._timeline.slices:
            yield self._slice(one)
        for number, arrow in enumerate(self._timeline.arrows, 1):
            yield from self._flow(number, arrow)
        for counter in self._timeline.counters:
            name = _json(self._timeline.lanes[counter.lane].name or "counter")
            for moment, value in counter.points:
                given = _json({counter.name or "value": value})
                yield f'{{"ph":"C",{self._at(counter.lane, moment)},"name":{name},"args":{given}}}'

    def _names(self) -> Iterator[dict[str, object]]:
        for group, number in self._groups.items():
            for name, key, value in (
                ("process_name", "name", group or "tasks"),
                ("process_sort_index", "sort_index", number),
            ):
                yield {"ph": "M", "pid": number, "name": name, "args": {key: value}}
        for index, lane in enumerate(self._timeline.lanes):
            place = {"ph": "M", "pid": self._groups[lane.group], "tid": _FIRST_TRACK + index}
            yield {**place, "name": "thread_name", "args": {"name": lane.name}}
            yield {**place, "name": "thread_sort_index", "args": {"sort_index": index}}

    def _at(self, lane: int, moment: int) -> str:
        group = self._groups[self._timeline.lanes[lane].group]
        when = _microseconds((moment - self._timeline.begin) * self._scale)
        return f'"pid":{group},"tid":{_FIRST_TRACK + lane},"ts":{when}'

    def _slice(self, one: Slice) -> str:
        length = _microseconds((one.end - one.begin) * self._scale)
        name = _json(one.label or told(one.state))
        given = _json(dict(self._arguments(one)))
        return (
            f'{{"ph":"X",{self._at(one.lane, one.begin)},"dur":{length},"name":{name},'
            f'"cat":"{one.state}","args":{given}}}'
        )

    def _arguments(self, one: Slice) -> Iterator[tuple[str, object]]:
        lanes = self._timeline.lanes
        yield "state", told(one.state)
        if one.detail:
            yield "detail", one.detail
        if one.thing is not None:
            yield "object", lanes[one.thing].name
        if one.holder is not None:
            yield "holder", lanes[one.holder].name
        if one.place is not None:
            yield "place", f"{self._files[one.place.file]}:{one.place.line}"
            yield "source", one.place.source
        for claim in ("is_preempted", "is_open", "is_failure"):
            if getattr(one, claim):
                yield claim, True

    def _flow(self, number: int, arrow: Arrow) -> Iterator[str]:
        name = _json(arrow.label or arrow.kind)
        giver = self._lanes.inside(arrow.from_lane, arrow.begin)
        taker = self._lanes.inside(arrow.to_lane, arrow.end)
        since = arrow.begin if giver is None else giver[1]
        is_turned = taker is not None and taker[1] < since
        for phase, lane, moment, found, is_carried in (
            ('"s"', arrow.from_lane, arrow.begin, giver, giver is None),
            ('"f","bp":"e"', arrow.to_lane, arrow.end, taker, taker is None or is_turned),
        ):
            at = self._at(lane, moment if found is None else found[0])
            if is_carried:
                shortest = _microseconds(1)
                yield f'{{"ph":"X",{at},"dur":{shortest},"name":{name},"cat":"arrow","args":{{}}}}'
            yield f'{{"ph":{phase},{at},"id":{number},"name":{name},"cat":"{arrow.kind}"}}'


class _Lanes:
    """The slices of each lane, to find those that are open at a moment."""

    def __init__(self, timeline: Timeline) -> None:
        self._slices: list[list[Slice]] = [[] for _ in timeline.lanes]
        for one in timeline.slices:
            if one.end > one.begin:
                self._slices[one.lane].append(one)
        self._begins = [[one.begin for one in lane] for lane in self._slices]
        self._latest: list[list[int]] = []
        for lane in self._slices:
            latest, ends = 0, []
            for one in lane:
                latest = max(latest, one.end)
                ends.append(latest)
            self._latest.append(ends)

    def inside(self, lane: int, moment: int) -> tuple[int, int] | None:
        """Return a moment at which a slice is open, and when that began.

        It is the innermost slice that reaches the given moment; the one returned is not after it.
        """
        slices, latest = self._slices[lane], self._latest[lane]
        index = bisect_right(self._begins[lane], moment) - 1
        while index >= 0 and latest[index] >= moment:
            if slices[index].end >= moment:
                return min(moment, slices[index].end - 1), slices[index].begin
            index -= 1
        return None


def _json(value: object) -> str:
    """Return a value as JSON, with all characters as they are: the importer leaves escapes in names alone."""
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def _microseconds(nanoseconds: int) -> str:
    """Return a number of microseconds that importers read as exactly so many nanoseconds.

    They multiply by 1000, in floating point; some then cut off, some round. A fifth of a nanosecond more is
    right for both.
    """
    return f"{nanoseconds // 1000}.{nanoseconds % 1000:03d}2"

"""A timeline as a trace that the Perfetto UI opens (and chrome://tracing), to be asked with SQL.

The format is Chrome's JSON, not Perfetto's protobuf: it needs no library to be written, can be read with any
editor, and holds all that a timeline has. Its importer drops slices of one track that overlap without
nesting, which a timeline's lanes never do: a lock has a lane, so a track, of its own.

A group of lanes is a process, a lane a thread of it. An arrow is a flow, which the importer binds to the
slices that are open at its ends; where a lane has none there, a slice of a nanosecond is added to carry it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING

from parallel_cookbook.report.timeline_html import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.timeline import Arrow, Slice, Timeline

_STEP = 1000
"""An interleaving's step, in the trace's nanoseconds."""
_FIRST_TRACK = 1000
"""So that no number of a thread is that of a process: it would be taken for its main thread."""


def perfetto_trace(timeline: Timeline) -> Iterator[str]:
    """Yield the lines of the trace, one event a line.

    Moments keep their nanoseconds. Text is ASCII, with escapes. Cost: a few microseconds a slice.
    """
    head = {"title": timeline.title, "notes": list(timeline.notes), "unit": timeline.unit}
    yield f'{{"displayTimeUnit": "ns", "otherData": {json.dumps(head)}, "traceEvents": [\n'
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

    def events(self) -> Iterator[str]:
        """Yield all events, as JSON."""
        yield from map(json.dumps, self._names())
        for one in self._timeline.slices:
            yield self._slice(one)
        for number, arrow in enumerate(self._timeline.arrows, 1):
            yield from self._flow(number, arrow)
        for counter in self._timeline.counters:
            name = json.dumps(self._timeline.lanes[counter.lane].name or "counter")
            for moment, value in counter.points:
                given = json.dumps({counter.name or "value": value})
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
        name = json.dumps(one.label or told(one.state))
        given = json.dumps(dict(self._arguments(one)))
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
            yield "place", f"{one.place.file}:{one.place.line}"
            yield "source", one.place.source
        for claim in ("is_preempted", "is_open", "is_failure"):
            if getattr(one, claim):
                yield claim, True

    def _flow(self, number: int, arrow: Arrow) -> Iterator[str]:
        name = json.dumps(arrow.label or arrow.kind)
        for phase, lane, moment in (
            ('"s"', arrow.from_lane, arrow.begin),
            ('"f","bp":"e"', arrow.to_lane, arrow.end),
        ):
            carried = self._lanes.inside(lane, moment)
            if carried is None:
                carried = moment
                yield (
                    f'{{"ph":"X",{self._at(lane, moment)},"dur":{_microseconds(1)},"name":{name},'
                    f'"cat":"arrow","args":{{}}}}'
                )
            at = self._at(lane, carried)
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

    def inside(self, lane: int, moment: int) -> int | None:
        """Return the nearest moment, not after the given one, at which a slice is open that reaches it."""
        slices, latest = self._slices[lane], self._latest[lane]
        index = bisect_right(self._begins[lane], moment) - 1
        while index >= 0 and latest[index] >= moment:
            if slices[index].end >= moment:
                return min(moment, slices[index].end - 1)
            index -= 1
        return None


def _microseconds(nanoseconds: int) -> str:
    """Return a number of microseconds that, cut off after the third decimal, is exact.

    The importer multiplies by 1000 and cuts off; without the last digit, a nanosecond would be lost at times.
    """
    return f"{nanoseconds // 1000}.{nanoseconds % 1000:03d}5"

"""Draws a recording: makes a Timeline of it, with a lane for each task, lock and queue.

What is drawn is what was concluded, no more: the states of `states.py`, the holds and lengths of
`contention.py`, and an arrow for each wait that another task ended, each message, each start.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter as Counts
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from parallel_cookbook.timeline import Arrow, Counter, Lane, Place, Slice, Timeline
from parallel_cookbook.trace.collecting import without_collecting
from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.states import State
from parallel_cookbook.trace.thinning import Thinning
from parallel_cookbook.trace.words import count, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parallel_cookbook.trace.contention import Hold
    from parallel_cookbook.trace.recording import Record, Recording, TracedTask
    from parallel_cookbook.trace.states import Stretch
    from parallel_cookbook.trace.summary import Summary
    from parallel_cookbook.trace.waits import Wait

_MOST_LANES = 60
"""Of locks, and of queues: those that tasks waited for longest."""
MOST_SLICES = 200_000
"""Above this, what is short is drawn together; and above this, arrows of what is short are left out."""
_ARROWS: dict[Kind, Literal["message", "lock", "wake", "end", "work"]] = {
    Kind.ACQUIRE: "lock",
    Kind.WAIT: "wake",
    Kind.BARRIER: "wake",
    Kind.QUEUE_JOIN: "wake",
    Kind.PUT: "wake",
    Kind.SEND: "wake",
    Kind.GET: "message",
    Kind.RECEIVE: "message",
    Kind.JOIN: "end",
    Kind.RESULT: "work",
}
_GOALS = {
    Kind.ACQUIRE: "waits for {}",
    Kind.WAIT: "waits at {}",
    Kind.BARRIER: "waits at {}",
    Kind.GET: "waits for an item in {}",
    Kind.RECEIVE: "waits for a message from {}",
    Kind.PUT: "waits for room in {}",
    Kind.SEND: "waits for room in {}",
    Kind.QUEUE_JOIN: "waits until {} is done",
    Kind.RESULT: "waits for a result from {}",
}


@without_collecting
def picture_of(summary: Summary) -> Timeline:
    """Return the picture of a run. Reads the program's files, to show their lines, where it can."""
    return _Drawing(summary).timeline()


class _Drawing:
    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._recording: Recording = summary.recording
        self._words = summary.words
        self._lanes: list[Lane] = []
        self._lane_of_task: dict[int, int] = {}
        self._lane_of_thing: dict[int, int] = {}
        self._slices = Thinning(MOST_SLICES)
        self._places: dict[int, Place | None] = {}
        self._counters: list[Counter] = []
        self._samples = _Samples(self._recording)
        self._spans: dict[int, list[Record]] = defaultdict(list)
        """By task: pieces of work and garbage collections."""
        for record in self._recording.records:
            is_span = record.kind in {Kind.WORK, Kind.COLLECT} and not record.is_request
            if is_span and record.ended > record.began:
                self._spans[record.task].append(record)

    def timeline(self) -> Timeline:
        """Return the picture."""
        self._add_lanes()
        for task, lane in self._lane_of_task.items():
            self._slices.add(self._task_slices(task, lane))
        for use in self._summary.locks:
            if use.thing in self._lane_of_thing:
                self._slices.add(self._holds(use.thing))
        self._counters += self._lengths()
        recording = self._recording
        slices, merged = self._slices.thinned()
        slices.sort(key=lambda one: (one.lane, one.begin, -one.end))
        return Timeline(
            title=" ".join(recording.command) or "a run",
            unit="ns",
            begin=min((task.began for task in recording.tasks), default=0),
            end=max(recording.duration, 1),
            lanes=tuple(self._lanes),
            slices=tuple(slices),
            arrows=tuple(sorted(self._arrows(), key=lambda arrow: arrow.begin)),
            counters=tuple(self._counters),
            notes=tuple(self._notes(merged)),
            sources=_sources(recording),
        )

    def _notes(self, merged: int) -> Iterator[str]:
        yield self._summary.advice
        if self._recording.lost:
            yield f"{count(self._recording.lost, 'record')} were lost: what they told is missing here."
        if not self._summary.knows_gil:
            yield "Running and waiting for the GIL could not be told apart; both are drawn as running."
        if merged:
            yield f"What is shorter than {span(merged)} is drawn together with its neighbours."

    def _lengths(self) -> Iterator[Counter]:
        for use in self._summary.queues:
            lane = self._lane_of_thing.get(use.thing)
            depths = self._summary.contention.depths[use.thing]
            if lane is not None and depths:
                limit = self._recording.things[use.thing].capacity or None
                yield Counter(lane, "items", depths, limit)

    # Lanes.

    def _add_lanes(self) -> None:
        for task in sorted(self._recording.tasks, key=_place_in_picture):
            process = self._recording.processes[task.process]
            self._lane_of_task[task.index] = len(self._lanes)
            group = f"process {process.name}" + (f" ({process.pid})" if process.pid else "")
            self._lanes.append(Lane(task.name, group, "task", self._note(task)))
        things = [("Locks", "lock", use.thing) for use in self._summary.locks[:_MOST_LANES]]
        things += [
            ("Queues and pipes", "queue", use.thing) for use in self._summary.queues[:_MOST_LANES]
        ]
        for group, kind, thing in things:
            if thing not in self._lane_of_thing:
                self._lane_of_thing[thing] = len(self._lanes)
                note = self._words.a_thing(thing)
                is_lock = kind == "lock"
                self._lanes.append(
                    Lane(self._words.thing(thing), group, "lock" if is_lock else "queue", note)
                )

    def _note(self, task: TracedTask) -> str:
        process = self._recording.processes[task.process]
        notes = []
        if task.is_helper:
            notes.append("a helper of the library")
        elif task.is_daemon:
            notes.append("daemon")
        if task.is_main and process.exit_code:
            notes.append(f"its process ended with exit code {process.exit_code}")
        return ", ".join(notes)

    # Slices.

    def _task_slices(self, task: int, lane: int) -> Iterator[Slice]:
        spans = [self._span(record, lane) for record in self._spans[task]]
        works = [one for one in spans if one.state == "work"]
        collections = sorted(
            (one for one in spans if one.state == "collect"), key=lambda one: one.begin
        )
        yield from _nesting(works)
        edges = sorted({moment for one in works for moment in (one.begin, one.end)})
        first = 0
        for stretch in self._summary.states[task]:
            for begin, end in _cut(stretch.begin, stretch.end, edges):
                yield self._slice(task, lane, stretch, begin, end)
                while first < len(collections) and collections[first].end <= begin:
                    first += 1
                for one in collections[first:]:
                    if one.begin >= end:
                        break
                    yield replace(one, begin=max(one.begin, begin), end=min(one.end, end))

    def _span(self, record: Record, lane: int) -> Slice:
        is_work = record.kind == Kind.WORK
        return Slice(
            lane,
            record.began,
            record.ended,
            "work" if is_work else "collect",
            f"piece {record.extra} of work" if is_work else "garbage collection",
            place=self._place(record.site),
        )

    def _slice(self, task: int, lane: int, stretch: Stretch, begin: int, end: int) -> Slice:
        wait = stretch.wait
        if wait is None:
            site = self._samples.site_between(task, begin, end)
            label = _STATES[stretch.state]
            if site >= 0 and stretch.state == State.RUNNING:
                label = self._recording.sites[site].function or label
            return Slice(lane, begin, end, stretch.state.value, label, place=self._place(site))
        detail, holder = self._who(wait)
        return Slice(
            lane,
            begin,
            end,
            stretch.state.value,
            self._goal(wait),
            detail,
            self._place(wait.site),
            self._lane_of_thing.get(wait.thing),
            self._lane_of_task.get(holder) if holder is not None else None,
            is_open=wait.is_open and end == stretch.end,
        )

    def _goal(self, wait: Wait) -> str:
        if wait.kind == Kind.SLEEP:
            return "sleeps"
        if wait.kind == Kind.JOIN:
            return f"waits for {self._words.task(wait.value)} to end"
        if wait.kind == Kind.CALL:
            return f"waits for {self._words.call(wait.thing, wait.value)}"
        return _GOALS[wait.kind].format(self._words.thing(wait.thing))

    def _who(self, wait: Wait) -> tuple[str, int | None]:
        """Return who is in the way, as a sentence and as a task."""
        if wait.kind == Kind.JOIN:
            return "", wait.value if wait.value >= 0 else None
        if wait.kind == Kind.ACQUIRE:
            holds = self._summary.contention.holders_at(wait.thing, wait.began)
            if holds:
                names = self._words.tasks(hold.task for hold in holds)
                since = self._words.at(holds[0].site) if len(holds) == 1 else ""
                taken = f", taken{since}" if since else ""
                return f"Held by {names}{taken}.", holds[0].task
            return "", None
        deed = self._summary.deeds.that_ended(wait)
        if deed:
            at = self._words.at(deed.site)
            return f"{self._words.task(deed.task)} let it go on{at}.", None
        if wait.is_open:
            return "It never came back.", None
        return ("" if wait.succeeded or wait.kind == Kind.SLEEP else "In vain."), None

    def _holds(self, thing: int) -> Iterator[Slice]:
        """Yield who held it; what overlaps, of a semaphore, in lanes of its own."""
        first = self._lane_of_thing[thing]
        rows: list[int] = [first]
        ends: list[int] = [0]
        for hold in self._summary.contention.holds[thing]:
            if hold.ended <= hold.began and not hold.is_open:
                continue
            row = next((row for row, end in enumerate(ends) if end <= hold.began), len(rows))
            if row == len(rows):
                rows.append(len(self._lanes))
                ends.append(0)
                name = f"{self._words.thing(thing)} ({row + 1})"
                self._lanes.append(replace(self._lanes[first], name=name))
            ends[row] = hold.ended
            yield self._hold(hold, rows[row])

    def _hold(self, hold: Hold, lane: int) -> Slice:
        name = self._words.task(hold.task)
        return Slice(
            lane,
            hold.began,
            hold.ended,
            "held",
            name,
            f"Held by {name} for {span(hold.ended - hold.began)}.",
            self._place(hold.site),
            holder=self._lane_of_task[hold.task],
            is_open=hold.is_open,
        )

    def _place(self, site: int) -> Place | None:
        if site not in self._places:
            self._places[site] = self._new_place(site)
        return self._places[site]

    def _new_place(self, site: int) -> Place | None:
        sites = self._recording.sites
        if not 0 <= site < len(sites):
            return None
        found = sites[site]
        return Place(found.file, found.line, found.source, found.function)

    # Arrows.

    def _arrows(self) -> Iterator[Arrow]:
        lanes = self._lane_of_task
        drawn = set()
        for own in self._summary.waits:
            for wait in own:
                deed = self._summary.deeds.that_ended(wait)
                if deed and wait.kind in _ARROWS:
                    if _ARROWS[wait.kind] == "message":
                        drawn.add((wait.thing, wait.extra))
                    yield Arrow(
                        lanes[deed.task],
                        min(deed.moment, wait.ended),
                        lanes[wait.task],
                        wait.ended,
                        _ARROWS[wait.kind],
                        self._words.thing(wait.thing) if wait.thing >= 0 else "",
                    )
        yield from self._messages(drawn)
        for task in self._recording.tasks:
            start = self._summary.deeds.start_of(task.index)
            if start:
                begin = min(start.moment, task.began)
                yield Arrow(lanes[start.task], begin, lanes[task.index], task.began, "start")

    def _messages(self, drawn: set[tuple[int, int]]) -> Iterator[Arrow]:
        """Yield an arrow for each message that nobody had to wait for."""
        put: dict[tuple[int, int], tuple[int, int]] = {}
        later = []
        for record in self._recording.records:
            if record.extra < 0 or record.is_request or not record.result:
                continue
            key = (record.thing, record.extra)
            if record.kind in {Kind.PUT, Kind.SEND}:
                put[key] = (record.task, record.ended)
            elif record.kind in {Kind.GET, Kind.RECEIVE} and key not in drawn:
                later.append((key, record.task, record.ended))
        for key, task, moment in later:
            if key in put:
                sender, sent = put[key]
                yield Arrow(
                    self._lane_of_task[sender],
                    min(sent, moment),
                    self._lane_of_task[task],
                    moment,
                    "message",
                    self._words.thing(key[0]),
                )


_STATES = {
    State.RUNNING: "runs",
    State.GIL: "waits for the GIL",
    State.READY: "waits for a processor",
    State.UNKNOWN: "waits outside of Python",
    State.IDLE: "has no work",
}


class _Samples:
    """Where tasks ran."""

    def __init__(self, recording: Recording) -> None:
        self._moments: dict[int, list[int]] = defaultdict(list)
        self._sites: dict[int, list[int]] = defaultdict(list)
        for record in recording.records:
            if record.kind == Kind.SAMPLE and record.site >= 0:
                self._moments[record.task].append(record.ended)
                self._sites[record.task].append(record.site)

    def site_between(self, task: int, begin: int, end: int) -> int:
        """Return where it was seen most often; -1 if it was not."""
        moments = self._moments.get(task, [])
        seen = self._sites.get(task, [])[bisect_left(moments, begin) : bisect_right(moments, end)]
        return Counts(seen).most_common(1)[0][0] if seen else -1


def _place_in_picture(task: TracedTask) -> tuple[int, bool, bool, int, int]:
    return (task.process, task.is_helper, not task.is_main, task.began, task.index)


def _cut(begin: int, end: int, edges: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the pieces of a stretch between the edges that fall into it."""
    inside = edges[bisect_right(edges, begin) : bisect_left(edges, end)]
    bounds = [begin, *inside, end]
    yield from itertools.pairwise(bounds)


def _nesting(slices: Iterable[Slice]) -> list[Slice]:
    """Return those that nest or do not overlap: one that overlaps an earlier one is cut short."""
    result: list[Slice] = []
    outer: list[Slice] = []
    for one in sorted(slices, key=lambda one: (one.begin, -one.end)):
        while outer and outer[-1].end <= one.begin:
            outer.pop()
        fitting = replace(one, end=min(one.end, outer[-1].end)) if outer else one
        result.append(fitting)
        outer.append(fitting)
    return result


def _sources(recording: Recording) -> dict[str, str]:
    """Return the text of the program's files that sites stand in."""
    texts = {}
    for file in {site.file for site in recording.sites}:
        try:
            texts[file] = Path(file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return texts

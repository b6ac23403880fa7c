"""A timeline's trace, opened by the Perfetto UI itself and compared with the timeline by SQL."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from parallel_cookbook.report.perfetto import perfetto_trace
from parallel_cookbook.timeline import Arrow, Lane, Slice, Timeline
from perfetto_ui import perfetto_ui
from timelines import hostile, many_slices, producer_consumer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from browser import Browser
    from perfetto_ui import PerfettoUI

SLICES = """select process.name as "group", thread.name as lane, slice.name as label,
    slice.ts - trace_start() as ts, slice.dur as dur, slice.category as category
  from slice join thread_track on slice.track_id = thread_track.id
  join thread using (utid) join process using (upid)
  where slice.category != 'arrow' order by slice.ts, slice.dur, lane, label"""
FLOWS = """select source.name, target.name, count(*) from flow
  join slice as one on flow.slice_out = one.id join thread_track as track on one.track_id = track.id
  join thread as source on track.utid = source.utid
  join slice as two on flow.slice_in = two.id join thread_track as other on two.track_id = other.id
  join thread as target on other.utid = target.utid group by 1, 2 order by 1, 2"""
HOLDERS = """select distinct thread.name, extract_arg(slice.arg_set_id, 'args.holder')
  from slice join thread_track on slice.track_id = thread_track.id join thread using (utid)
  where slice.category = 'blocked' and extract_arg(slice.arg_set_id, 'args.object') = 'lock'"""
ERRORS = "select name, value from stats where severity in ('error', 'data_loss') and value > 0"


@pytest.fixture(scope="module")
def ui(browser: Browser) -> Iterator[PerfettoUI]:
    with perfetto_ui(browser) as started:
        yield started


def text_of(timeline: Timeline) -> str:
    return "".join(perfetto_trace(timeline))


def slices_of(timeline: Timeline) -> list[list[Any]]:
    """Return what SLICES must give."""
    lanes = timeline.lanes
    rows = [
        [lanes[s.lane].group, lanes[s.lane].name, s.label, s.begin, s.end - s.begin, s.state]
        for s in timeline.slices
    ]
    return sorted(rows, key=lambda row: (row[3], row[4], row[1], row[2]))


def flows_of(timeline: Timeline) -> list[list[Any]]:
    """Return what FLOWS must give."""
    counts: dict[tuple[str, str], int] = {}
    for arrow in timeline.arrows:
        ends = timeline.lanes[arrow.from_lane].name, timeline.lanes[arrow.to_lane].name
        counts[ends] = counts.get(ends, 0) + 1
    return [[*ends, count] for ends, count in sorted(counts.items())]


@pytest.mark.browser
def test_the_ui_has_every_slice_flow_and_counter(ui: PerfettoUI, shots: Path) -> None:
    """Lane by lane, to the nanosecond; arrows join the lanes they join; the queue has a track."""
    timeline = producer_consumer()
    ui.open(text_of(timeline))
    assert ui.rows(SLICES) == slices_of(timeline)
    assert ui.rows(FLOWS) == flows_of(timeline)
    assert ui.rows("select count(*), max(value) from counter") == [
        [len(timeline.counters[0].points), 3.0]
    ]
    assert ui.rows(ERRORS) == []
    ui.page.frame()
    ui.page.screenshot(shots / "perfetto.png")


@pytest.mark.browser
def test_what_is_known_of_a_slice_can_be_asked_for(ui: PerfettoUI) -> None:
    """Holder, object and source line are arguments: SQL finds who was waited for."""
    timeline = producer_consumer()
    wanted = {
        (timeline.lanes[s.lane].name, timeline.lanes[s.holder].name)
        for s in timeline.slices
        if s.state == "blocked" and s.holder is not None
    }
    ui.open(text_of(timeline))
    assert {(lane, holder) for lane, holder in ui.rows(HOLDERS)} == wanted


@pytest.mark.browser
def test_nothing_is_lost_of_many_slices(ui: PerfettoUI) -> None:
    """Twenty thousand slices without a gap between them: none overlaps the next by rounding."""
    timeline = many_slices(20_000, lanes=4)
    ui.open(text_of(timeline))
    assert ui.rows("select count(*), sum(dur) from slice where category != 'arrow'") == [
        [len(timeline.slices), sum(one.end - one.begin for one in timeline.slices)]
    ]
    assert ui.rows("select max(depth) from slice where category != 'arrow'") == [[0]]
    assert ui.rows("select count(*) from flow") == [[len(timeline.arrows)]]
    assert ui.rows(ERRORS) == []


@pytest.mark.browser
def test_hostile_names_arrive_as_they_are(ui: PerfettoUI) -> None:
    """Markup, quotes, right-to-left text and names of 10,000 characters are just names."""
    quoted = Lane('"quoted" \\ and a \t tab', "🐍")
    timeline = replace(hostile(), lanes=(quoted, *hostile().lanes[1:]))
    ui.open(text_of(timeline))
    names = {name for (name,) in ui.rows("select name from thread where name is not null")}
    assert {lane.name for lane in timeline.lanes[:3]} <= names
    assert ui.rows("select count(*) from slice") == [[len(timeline.slices)]]


@pytest.mark.browser
def test_nested_slices_and_arrows_from_nowhere_are_kept(ui: PerfettoUI) -> None:
    """A slice in a slice stays inside; an arrow whose end meets no slice gets one to carry it."""
    lanes = (Lane("worker", "pool"), Lane("quiet", "pool"))
    slices = (
        Slice(0, 0, 100, "work", "task 1"),
        Slice(0, 10, 40, "blocked", "waits"),
        Slice(0, 20, 20, "running", "no time at all"),
        Slice(0, 40, 100, "running", "works"),
    )
    arrows = (Arrow(0, 100, 1, 150, "message", "item"), Arrow(1, 3, 0, 5, "wake"))
    timeline = Timeline("nested", "ns", 0, 200, lanes, slices, arrows)
    ui.open(text_of(timeline))
    depths = ui.rows("select name, depth from slice where category != 'arrow' order by ts, depth")
    assert depths == [["task 1", 0], ["waits", 1], ["no time at all", 2], ["works", 1]]
    assert ui.rows(FLOWS) == [["quiet", "worker", 1], ["worker", "quiet", 1]]


def test_each_line_is_an_event() -> None:
    """The file is JSON with one event a line, so that it can be read and searched without a tool."""
    lines = text_of(producer_consumer()).splitlines()
    events = [json.loads(line.rstrip(",")) for line in lines[1:-1]]
    assert json.loads("\n".join(lines))["traceEvents"] == events
    assert {event["ph"] for event in events} == {"M", "X", "s", "f", "C"}
    text = text_of(hostile())
    assert text.encode()
    assert json.loads(text)["otherData"]["title"].startswith("cookbook trace </script>")


def test_a_step_of_an_interleaving_is_a_microsecond() -> None:
    """So that the UI's shortest distances can show it."""
    timeline = Timeline("steps", "step", 0, 2, (Lane("a", ""),), (Slice(0, 1, 2, "running", "x"),))
    event = json.loads(text_of(timeline))["traceEvents"][-1]
    assert (int(event["ts"]), int(event["dur"])) == (1, 1)

"""A timeline as one HTML file: no network, no other file, in words where there is no JavaScript.

What stems from the program goes into the page in two ways, and no third: escaped by the template engine,
and as JSON in a script element that the browser does not execute, in which `<`, `>`, `&` and all that is
not ASCII are escaped. The page's policy allows the one script whose digest it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, get_args

from parallel_cookbook.timeline import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from parallel_cookbook.timeline import Arrow, Counter, Lane, Place, Slice, Timeline

STATES: tuple[str, ...] = get_args(State)
_ARROWS = ("message", "lock", "wake", "start", "end", "work")
_SCRIPTS = ("model", "layout", "draw", "overview", "panel", "input", "view")
_MAX_ROWS = 1000
"""Of the table in words."""
_MAX_WHOLE_SOURCE = 400
"""Lines of a file; of a longer one, only what stands around the places is sent along."""
_AROUND = 6
_MAX_LINE = 300
_WORDS = {
    "gil": "waiting for the GIL",
    "work": "a piece of work",
    "collect": "garbage collection",
    "unknown": "not known",
}
_HOW = {
    "ns": "Each bar is a stretch of time in which a thread did one thing, from left to right. "
    "Arrows show what went from one to another.",
    "step": "Each bar is a step, from left to right; one task takes it while the others wait. "
    "Arrows show what went from one to another.",
}
"""How to read the picture, for whoever has never seen one."""
_PREEMPTED = 1
_OPEN = 2
_FAILURE = 4


@cache
def template(name: str) -> str:
    """Return the text of a file among the templates."""
    return files("parallel_cookbook.report").joinpath("templates", name).read_text("utf-8")


def script(*names: str) -> str:
    """Return the renderer's script, followed by the templates' files of these names."""
    texts = [template(f"timeline_{name}.js") for name in _SCRIPTS] + [template(n) for n in names]
    return "\n".join(texts)


def style(*names: str) -> str:
    """Return the renderer's style sheet, after the templates' files of these names."""
    return "\n".join([*map(template, names), template("timeline.css")])


def policy(scripts: str, styles: str) -> str:
    """Return the policy of a page that has this script, this style sheet, and nothing else."""
    return (
        f"default-src 'none'; script-src '{_digest(scripts)}'; style-src '{_digest(styles)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def timeline_page(timeline: Timeline) -> str:
    """Return the page.

    The text can be encoded as UTF-8, whatever the program's names are. Cost: about a second and 3 MB for
    100,000 slices.
    """
    from jinja2 import Environment, PackageLoader  # noqa: PLC0415 - it takes 40 ms

    environment = Environment(
        loader=PackageLoader("parallel_cookbook.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts, styles = script("timeline_page.js"), style("timeline_page.css")
    page = environment.get_template("timeline.html").render(
        title=timeline.title,
        notes=timeline.notes,
        how=_HOW[timeline.unit],
        policy=policy(scripts, styles),
        style=styles,
        script=scripts,
        data=timeline_json(timeline),
        lanes=list(_lane_rows(timeline)),
        rows=list(_slice_rows(timeline)),
        left_out=max(len(timeline.slices) - _MAX_ROWS, 0),
    )
    return page.encode("utf-8", "backslashreplace").decode()


# --- data for the script ------------------------------------------------------------------------


class _Strings:
    """Texts, each once; a slice says the number of its text. And places, each once."""

    def __init__(self, files: set[str]) -> None:
        self.numbers: dict[str, int] = {"": 0}
        self.places: dict[tuple[int, int, int, int], int] = {}
        self.files = short_names(files)

    def number(self, text: str) -> int:
        """Return the number of a text."""
        return self.numbers.setdefault(text, len(self.numbers))

    def place(self, place: Place | None) -> int:
        """Return the number of a place, or -1 for none."""
        if place is None:
            return -1
        texts = (self.files[place.file], place.source, place.function)
        file, source, function = map(self.number, texts)
        return self.places.setdefault((file, place.line, source, function), len(self.places))


def short_names(files: set[str]) -> dict[str, str]:
    """Return for each file the end of its path that no other has: the page need not tell where they lie."""
    names = {}
    for file in files:
        parts = PurePath(file).parts or (file,)
        ends = ("/".join(parts[-length:]) for length in range(1, len(parts) + 1))
        others = [PurePath(other).parts for other in files if other != file]
        names[file] = next(
            (end for end in ends if not any(_ends_with(other, end) for other in others)), file
        )
    return names


def _ends_with(parts: tuple[str, ...], end: str) -> bool:
    wanted = tuple(end.split("/"))
    return parts[-len(wanted) :] == wanted


def timeline_json(timeline: Timeline) -> str:
    """Return what the script reads, safe to stand in a script element: nothing in it can end that.

    Moments count from `timeline.begin`; those of slices, from the slice before in the same lane.
    """
    strings = _Strings({one.place.file for one in timeline.slices if one.place is not None})
    number = strings.number
    data = {
        "title": timeline.title,
        "unit": timeline.unit,
        "length": timeline.end - timeline.begin,
        "notes": timeline.notes,
        "states": STATES,
        "arrow_kinds": _ARROWS,
        "lanes": [
            (number(lane.name), number(lane.group), lane.kind, number(lane.note))
            for lane in timeline.lanes
        ],
        "slices": _slices(timeline, strings),
        "arrows": _arrows(timeline.arrows, timeline.begin, strings),
        "counters": [_counter(counter, timeline.begin, strings) for counter in timeline.counters],
        "places": list(strings.places),
        "sources": {strings.files[name]: list(lines) for name, lines in _sources(timeline)},
        "strings": list(strings.numbers),
    }
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _slices(timeline: Timeline, strings: _Strings) -> dict[str, list[int]]:
    number = strings.number
    begins = []
    lane, last = -1, timeline.begin
    for one in timeline.slices:
        last = last if one.lane == lane else timeline.begin
        begins.append(one.begin - last)
        lane, last = one.lane, one.begin
    states = {state: index for index, state in enumerate(STATES)}
    return {
        "lane": [one.lane for one in timeline.slices],
        "begin": begins,
        "length": [one.end - one.begin for one in timeline.slices],
        "state": [states[one.state] for one in timeline.slices],
        "label": [number(one.label) for one in timeline.slices],
        "detail": [number(one.detail) for one in timeline.slices],
        "place": [strings.place(one.place) for one in timeline.slices],
        "thing": [-1 if one.thing is None else one.thing for one in timeline.slices],
        "holder": [-1 if one.holder is None else one.holder for one in timeline.slices],
        "flags": [_flags(one) for one in timeline.slices],
    }


def _flags(one: Slice) -> int:
    return _PREEMPTED * one.is_preempted + _OPEN * one.is_open + _FAILURE * one.is_failure


def _arrows(arrows: Sequence[Arrow], begin: int, strings: _Strings) -> dict[str, list[int]]:
    return {
        "from": [arrow.from_lane for arrow in arrows],
        "begin": [arrow.begin - begin for arrow in arrows],
        "to": [arrow.to_lane for arrow in arrows],
        "end": [arrow.end - begin for arrow in arrows],
        "kind": [_ARROWS.index(arrow.kind) for arrow in arrows],
        "label": [strings.number(arrow.label) for arrow in arrows],
    }


def _counter(counter: Counter, begin: int, strings: _Strings) -> dict[str, object]:
    return {
        "lane": counter.lane,
        "name": strings.number(counter.name),
        "limit": counter.limit,
        "at": [moment - begin for moment, _ in counter.points],
        "value": [value for _, value in counter.points],
    }


def _sources(timeline: Timeline) -> Iterator[tuple[str, Iterator[tuple[int, str]]]]:
    """Yield each file's name and the lines of it that may be shown."""
    used: dict[str, set[int]] = defaultdict(set)
    for one in timeline.slices:
        if one.place is not None:
            used[one.place.file].add(one.place.line)
    for name, numbers in used.items():
        if name in timeline.sources:
            yield name, _near(timeline.sources[name].splitlines(), numbers)


def _near(lines: list[str], numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
    wanted = {line + around for line in numbers for around in range(-_AROUND, _AROUND + 1)}
    for number, text in enumerate(lines, 1):
        if number in wanted or len(lines) <= _MAX_WHOLE_SOURCE:
            yield number, text.expandtabs()[:_MAX_LINE]


# --- the same in words --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _LaneRow:
    name: str
    group: str
    shares: str


@dataclass(frozen=True, slots=True)
class _SliceRow:
    begin: str
    length: str
    lane: str
    state: str
    what: str
    where: str


def _lane_rows(timeline: Timeline) -> Iterator[_LaneRow]:
    """Yield how long each lane was in which state."""
    sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    outer_end: dict[int, int] = {}
    for one in timeline.slices:
        if one.begin >= outer_end.get(one.lane, one.begin):
            sums[one.lane][one.state] += one.end - one.begin
            outer_end[one.lane] = one.end
    for index, lane in enumerate(timeline.lanes):
        most = sorted(sums[index].items(), key=lambda item: -item[1])
        shares = [f"{in_words(timeline, length)} {told(state)}" for state, length in most]
        yield _LaneRow(lane.name, lane.group, ", ".join(shares) or lane.note)


def _slice_rows(timeline: Timeline) -> Iterator[_SliceRow]:
    """Yield the longest slices, in the order of time."""
    longest = sorted(timeline.slices, key=lambda one: one.begin - one.end)[:_MAX_ROWS]
    for one in sorted(longest, key=lambda one: (one.begin, one.lane)):
        where = ""
        if one.place is not None:
            where = f"{PurePath(one.place.file).name}:{one.place.line}  {one.place.source}"
        yield _SliceRow(
            in_words(timeline, one.begin - timeline.begin),
            in_words(timeline, one.end - one.begin),
            _lane(timeline, one).name,
            told(one.state),
            f"{one.label}: {one.detail}" if one.detail else one.label,
            where.strip(),
        )


def _lane(timeline: Timeline, one: Slice) -> Lane:
    return timeline.lanes[one.lane]


def told(state: str) -> str:
    """Return a state in words."""
    return _WORDS.get(state, state)


def in_words(timeline: Timeline, length: int) -> str:
    """Return a stretch of a timeline's time, with its unit."""
    if timeline.unit == "step":
        return f"{length} {'step' if length == 1 else 'steps'}"
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if length >= size:
            return (
                f"{length / size:.3g} {unit}"
                if length < 1000 * size
                else f"{length // size} {unit}"
            )
    return f"{length} ns"

"""A timeline's page in a real browser: what is drawn, and what mouse, fingers and keys do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from browser import pages_of
from parallel_cookbook.report.timeline_html import timeline_page
from parallel_cookbook.timeline import Lane, Slice, Timeline
from timelines import MS, hostile, many_lanes, many_slices, producer_consumer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from browser import Browser, Page

pytestmark = pytest.mark.browser

VIEW = "document.querySelector('.timeline').timeline"
CTRL, SHIFT = 2, 8


@contextmanager
def opened(browser: Browser, folder: Path, timeline: Timeline, **options: Any) -> Iterator[Page]:  # noqa: ANN401
    """Open a timeline's page; in the end, the console has shown no error and nothing was fetched."""
    file = folder / "timeline.html"
    file.write_text(timeline_page(timeline), encoding="utf-8")
    page = browser.open(file.as_uri(), **options)
    if options.get("script", True):
        page.frame()
    yield page
    assert page.complaints == []
    assert page.requests == [file.as_uri()]
    page.close()


def view(page: Page, expression: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Return what an expression in terms of `v`, the view, gives."""
    return page.run(f"(() => {{ const v = {VIEW}; return {expression}; }})()")


def span(page: Page) -> float:
    return float(view(page, "v.t1 - v.t0"))


def box(page: Page, index: int) -> tuple[float, float, float, float]:
    """Return where a slice is in the window: left, top, width, height."""
    given = view(
        page,
        f"(() => {{ const b = v.painter.box({index}), c = v.canvas.getBoundingClientRect(); "
        "return [b.x + c.x, b.y + c.y, b.width, b.height]; })()",
    )
    return given[0], given[1], given[2], given[3]


def middle(page: Page, index: int) -> tuple[float, float]:
    left, top, width, height = box(page, index)
    return left + width / 2, top + height / 2


def pixels(page: Page, points: list[tuple[float, float]]) -> list[list[int]]:
    """Return the colours of the canvas at points of the window."""
    colours: list[list[int]] = view(
        page,
        f"""(() => {{ const r = v.canvas.getBoundingClientRect(), {{ width, height }} = v.canvas;
        const {{ data }} = v.canvas.getContext('2d').getImageData(0, 0, width, height);
        return {[list(point) for point in points]}.map(([x, y]) => {{
          const at = 4 * (Math.floor((y - r.y) * v.ratio) * width + Math.floor((x - r.x) * v.ratio));
          return [...data.slice(at, at + 3)]; }}); }})()""",
    )
    return colours


def colour_of(page: Page, state: str) -> list[int]:
    """Return the palette's colour of a state."""
    text = view(page, f"v.colours.states[v.model.states.indexOf('{state}')]")
    return [int(text[i : i + 2], 16) for i in (1, 3, 5)]


def details(page: Page) -> str:
    return str(page.run("document.querySelector('.t-details').innerText"))


def index_of(timeline: Timeline, **wanted: object) -> int:
    """Return the index of the first slice with these fields."""
    return next(
        index
        for index, one in enumerate(timeline.slices)
        if all(getattr(one, name) == value for name, value in wanted.items())
    )


# --- what is drawn ------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_lanes_slices_and_arrows_are_drawn(
    browser: Browser, tmp_path: Path, shots: Path, dark: bool
) -> None:
    """Each lane is there, each slice has its state's colour where it stands, each arrow is drawn."""
    timeline = producer_consumer()
    with opened(browser, tmp_path, timeline, dark=dark) as page:
        page.screenshot(shots / f"timeline-{'dark' if dark else 'light'}.png")
        assert view(page, "v.stats.lanes") == len(timeline.lanes)
        assert view(page, "v.stats.arrows") == len(timeline.arrows)
        boxes = [box(page, index) for index in range(len(timeline.slices))]
        wide = [
            (left + 2, top + 3)
            for one, (left, top, width, _) in zip(timeline.slices, boxes, strict=True)
            if one.state == "running" and width > 8
        ]
        left, top, _, height = boxes[index_of(timeline, state="blocked")]
        hatched = [(left + 1 + k, top + height - 4) for k in range(10)]
        colours = pixels(page, wide + hatched)
        assert len(wide) > 20
        assert colours[: len(wide)] == [colour_of(page, "running")] * len(wide)
        assert len({tuple(colour) for colour in colours[len(wide) :]}) > 1


def test_the_legend_names_each_state_and_arrow_in_words(browser: Browser, tmp_path: Path) -> None:
    """Whoever has never seen such a picture can read what a colour, a pattern or an arrow means."""
    with opened(browser, tmp_path, producer_consumer()) as page:
        legend = page.run("[...document.querySelectorAll('.t-legend')][0].innerText").split("\n")
    assert legend == [
        "running",
        "waiting for the GIL",
        "blocked",
        "sleeping",
        "held",
        "message",
        "lock handed over",
    ]


def test_colours_and_patterns_can_be_told_apart(browser: Browser, tmp_path: Path) -> None:
    """In light, dark and on paper, no two states have both the same colour and the same pattern."""
    with opened(browser, tmp_path, producer_consumer()) as page:
        for element, scheme in (
            (".timeline", "light"),
            (".timeline", "dark"),
            (".t-paper", "light"),
        ):
            page.scheme(scheme)
            looks = view(
                page,
                f"(() => {{ const c = TimelineLayout.palette(document.querySelector('{element}'), "
                "v.model.states, []); return c.states.map((s, i) => s + c.patterns[i]); })()",
            )
            assert len(looks) == 10
            assert len(set(looks)) == 10
            assert all(look.startswith("#") for look in looks)


def test_a_pixel_has_the_state_that_fills_most_of_it(browser: Browser, tmp_path: Path) -> None:
    """Slices narrower than a pixel are not drawn by chance: a tenth of the time is not seen for the whole."""
    lanes, slices, now = (Lane("a", ""),), [], 0
    for number in range(40_000):
        is_long = (number % 2 == 0) == (number < 20_000)
        length = 9 if is_long else 1
        slices.append(Slice(0, now, now + length, "blocked" if number % 2 else "running", ""))
        now += length
    timeline = Timeline("t", "ns", 0, now, lanes, tuple(slices))
    with opened(browser, tmp_path, timeline) as page:
        left, top, _, height = box(page, 0)
        width = view(page, "v.area / 1.01")
        columns = [*range(5, int(width / 2) - 5, 7), *range(int(width / 2) + 5, int(width) - 5, 7)]
        points = [(left + x, top + height / 2) for x in columns]
        colours = pixels(page, points)
        assert view(page, "v.stats.rectangles") < 20, "neighbours of the same state are one"
        running = colour_of(page, "running")
        for x, colour in zip(columns, colours, strict=True):
            assert (colour == running) == (x < width / 2)


def test_sums_of_stretches_are_exact(browser: Browser, tmp_path: Path) -> None:
    """What the renderer's quick sums say of a stretch is what adding up its slices says."""
    timeline = many_slices(2000, lanes=2)
    names = ["running", "gil", "ready", "blocked", "sleeping"]
    with opened(browser, tmp_path, timeline) as page:
        for begin, end in ((0, timeline.end), (123, 456_789), (9_999, 10_001), (400_000, 400_000)):
            expected = dict.fromkeys(names, 0)
            for one in timeline.slices:
                if one.lane == 0:
                    expected[one.state] += max(0, min(one.end, end) - max(one.begin, begin))
            got = view(
                page,
                f"TimelineModel.totals(v.model.rows[0][0], {begin}, {end})"
                ".map(([state, sum]) => [v.model.states[state], sum])",
            )
            assert dict(got) == {name: sum_ for name, sum_ in expected.items() if sum_}


def test_the_axis_has_one_unit(browser: Browser, tmp_path: Path) -> None:
    """From 0 to a second, moments are all told in seconds; zoomed in, with as many digits as they need."""
    lanes, second = (Lane("a", ""),), 1000 * MS
    timeline = Timeline("t", "ns", 0, second, lanes, (Slice(0, 0, second, "running", "x"),))
    words = (
        "(() => { const { at, step } = v.painter.ticks(); "
        "return at.map((t) => TimelineModel.inWords(v.model, t, step, at[at.length - 1])); })()"
    )
    with opened(browser, tmp_path, timeline) as page:
        assert view(page, words) == ["0.0 s", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1.0 s"]
        view(page, f"v.show({second / 2 - 30}, {second / 2 + 30})")
        page.frame()
        ticks = view(page, words)
        assert len(ticks) > 3
        assert len(set(ticks)) == len(ticks)
        assert {tick.split(" ")[1] for tick in ticks} == {"ms"}


def test_the_view_begins_where_something_happens(browser: Browser, tmp_path: Path) -> None:
    """If nothing was seen for most of a run, as while Python starts, that is left out at first."""
    lanes = (Lane("a", ""),)
    timeline = Timeline("t", "ns", 0, 1000, lanes, (Slice(0, 800, 1000, "running", "x"),))
    with opened(browser, tmp_path, timeline) as page:
        assert view(page, "v.t0") == pytest.approx(799)
        page.press("s", "s", "s", "s", "s", "s", "s")
        assert view(page, "v.t0") < 0, "it can be seen all the same"
        page.press("0")
        assert view(page, "v.t0") == pytest.approx(799)


# --- keys ---------------------------------------------------------------------------------------


def test_keys_zoom_pan_and_fit(browser: Browser, tmp_path: Path) -> None:
    """The keys w and s zoom, a and d move, f shows the selection or all, 0 shows all."""
    timeline = producer_consumer()
    with opened(browser, tmp_path, timeline) as page:
        whole = span(page)
        page.press("w", "w")
        near = span(page)
        assert near == pytest.approx(whole * 0.49)
        begin = view(page, "v.t0")
        page.press("d")
        assert view(page, "v.t0") == pytest.approx(begin + near * 0.15)
        page.press("a")
        assert view(page, "v.t0") == pytest.approx(begin)
        page.press("s")
        assert span(page) == pytest.approx(near / 0.7)
        page.press("f")
        assert span(page) == pytest.approx(whole)
        page.press("ArrowRight", "f")
        one = timeline.slices[view(page, "v.chosen")]
        assert span(page) == pytest.approx((one.end - one.begin) * 1.2)
        page.press("0")
        assert span(page) == pytest.approx(whole)


def test_zooming_never_leaves_the_picture(browser: Browser, tmp_path: Path) -> None:
    """However long a key is held down, some of the run is in view."""
    with opened(browser, tmp_path, producer_consumer()) as page:
        for key, times in (("w", 60), ("d", 40), ("s", 80), ("a", 40)):
            event = f"new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}})"
            held = f"Array.from({{length: {times}}}, () => v.root.dispatchEvent({event})).length"
            view(page, held)
            page.frame()
            begin, end, length = view(page, "[v.t0, v.t1, v.model.length]")
            assert begin < length
            assert end > 0
            assert end - begin >= 20


def test_arrow_keys_go_from_slice_to_slice(browser: Browser, tmp_path: Path) -> None:
    """Left and right stay in the lane, up and down change it; each is told to screen readers."""
    timeline = producer_consumer()
    with opened(browser, tmp_path, timeline) as page:
        page.press("ArrowRight", "ArrowRight")
        first = view(page, "v.chosen")
        assert timeline.slices[first] == timeline.slices[1]
        page.press("ArrowLeft")
        assert view(page, "v.chosen") == 0
        page.press("ArrowDown")
        assert timeline.slices[view(page, "v.chosen")].lane == 1
        told = page.run("document.querySelector('.t-live').textContent")
        assert told.startswith("Consumer 1: ")
        page.press("ArrowUp")
        assert timeline.slices[view(page, "v.chosen")].lane == 0
        page.press("Escape")
        assert view(page, "v.chosen") == -1


def test_the_help_lists_the_keys(browser: Browser, tmp_path: Path, shots: Path) -> None:
    """? opens it, Escape closes it, and it names each key that does something."""
    with opened(browser, tmp_path, producer_consumer()) as page:
        page.press("?")
        assert page.run("document.querySelector('.t-help').open")
        page.screenshot(shots / "timeline-help.png")
        keys = page.run("[...document.querySelectorAll('.t-help kbd')].map((k) => k.textContent)")
        assert {"w", "s", "a", "d", "f", "0", "/", "?", "Esc", "c", "C"} <= set(keys)
        page.press("Escape")
        assert not page.run("document.querySelector('.t-help').open")


# --- search -------------------------------------------------------------------------------------


def test_search_counts_marks_and_goes_through_hits(
    browser: Browser, tmp_path: Path, shots: Path
) -> None:
    """/ begins, typing searches, Enter, n and N go through the hits in the order of time."""
    timeline = producer_consumer()
    expected = [one for one in timeline.slices if "waits for lock" in one.label]
    assert len(expected) > 1
    with opened(browser, tmp_path, timeline) as page:
        page.press("/")
        page.type("waits for LOCK")
        count = "document.querySelector('.t-count').textContent"
        assert page.run(count) == f"{len(expected)} hits"
        page.press("Enter")
        assert page.run(count) == f"1 of {len(expected)} hits"
        assert timeline.slices[view(page, "v.chosen")] == min(expected, key=lambda one: one.begin)
        page.screenshot(shots / "timeline-search.png")
        page.run("document.activeElement.blur()")
        page.press("n")
        assert page.run(count) == f"2 of {len(expected)} hits"
        page.press("N", "N")
        assert page.run(count) == f"{len(expected)} of {len(expected)} hits"
        left, top, *_ = box(page, view(page, "v.chosen"))
        assert left > 0
        assert top > 0
        page.press("Escape")
        assert page.run(count) == ""
        page.press("/")
        page.type("nothing like it")
        assert page.run(count) == "no hit"


def test_search_finds_lanes_and_source_lines(browser: Browser, tmp_path: Path) -> None:
    """A lane's name is marked; a slice is found by the line of source that it stands in."""
    timeline = producer_consumer()
    with opened(browser, tmp_path, timeline) as page:
        page.press("/")
        page.type("time.sleep")
        sleeps = sum(one.state == "sleeping" for one in timeline.slices)
        assert page.run("document.querySelector('.t-count').textContent") == f"{sleeps} hits"
        view(page, "v.find('Producer')")
        assert 0 in view(page, "[...v.found.lanes]")


# --- mouse and fingers --------------------------------------------------------------------------


def test_a_click_shows_state_duration_object_holder_and_source(
    browser: Browser, tmp_path: Path, shots: Path
) -> None:
    """All that the timeline knows of a slice is told, and its source line with what stands around it."""
    timeline = producer_consumer()
    index = index_of(timeline, label="waits for lock")
    one = timeline.slices[index]
    with opened(browser, tmp_path, timeline) as page:
        page.click(*middle(page, index))
        page.screenshot(shots / "timeline-details.png")
        said = details(page)
        assert "waits for lock" in said
        assert "blocked" in said
        assert f"{(one.end - one.begin) / MS:.3f} ms" in said
        assert "buffer.py:23, in consume" in said
        assert (
            page.run("document.querySelector('.t-code .at').textContent").strip()
            == "23        with lock:"
        )
        assert page.run("document.querySelectorAll('.t-code .row').length") > 5
        links = page.run(
            "[...document.querySelectorAll('.t-facts dl .t-link')].map((e) => e.textContent)"
        )
        assert links == ["lock", timeline.lanes[one.holder or 0].name]
        page.run("document.querySelectorAll('.t-facts dl .t-link')[1].click()")
        page.frame()
        assert timeline.slices[view(page, "v.chosen")].lane == one.holder


def test_details_lead_along_the_arrows(browser: Browser, tmp_path: Path) -> None:
    """A put's details name the consumer that got the item, and lead there."""
    timeline = producer_consumer()
    put = index_of(timeline, label="buffer.put(number)")
    with opened(browser, tmp_path, timeline) as page:
        page.click(*middle(page, put))
        assert "→ item 0 to Consumer" in details(page)
        page.run("document.querySelector('.t-arrows .t-link').click()")
        page.frame()
        assert timeline.slices[view(page, "v.chosen")].lane == timeline.arrows[0].to_lane


def test_a_drag_moves_and_a_shift_drag_measures(
    browser: Browser, tmp_path: Path, shots: Path
) -> None:
    """Dragging keeps the moment under the pointer; a selection tells each lane's states in it."""
    with opened(browser, tmp_path, producer_consumer()) as page:
        page.press("w", "w", "w")
        x, y = 600.0, box(page, 0)[1] + 10
        moment = f"v.moment({x} - v.canvas.getBoundingClientRect().x)"
        before = view(page, moment)
        page.drag((x, y), (x + 120, y))
        assert view(page, moment.replace("600.0", "720.0")) == pytest.approx(before, rel=1e-6)
        assert view(page, "v.chosen") == -1, "a drag is no click"
        page.press("0")
        page.drag((400, y), (800, y), SHIFT)
        begin, end = view(page, "v.range")
        assert view(page, "v.moment(400 - v.canvas.getBoundingClientRect().x)") == pytest.approx(
            begin
        )
        assert end > begin
        page.screenshot(shots / "timeline-selection.png")
        shares = page.run("[...document.querySelectorAll('.t-facts tr')].map((r) => r.innerText)")
        assert any(row.startswith("Producer") and "sleeping" in row for row in shares)
        page.press("f")
        assert span(page) == pytest.approx(end - begin)


def test_the_wheel_zooms_around_the_pointer(browser: Browser, tmp_path: Path) -> None:
    """With ctrl, the moment under the pointer stays where it is."""
    with opened(browser, tmp_path, producer_consumer()) as page:
        x, y = 700, box(page, 0)[1]
        moment = f"v.moment({x} - v.canvas.getBoundingClientRect().x)"
        before, whole = view(page, moment), span(page)
        page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-60, modifiers=CTRL)
        page.frame()
        assert span(page) < whole
        assert view(page, moment) == pytest.approx(before, abs=whole / 1000), "but for a pixel"


def test_two_fingers_zoom(browser: Browser, tmp_path: Path) -> None:
    """Fingers that move apart to twice their distance halve the time in view."""
    with opened(browser, tmp_path, producer_consumer()) as page:
        y, whole = box(page, 0)[1], span(page)

        def touch(kind: str, *at: float) -> None:
            points = [{"x": x, "y": y, "id": number} for number, x in enumerate(at)]
            page.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

        touch("touchStart", 600, 700)
        touch("touchMove", 580, 720)
        touch("touchMove", 550, 750)
        touch("touchEnd")
        page.frame()
        assert span(page) == pytest.approx(whole / 2, rel=0.02)


def test_a_click_on_a_heading_closes_its_group(
    browser: Browser, tmp_path: Path, shots: Path
) -> None:
    """Its lanes go, the others move up, arrows end at the heading; C opens it again."""
    timeline = producer_consumer()
    with opened(browser, tmp_path, timeline) as page:
        x, y = view(
            page, "(() => { const r = v.canvas.getBoundingClientRect(); return [r.x, r.y]; })()"
        )
        page.click(x + 40, y + 26 + 10)
        assert view(page, "v.stats.lanes") == 2
        assert view(page, "v.model.groups[0].isClosed")
        page.screenshot(shots / "timeline-closed.png")
        page.press("C")
        assert view(page, "v.stats.lanes") == len(timeline.lanes)


def test_the_overview_moves_the_view(browser: Browser, tmp_path: Path) -> None:
    """A press on the strip above the lanes goes to that moment."""
    with opened(browser, tmp_path, producer_consumer()) as page:
        page.press("w", "w", "w", "w")
        x, y, gutter, area = view(
            page,
            "(() => { const r = v.parts.overview.getBoundingClientRect(); "
            "return [r.x, r.y, v.gutter, v.area]; })()",
        )
        page.click(x + gutter + area * 0.75, y + 20)
        assert view(page, "(v.t0 + v.t1) / 2 / v.model.length") == pytest.approx(0.75, abs=0.01)


def test_headings_stay_while_lanes_scroll(browser: Browser, tmp_path: Path, shots: Path) -> None:
    """With more lanes than fit, the wheel scrolls, and the group's heading sticks to the top."""
    with opened(browser, tmp_path, many_lanes(120)) as page:
        assert view(page, "v.stats.lanes") < 40, "only lanes in view are drawn"
        page.mouse("mouseWheel", 700, 500, deltaX=0, deltaY=700)
        page.frame()
        assert view(page, "v.scroll") > 600
        heading = view(page, "v.input.itemAt(30)")
        assert heading["kind"] == "group"
        page.screenshot(shots / "timeline-many-lanes.png")


def test_a_tip_follows_the_pointer(browser: Browser, tmp_path: Path) -> None:
    """What is under the pointer is told without a click."""
    timeline = producer_consumer()
    with opened(browser, tmp_path, timeline) as page:
        x, y = middle(page, 0)
        page.mouse("mouseMoved", x, y)
        page.frame()
        tip = page.run("document.querySelector('.t-tip').innerText")
        assert tip.startswith("sleeps 2 ms")
        assert "sleeping" in tip


# --- light, dark, paper, no script --------------------------------------------------------------


def test_the_theme_follows_the_system_and_the_button(browser: Browser, tmp_path: Path) -> None:
    """The canvas changes with the preferred scheme, and the button overrules that."""
    paper = "v.colours.paper"
    with opened(browser, tmp_path, producer_consumer()) as page:
        light = view(page, paper)
        page.scheme("dark")
        page.frame()
        dark = view(page, paper)
        assert dark != light
        page.run("document.querySelector('[aria-label=\"light or dark\"]').click()")
        page.frame()
        assert view(page, paper) == light
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_paper_shows_the_whole_picture_in_grey(
    browser: Browser, tmp_path: Path, shots: Path, dark: bool
) -> None:
    """Whatever part is in view, the print has all lanes from begin to end, in shades of grey."""
    timeline = producer_consumer()
    with opened(browser, tmp_path, timeline, dark=dark) as page:
        page.press("w", "w", "w", "w")
        before = span(page)
        assert pages_of(page.pdf(shots / f"timeline-{'dark' if dark else 'light'}.pdf")) == 1
        page.run("window.dispatchEvent(new Event('beforeprint'))")
        colours, ink = page.run(
            """(() => { const c = document.querySelector('.t-paper > canvas');
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let most = 0, dark = 0;
            for (let i = 0; i < d.length; i += 4) {
              most = Math.max(most, Math.abs(d[i] - d[i + 1]), Math.abs(d[i] - d[i + 2])); dark += d[i] < 128;
            } return [most, dark / (d.length / 4)]; })()"""
        )
        assert colours <= 2
        assert 0.01 < ink < 0.5
        page.run("window.dispatchEvent(new Event('afterprint'))")
        assert page.run("document.querySelectorAll('.t-paper > canvas').length") == 0
        page.frame()
        assert span(page) == before


def test_many_lanes_are_printed_on_several_pages(browser: Browser, tmp_path: Path) -> None:
    """No lane is cut in two, none is left out."""
    with opened(browser, tmp_path, many_lanes(60)) as page:
        page.run("window.dispatchEvent(new Event('beforeprint'))")
        heights = page.run(
            "[...document.querySelectorAll('.t-paper > canvas')].map((c) => c.height * 1000 / c.width - 26)"
        )
        assert len(heights) > 2
        assert sum(heights) == view(page, "TimelineLayout.layout(v.model).height")


def test_paper_has_bounds(browser: Browser, tmp_path: Path) -> None:
    """Three thousand lanes are printed as far as is sensible, and a note says what to do."""
    prepared = "window.dispatchEvent(new Event('beforeprint'))"
    canvases = "document.querySelectorAll('.t-paper > canvas').length"
    with opened(browser, tmp_path, many_lanes(3000)) as page:
        page.run(prepared)
        assert page.run(canvases) == 80
        assert "close groups" in page.run("document.querySelector('.t-paper > p').textContent")
    lanes = (Lane("a", "tasks"),)
    slices = tuple(Slice(0, i, i + 1, "running", f"step {i}") for i in range(4000))
    for length, expected in ((4, 1), (30, 4), (4000, 1)):
        story = Timeline("t", "step", 0, length, lanes, slices[:length])
        with opened(browser, tmp_path, story) as page:
            page.run(prepared)
            assert page.run(canvases) == expected


def test_without_script_the_picture_is_told_in_words(browser: Browser, tmp_path: Path) -> None:
    """Each lane's shares and the longest slices stand in tables."""
    timeline = producer_consumer()
    with opened(browser, tmp_path, timeline, script=False) as page:
        node = page.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
        markup = page.call("DOM.getOuterHTML", nodeId=node)["outerHTML"]
    assert markup.count("<table") == 2
    body = markup[markup.index("<noscript") :]
    assert body.count("<tr>") == 2 + len(timeline.lanes) + len(timeline.slices)
    assert "waits for room in buffer: buffer is full: 3 of 3" in body


# --- hostile text, many slices ------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_hostile_text_stays_text(
    browser: Browser, tmp_path: Path, shots: Path, script: bool
) -> None:
    """Markup, endings of scripts, long names, right-to-left text and lone surrogates break nothing."""
    timeline = hostile()
    with opened(browser, tmp_path, timeline, script=script) as page:
        assert page.run("document.title").startswith("cookbook trace </script><script>")
        assert page.run("document.scripts.length") == 2
        assert page.run("document.querySelectorAll('body b, body i').length") == 0
        if not script:
            return
        for lane in range(4):
            view(page, f"v.choose(v.model.rows[{lane}][0].slices[0])")
            page.frame()
            assert "</script><script>" in details(page)
            view(page, f"v.choose(v.model.rows[{lane}][0].slices[1])")
            page.frame()
        page.screenshot(shots / "timeline-hostile.png")
        page.press("/")
        page.type("</script>")
        assert page.run("document.querySelector('.t-count').textContent") == "4 hits"
        assert page.run("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_hundred_thousand_slices_stay_quick(
    browser: Browser, tmp_path: Path, shots: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However far out or in: no more rectangles than pixel columns allow, no more arrows than can be seen."""
    with opened(browser, tmp_path, many_slices(100_000)) as page:
        page.screenshot(shots / "timeline-100000.png")
        figures = page.run(
            f"""(() => {{ const v = {VIEW}, seen = [];
            for (let i = 0; i < 60; i++) {{
              if (i) v.zoom(i < 40 ? 0.8 : 1.5, 400 + i * 5);
              v.paint(); seen.push(v.stats);
            }}
            return seen.map((s) => [s.rectangles, s.arrows, s.lanes, s.milliseconds]); }})()"""
        )
        columns = view(page, "v.area")
        page.press("0")
        hint = page.run("document.querySelector('.t-hint').innerText")
        assert hint.endswith("more arrows: zoom in, or click a bar for its own")
        for rectangles, arrows, lanes, _ in figures:
            assert rectangles <= 2 * columns * lanes
            assert arrows <= 500
        assert max(rectangles for rectangles, *_ in figures) > 1000
        assert figures[0][1] == 0, "thousands of arrows would hide the lanes"
        assert any(arrows for _, arrows, *_ in figures), "zoomed in, they are drawn"
        first, load = page.run(
            "[performance.getEntriesByType('paint')[0].startTime, "
            "performance.getEntriesByType('navigation')[0].loadEventEnd]"
        )
        times = sorted(time for *_, time in figures)
    with capsys.disabled():
        print(  # noqa: T201 - a figure, for whoever reads the test's output
            f"\n100,000 slices: first paint {first:.0f} ms, loaded {load:.0f} ms, "
            f"a frame {times[30]:.1f} ms (median), {times[-1]:.1f} ms (longest)"
        )


def test_an_empty_run_is_drawn(browser: Browser, tmp_path: Path) -> None:
    """No slice, no lane, no length: nothing breaks."""
    with opened(browser, tmp_path, Timeline("nothing", "ns", 0, 0, (), ())) as page:
        page.press("w", "s", "f", "ArrowRight", "ArrowDown", "n", "c", "Escape")
        assert view(page, "v.stats.rectangles") == 0

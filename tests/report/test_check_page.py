"""A check's report as a page: what it holds, and what it does in a browser."""

from __future__ import annotations

import functools
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from checked import check_file
from golden import FOLDER, PROGRAMS
from outline import Outline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from browser import Browser, Page

MAX_BYTES = 300_000


@functools.cache
def page(name: str) -> str:
    return check_file(FOLDER / "programs" / f"{name}.py").page()


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_a_page_is_whole_small_and_alone(file: Path) -> None:
    """Its elements nest, its links stay inside, its ids differ, and it is small."""
    text = page(file.stem)
    outline = Outline(text)
    assert outline.open == []
    assert len(text.encode()) < MAX_BYTES
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert "http://" not in text
    assert "https://" not in text


def test_what_the_program_says_is_escaped() -> None:
    """Source, values and names with markup in them add no element to the page."""
    text = page("hostile_text")
    outline = Outline(text)
    assert outline.count["script"] == 1 + text.count('<script type="application/json"')
    assert not {"b", "i"} & set(outline.count)
    assert "&lt;i&gt;0&lt;/i&gt;" in text
    data = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert len(data) == text.count('<section class="story')
    assert not [part for part in data if set("<>&") & set(part)]
    assert all(json.loads(part)["lanes"] for part in data)


def test_each_outcome_links_to_its_witness() -> None:
    """A program that can print two things shows how it comes to each."""
    outline = Outline(page("two_outcomes"))
    assert outline.links == ["#outcome-1", "#outcome-2"]


# --- in a browser -------------------------------------------------------------------------------


@contextmanager
def opened(browser: Browser, folder: Path, text: str, **options: Any) -> Iterator[Page]:  # noqa: ANN401
    """Open a page; in the end, the console has shown no error and nothing was fetched."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    tab = browser.open(file.as_uri(), **options)
    yield tab
    assert tab.complaints == []
    assert tab.requests == [file.as_uri()]
    tab.close()


STATE = """[document.querySelector(".story .where").textContent,
    [...document.querySelectorAll(".listing .here span")].map((e) => e.textContent + e.className).join(),
    document.querySelector(".story").querySelectorAll(".later").length].join(" | ")"""


@pytest.mark.browser
def test_arrow_keys_and_buttons_step_through_the_interleaving(
    browser: Browser, tmp_path: Path, shots: Path
) -> None:
    """Forwards and back; the source shows where each task is, the line above who holds what."""
    with opened(browser, tmp_path, page("deadlock")) as tab:
        tab.press("ArrowRight")
        one = tab.run(STATE)
        tab.press("ArrowRight")
        two = tab.run(STATE)
        tab.screenshot(shots / "check-deadlock.png")
        tab.press("ArrowLeft")
        back = tab.run(STATE)
        tab.run("document.querySelector('.story [data-go=last]').click()")
        end = tab.run(STATE)
    assert one.startswith(
        "step 1 of 4 · held: a by Thread-1 (forwards) | Thread-1 (forwards)c1 now |"
    )
    assert one.endswith("| 3")
    assert "held: a by Thread-1 (forwards); b by Thread-2 (backwards)" in two
    assert back == one
    assert end.startswith("step 4 of 4")
    assert end.endswith("| 0")


@pytest.mark.browser
def test_the_picture_steps_with_the_table_and_the_source(browser: Browser, tmp_path: Path) -> None:
    """A key marks the step in the picture; a click on a bar of the picture goes to its step."""
    view = "document.querySelector('.story .timeline').timeline"
    with opened(browser, tmp_path, page("deadlock")) as tab:
        assert tab.run(f"{view}.now") is None
        tab.press("ArrowRight", "ArrowRight")
        assert tab.run(f"{view}.now") == 1
        x, y = tab.run(
            f"""(() => {{ const v = {view}, b = v.painter.box(v.stepSlice(2));
            const c = v.canvas.getBoundingClientRect();
            return [c.x + b.x + 9, c.y + b.y + 9]; }})()"""
        )
        tab.click(x, y)
        assert tab.run(f"{view}.now") == 2
        assert tab.run(STATE).startswith("step 3 of 4")
        said = tab.run("document.querySelector('.t-details').innerText")
        assert "waits for b, held by Thread-2 (backwards)" in said
        tab.press("ArrowLeft")
        assert tab.run(STATE).startswith("step 2 of 4"), "keys in the picture step, too"
        assert not tab.run("document.querySelector('.words').open")


@pytest.mark.browser
def test_each_story_has_a_picture_of_its_own(browser: Browser, tmp_path: Path, shots: Path) -> None:
    """Keys step through the story that was touched last."""
    with opened(browser, tmp_path, page("two_outcomes")) as tab:
        tab.screenshot(shots / "check-two-outcomes.png")
        assert tab.run("document.querySelectorAll('.timeline.is-live').length") == 2
        tab.run("document.querySelectorAll('.story')[1].querySelector('[data-go=on]').click()")
        tab.press("ArrowRight")
        places = "[...document.querySelectorAll('.where')].map((e) => e.textContent)"
        assert tab.run(places) == ["2 steps", "step 2 of 2"]


@pytest.mark.browser
@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_every_page_is_drawn_without_an_error(
    browser: Browser, tmp_path: Path, shots: Path, file: Path
) -> None:
    """Each story's lanes and steps are drawn, in the dark as well, and the page prints."""
    with opened(browser, tmp_path, page(file.stem), dark=True) as tab:
        tab.frame()
        stories = tab.run(
            "[...document.querySelectorAll('.timeline')].map(({timeline: v}) => "
            "[v.model.length, v.stats.rectangles, v.model.lanes.length])"
        )
        assert all(steps and drawn and lanes for steps, drawn, lanes in stories)
        assert tab.pdf(shots / f"check-{file.stem}.pdf").startswith(b"%PDF")


@pytest.mark.browser
def test_hostile_text_runs_no_script(browser: Browser, tmp_path: Path) -> None:
    """A `</script>` in the program's strings stays text."""
    with opened(browser, tmp_path, page("hostile_text")) as tab:
        assert tab.run("document.title") == "FAIL: hostile_text.py"


@pytest.mark.browser
def test_without_a_script_all_steps_are_shown(browser: Browser, tmp_path: Path) -> None:
    """The page does without JavaScript: the controls are hidden, every step is there, in a table."""
    with opened(browser, tmp_path, page("deadlock"), script=False) as tab:
        shown = "getComputedStyle(document.querySelector('.controls')).display"
        assert tab.run(shown) == "none"
        rows = "[...document.querySelectorAll('.story .steps tbody tr')].map((r) => r.clientHeight)"
        heights = tab.run(rows)
    assert len(heights) >= 4
    assert all(heights)

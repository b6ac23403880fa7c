"""A check's report as a page: what it holds, and what it does in a browser."""

from __future__ import annotations

import functools
import html
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from checked import check_file
from golden import FOLDER, PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 300_000
VOID = {"meta", "br", "link", "img", "input", "hr"}


@functools.cache
def page(name: str) -> str:
    return check_file(FOLDER / "programs" / f"{name}.py").page()


class Outline(HTMLParser):
    """The elements of a page; raises ValueError if they are not properly nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count the element, and note its id and links."""
        self.count[tag] = self.count.get(tag, 0) + 1
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        self.links += [given[name] or "" for name in ("href", "src") if name in given]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")


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
    assert outline.count["script"] == 1
    assert not {"b", "i"} & set(outline.count)
    assert "&lt;i&gt;0&lt;/i&gt;" in text


def test_each_outcome_links_to_its_witness() -> None:
    """A program that can print two things shows how it comes to each."""
    outline = Outline(page("two_outcomes"))
    assert outline.links == ["#outcome-1", "#outcome-2"]


# --- in a browser -------------------------------------------------------------------------------


@pytest.fixture
def chromium() -> str:
    """Return the browser; CI must have one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, and there is no chromium: apt-get install chromium")
        pytest.skip("there is no chromium here: apt-get install chromium")
    return found


def dom_after(browser: str, folder: Path, text: str, script: str = "") -> str:
    """Return the page as the browser has it after `script`, which ends up in its title."""
    file = folder / "page.html"
    file.write_text(text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=1000"]
    profile = folder / "profile"
    command = [browser, *options, f"--user-data-dir={profile}", "--dump-dom", file.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return result.stdout


PRESS = """
const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const story = document.querySelector(".story");
const state = () => [story.querySelector(".where").textContent,
    [...document.querySelectorAll(".listing .here span")].map((e) => e.textContent + e.className).join(),
    story.querySelectorAll(".later").length].join(" | ");
const seen = [];
"""


def title_of(dom: str) -> str:
    match = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert match
    return html.unescape(match[1])


@pytest.mark.browser
def test_arrow_keys_and_buttons_step_through_the_interleaving(
    chromium: str, tmp_path: Path
) -> None:
    """Forwards and back; the source shows where each task is, the line above who holds what."""
    script = (
        PRESS
        + """
    press("ArrowRight"); seen.push(state());
    press("ArrowRight"); seen.push(state());
    press("ArrowLeft"); seen.push(state());
    story.querySelector("[data-go=last]").click(); seen.push(state());
    document.title = seen.join(" / ");
    """
    )
    one, two, back, end = title_of(dom_after(chromium, tmp_path, page("deadlock"), script)).split(
        " / "
    )
    assert one.startswith(
        "step 1 of 4 · held: a by Thread-1 (forwards) | Thread-1 (forwards)c1 now |"
    )
    assert one.endswith("| 3")
    assert "held: a by Thread-1 (forwards); b by Thread-2 (backwards)" in two
    assert back == one
    assert end.startswith("step 4 of 4")
    assert end.endswith("| 0")


@pytest.mark.browser
def test_hostile_text_runs_no_script(chromium: str, tmp_path: Path) -> None:
    """A `</script>` in the program's strings stays text."""
    dom = dom_after(chromium, tmp_path, page("hostile_text"))
    assert title_of(dom) == "FAIL: hostile_text.py"


@pytest.mark.browser
def test_without_a_script_all_steps_are_shown(chromium: str, tmp_path: Path) -> None:
    """The page does without JavaScript: the controls are hidden, every step is there."""
    without = re.sub(r"<script>.*?</script>", "", page("deadlock"), flags=re.DOTALL)
    dom = dom_after(chromium, tmp_path, without)
    assert '<div class="controls" hidden="">' in dom
    assert dom.count('data-number="') >= 4

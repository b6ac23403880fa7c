"""What a timeline's page holds, read without a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from outline import Outline
from parallel_cookbook.report.timeline_html import (
    STATES,
    in_words,
    policy,
    script,
    short_names,
    style,
    timeline_json,
    timeline_page,
)
from parallel_cookbook.timeline import Lane, Place, Slice, Timeline
from timelines import HOSTILE, hostile, many_slices, producer_consumer


def data_of(timeline: Timeline) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(timeline_json(timeline))
    return found


def test_every_slice_can_be_read_back() -> None:
    """Lane, moments, state, words and place of each slice are in the data, in order."""
    timeline = producer_consumer()
    timeline = replace(timeline, begin=0, end=timeline.end)
    data = data_of(timeline)
    given, strings = data["slices"], data["strings"]
    lane, last = -1, 0
    for index, one in enumerate(timeline.slices):
        last = 0 if given["lane"][index] != lane else last
        lane = given["lane"][index]
        last += given["begin"][index]
        place = given["place"][index]
        assert lane == one.lane
        assert (last, given["length"][index]) == (one.begin, one.end - one.begin)
        assert STATES[given["state"][index]] == one.state
        assert strings[given["label"][index]] == one.label
        assert strings[given["detail"][index]] == one.detail
        assert (place >= 0) == (one.place is not None)
        assert given["thing"][index] == (-1 if one.thing is None else one.thing)
        assert given["holder"][index] == (-1 if one.holder is None else one.holder)


def test_moments_count_from_the_beginning() -> None:
    """A run whose clock begins anywhere is drawn from 0; no number is too large for a script."""
    base = 2**62
    lanes = (Lane("a", ""),)
    slices = (
        Slice(0, base + 5, base + 7, "running", "x"),
        Slice(0, base + 8, base + 9, "idle", ""),
    )
    data = data_of(Timeline("late", "ns", base, base + 10, lanes, slices))
    assert data["slices"]["begin"] == [5, 3]
    assert data["length"] == 10


def test_data_cannot_end_their_script_element() -> None:
    """Whatever the program's texts are: no <, no >, no &, nothing but ASCII."""
    text = timeline_json(hostile())
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert HOSTILE in json.loads(text)["strings"]


def test_the_page_is_text_that_can_be_written() -> None:
    """Lone surrogates, as file names have, become escapes; and no address leads anywhere."""
    page = timeline_page(hostile())
    assert page.encode()
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<script") == 2


def test_the_page_is_whole() -> None:
    """Its elements nest and its ids differ, whatever the program's texts are."""
    for timeline in (hostile(), producer_consumer()):
        outline = Outline(timeline_page(timeline))
        assert outline.open == []
        assert len(set(outline.ids)) == len(outline.ids)
        assert outline.links == []


def test_the_policy_allows_this_script_and_no_other() -> None:
    """Scripts and styles are named by digest; nothing is allowed inline, nothing from elsewhere."""
    page = timeline_page(producer_consumer())
    (said,) = re.findall(r'Content-Security-Policy" content="(.*?)">', page)
    scripts, styles = script("timeline_page.js"), style("timeline_page.css")
    assert said.replace("&#39;", "'") == policy(scripts, styles)
    assert "unsafe" not in said
    assert "default-src &#39;none&#39;" in said
    assert f"<script>{scripts}</script>" in page
    assert f"<style>{styles}</style>" in page


def test_scripts_hold_nothing_that_ends_them() -> None:
    """The renderer's own text can stand in a script element, and never makes markup of a text."""
    text = script("timeline_page.js", "check.js")
    assert "</script" not in text.lower()
    assert "<!--" not in text
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in text


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"/home/me/a.py", "/home/me/b.py"}, {"a.py", "b.py"}),
        ({"/x/one/a.py", "/x/two/a.py"}, {"one/a.py", "two/a.py"}),
        ({"a.py", "/x/a.py"}, {"a.py", "x/a.py"}),
        ({""}, {""}),
    ],
)
def test_files_are_named_by_their_ends(files: set[str], expected: set[str]) -> None:
    """As much of the path as tells them apart, and no more: a page may be sent to others."""
    names = short_names(files)
    assert set(names) == files
    assert set(names.values()) == expected


def test_only_lines_near_a_place_are_sent_along() -> None:
    """A long file's text is left out, but for what stands around the places."""
    text = "\n".join(f"line {number}" for number in range(1, 2001))
    place = Place("long.py", 1000, "line 1000")
    slices = (Slice(0, 0, 1, "running", "x", place=place),)
    timeline = Timeline(
        "t", "ns", 0, 1, (Lane("a", ""),), slices, sources={"long.py": text, "other.py": "secret"}
    )
    sources = data_of(timeline)["sources"]
    assert list(sources) == ["long.py"]
    assert [number for number, _ in sources["long.py"]] == list(range(994, 1007))


def test_texts_are_sent_once() -> None:
    """A hundred thousand slices take less than 45 bytes each."""
    timeline = many_slices(20_000)
    assert len(timeline_json(timeline)) < 45 * len(timeline.slices)


@pytest.mark.parametrize(
    ("unit", "length", "expected"),
    [
        ("ns", 0, "0 ns"),
        ("ns", 999, "999 ns"),
        ("ns", 1500, "1.5 µs"),
        ("ns", 1_250_000, "1.25 ms"),
        ("ns", 61_000_000_000, "61 s"),
        ("ns", 7_200_000_000_000, "7200 s"),
        ("step", 1, "1 step"),
        ("step", 3, "3 steps"),
    ],
)
def test_lengths_bear_their_unit(unit: str, length: int, expected: str) -> None:
    """In words, a stretch of time has three digits and a unit."""
    timeline = replace(producer_consumer(), unit=unit)  # type: ignore[arg-type]
    assert in_words(timeline, length) == expected

"""Recipes that are traced for real, and what the browser and the Perfetto UI make of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from commands import cookbook
from perfetto_ui import perfetto_ui

if TYPE_CHECKING:
    from pathlib import Path

    from browser import Browser

pytestmark = pytest.mark.browser


def traced(folder: Path, *arguments: str) -> tuple[Path, Path]:
    """Trace a recipe; return its page and its trace for Perfetto."""
    page, trace = folder / "run.html", folder / "run.json"
    result = cookbook("trace", *arguments, "--html", str(page), "--perfetto", str(trace))
    assert result.returncode == 0, result.stderr
    return page, trace


def data_of(page: Path) -> dict[str, Any]:
    """Return the data that stand in a page."""
    text = page.read_text(encoding="utf-8")
    (found,) = re.findall(
        r'<script type="application/json" id="timeline-data">(.*?)</script>', text
    )
    data: dict[str, Any] = json.loads(found)
    return data


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_producers_and_consumers_explain_themselves(
    browser: Browser, tmp_path: Path, shots: Path, method: str
) -> None:
    """Each process and queue has a lane, messages are arrows, and words say how to read it all."""
    file, _ = traced(tmp_path, "messages/producer_consumer", "--start-method", method)
    page = browser.open(file.as_uri(), width=1400, height=860)
    page.frame()
    page.screenshot(shots / f"real-producer-consumer-{method}.png")
    lanes, kinds, states = page.run(
        """(() => { const {model: m} = document.querySelector('.timeline').timeline;
        return [m.lanes.map((l) => [m.strings[l.group], m.strings[l.name], l.kind]),
          [...m.arrows.kind].map((k) => m.arrowKinds[k]),
          [...new Set(m.state)].map((s) => m.states[s])]; })()"""
    )
    assert {"results", "tasks"} <= {name for _, name, kind in lanes if kind == "queue"}
    assert len({group for group, _, kind in lanes if kind == "task"}) >= 4
    assert kinds.count("message") >= 4
    assert kinds.count("start") >= 3
    assert {"running", "blocked"} <= set(states)
    legend = page.run("document.querySelector('.t-legend').innerText").split("\n")
    assert {"running", "blocked", "message", "starts"} <= set(legend)
    notes = page.run("document.querySelector('.notes').innerText")
    assert "Each bar is a stretch of time in which a thread did one thing" in notes
    drawn = page.run("document.querySelector('.timeline').timeline.stats")
    assert drawn["lanes"] > 0
    assert drawn["rectangles"] > 10
    assert page.complaints == []
    page.close()


def test_each_slice_of_a_run_leads_to_its_source_line(browser: Browser, tmp_path: Path) -> None:
    """A wait that the recipe's own line caused shows that line among those around it."""
    file, _ = traced(tmp_path, "threads/work_queue")
    data = data_of(file)
    placed = [i for i, place in enumerate(data["slices"]["place"]) if place >= 0]
    assert placed
    page = browser.open(file.as_uri())
    page.frame()
    for index in placed[:: max(len(placed) // 5, 1)]:
        page.run(f"document.querySelector('.timeline').timeline.choose({index})")
        page.frame()
        name, line, source, _ = data["places"][data["slices"]["place"][index]]
        said = page.run("document.querySelector('.t-details').innerText")
        assert f"{data['strings'][name]}:{line}" in said
        marked = page.run("document.querySelector('.t-code .at').textContent")
        assert data["strings"][source] in marked
    assert page.complaints == []
    page.close()


CROSSED = """
import threading

a, b, gate = threading.Lock(), threading.Lock(), threading.Barrier(2)

def work(first, second):
    with first:
        gate.wait()
        with second:
            pass

one = threading.Thread(target=work, args=(a, b), name="one")
two = threading.Thread(target=work, args=(b, a), name="two")
one.start(); two.start(); one.join(); two.join()
"""


def test_a_deadlock_is_drawn_to_its_end(browser: Browser, tmp_path: Path, shots: Path) -> None:
    """Both threads wait with torn edges, each leads to the other as holder, the sentence stands above."""
    program, file = tmp_path / "crossed.py", tmp_path / "run.html"
    program.write_text(CROSSED, encoding="utf-8")
    result = cookbook("trace", str(program), "--html", str(file))
    assert result.returncode == 1, result.stderr
    data = data_of(file)
    names = [data["strings"][name] for name, *_ in data["lanes"]]
    given = data["slices"]
    stuck = {
        names[given["lane"][i]]: names[given["holder"][i]]
        for i, flags in enumerate(given["flags"])
        if flags & 2 and data["states"][given["state"][i]] == "blocked"
    }
    assert stuck["one"] == "two"
    assert stuck["two"] == "one"
    page = browser.open(file.as_uri())
    page.frame()
    page.screenshot(shots / "real-deadlock.png")
    assert "Deadlock" in page.run("document.querySelector('.notes').innerText")
    legend = page.run("document.querySelector('.t-legend').innerText")
    assert "torn edge: it did not end" in legend
    assert page.complaints == []
    page.close()


def test_perfetto_has_the_same_run(browser: Browser, tmp_path: Path) -> None:
    """As many slices and flows as the page, none lost to overlaps, no error counted by the importer."""
    file, trace = traced(tmp_path, "processes/pool_map")
    data = data_of(file)
    with perfetto_ui(browser) as ui:
        ui.open(trace.read_text(encoding="utf-8"))
        assert ui.rows("select count(*) from slice where category != 'arrow'") == [
            [len(data["slices"]["lane"])]
        ]
        assert ui.rows("select count(*) from flow") == [[len(data["arrows"]["from"])]]
        assert ui.rows("select count(*) from counter") == [
            [sum(len(counter["at"]) for counter in data["counters"])]
        ]
        errors = (
            "select name, value from stats where severity in ('error', 'data_loss') and value > 0"
        )
        assert ui.rows(errors) == []

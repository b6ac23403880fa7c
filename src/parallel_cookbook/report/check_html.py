"""A check's report as one HTML file: no network, no other file, readable without JavaScript.

Each story is drawn as a timeline, and stands below it as a table, which says the same where there is no
JavaScript. Both come from the same rows as the terminal's columns. How what stems from the program is kept
from being markup or script: see `timeline_html`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from parallel_cookbook.report.check import explored, headline, meaning
from parallel_cookbook.report.check_columns import FAILED, MAX_COLUMNS, STUCK, SWITCH, legend
from parallel_cookbook.report.check_outcomes import MAX_SHOWN, outcome_rows, title
from parallel_cookbook.report.check_rows import has_epilogue, shown_tasks, story_rows
from parallel_cookbook.report.check_timeline import story_timeline
from parallel_cookbook.report.check_why import why
from parallel_cookbook.report.timeline_html import policy, script, style, timeline_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from parallel_cookbook.check.result import CheckReport, Failure
    from parallel_cookbook.events import Hold, Interleaving
    from parallel_cookbook.report.check_outcomes import OutcomeRow
    from parallel_cookbook.report.check_rows import Row

_MAX_ROWS = 800
"""Of all stories together, so that the file stays small."""
_MIN_ROWS = 60
"""Of one story, however many there are."""
_MAX_SOURCE_LINES = 80
"""Of one file; more, and only what stands around the lines of a story is shown."""
_AROUND = 6
_MAX_SHOWN_LINES = 800
_MAX_LINE = 200
_COLOURS = 8
"""So many colours the style sheet has; tasks bear their names too."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the source panel; number 0 marks lines that are left out."""

    number: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    key: str
    name: str
    lines: list[_Line]


@dataclass(frozen=True, slots=True)
class _Cell:
    row: Row
    mark: str
    held: str
    file: str
    details: list[str]


@dataclass(frozen=True, slots=True)
class _Story:
    """A section of the page: one execution."""

    key: str
    kind: str
    title: str
    schedule: str
    tasks: list[int]
    names: tuple[str, ...]
    cells: list[_Cell]
    left_out: int
    why: str
    legend: str
    is_failure: bool
    printed: str = ""
    has_columns: bool = True
    shows_holds: bool = False
    data: str = ""
    """The timeline, for the script."""


@dataclass(slots=True)
class _Page:
    """Collects what the stories need of the sources."""

    keys: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    used: dict[str, set[int]] = field(default_factory=dict)

    def file_key(self, story: Interleaving, row: Row) -> str:
        """Return the key of a row's file in the source panel, and note that its line is needed."""
        text = story.sources.get(row.file)
        if text is None or not row.line:
            return ""
        self.texts[row.file] = text
        self.used.setdefault(row.file, set()).add(row.line)
        return self.keys.setdefault(row.file, f"f{len(self.keys)}")

    def files(self) -> list[_File]:
        """Return the files that rows stand in, each with the lines to show."""
        return [
            _File(key, Path(file).name, list(_lines(self.texts[file], self.used[file])))
            for file, key in self.keys.items()
        ]


def schedules(report: CheckReport) -> list[str]:
    """Return the schedules whose stories a page shows: of each failure, and of each outcome listed."""
    wanted = [failure.schedule for failure in report.failures if failure.schedule]
    if len(report.outcomes) > 1:
        wanted += [row.schedule for row in outcome_rows(report)[:MAX_SHOWN] if row.failure is None]
    return list(dict.fromkeys(wanted))


def html_page(
    report: CheckReport, stories: Mapping[str, Interleaving], command: Callable[[str], str]
) -> str:
    """Return the page.

    stories: for each of `schedules(report)`, its execution as told by a replay.
    command: returns what replays a schedule.
    """
    from jinja2 import Environment, PackageLoader  # noqa: PLC0415 - it takes 40 ms

    environment = Environment(
        loader=PackageLoader("parallel_cookbook.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = _Page()
    limit = max(_MIN_ROWS, _MAX_ROWS // max(len(stories), 1))
    sections = list(_sections(report, stories, page, limit))
    scripts, styles = script("check.js"), style("check.css")
    text = environment.get_template("check.html").render(
        report=report,
        meaning=meaning(report),
        explored=explored(report),
        stories=sections,
        outcomes=list(_linked(report, sections)),
        left_out_outcomes=max(len(report.outcomes) - MAX_SHOWN, 0),
        outcomes_title=title(report),
        files=page.files(),
        command=command,
        colours=_COLOURS,
        policy=policy(scripts, styles),
        script=scripts,
        style=styles,
    )
    return text.encode("utf-8", "backslashreplace").decode()


def _sections(
    report: CheckReport, stories: Mapping[str, Interleaving], page: _Page, limit: int
) -> Iterator[_Story]:
    for number, failure in enumerate(report.failures, 1):
        story = stories.get(failure.schedule)
        if story is not None:
            yield _section(
                f"failure-{number}",
                story,
                failure,
                schedule=failure.schedule,
                page=page,
                limit=limit,
            )
    if len(report.outcomes) < 2:  # noqa: PLR2004 - one outcome is no choice
        return
    for number, row in enumerate(outcome_rows(report)[:MAX_SHOWN], 1):
        story = stories.get(row.schedule)
        if row.failure is None and story is not None:
            yield _section(
                f"outcome-{number}",
                story,
                None,
                schedule=row.schedule,
                page=page,
                limit=limit,
                outcome=row,
            )


def _section(
    key: str,
    story: Interleaving,
    failure: Failure | None,
    *,
    schedule: str,
    page: _Page,
    limit: int,
    outcome: OutcomeRow | None = None,
) -> _Story:
    rows = story_rows(story, failure)
    left_out = max(len(rows) - limit, 0)
    kept = rows if not left_out else rows[: limit // 2] + rows[-(limit - limit // 2) :]
    tasks = shown_tasks(rows)
    if has_epilogue(rows):
        tasks = [*tasks[1:], 0]
    return _Story(
        key=key,
        kind=failure.kind.replace("-", " ") if failure else "outcome",
        title=headline(failure).lstrip(": ") if failure else _outcome_title(outcome),
        schedule=schedule,
        tasks=tasks,
        names=story.tasks,
        cells=[_cell(row, story, page) for row in kept],
        left_out=left_out,
        why=why(failure, story, rows) if failure else "",
        legend=legend(rows),
        is_failure=failure is not None,
        printed=outcome.printed if outcome else "",
        has_columns=len(tasks) <= MAX_COLUMNS,
        shows_holds=any(row.held for row in rows),
        data=timeline_json(replace(story_timeline(story, failure), sources={})),
    )


def _outcome_title(outcome: OutcomeRow | None) -> str:
    return "" if outcome is None else outcome.ending


def _cell(row: Row, story: Interleaving, page: _Page) -> _Cell:
    marks = [SWITCH] if row.is_switch else []
    marks += {"blocked": [STUCK], "failed": [FAILED]}.get(row.kind, [])
    return _Cell(
        row,
        " ".join(marks),
        _told_holds(row.held, story),
        page.file_key(story, row),
        [_cut(detail) for detail in row.details],
    )


def _told_holds(holds: Iterable[Hold], story: Interleaving) -> str:
    return "; ".join(f"{hold.label} by {story.tasks[hold.task]}" for hold in holds)


def _lines(text: str, used: set[int]) -> Iterator[_Line]:
    lines = text.splitlines()
    is_short = len(lines) <= _MAX_SOURCE_LINES
    wanted = {
        number
        for number in range(1, len(lines) + 1)
        if is_short or any(abs(number - line) <= _AROUND for line in used)
    }
    last = 0
    for number in sorted(wanted)[:_MAX_SHOWN_LINES]:
        if number != last + 1:
            yield _Line(0)
        yield _Line(number, _cut(lines[number - 1].expandtabs()))
        last = number
    if last < len(lines):
        yield _Line(0)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LINE else f"{text[: _MAX_LINE - 1]}…"


def _linked(report: CheckReport, stories: list[_Story]) -> Iterator[tuple[OutcomeRow, str]]:
    """Yield the outcomes, each with the key of the section that shows how it comes about."""
    if len(report.outcomes) < 2:  # noqa: PLR2004 - see above
        return
    keys = {story.schedule: story.key for story in stories}
    for row in outcome_rows(report)[:MAX_SHOWN]:
        if row.failure is not None:
            yield row, keys.get(report.failures[row.failure].schedule, "")
        else:
            yield row, keys.get(row.schedule, "")

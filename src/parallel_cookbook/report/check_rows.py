"""A story as rows: what terminal and web page show of it, in the order of time, without the noise.

Left out are the start and end of tasks, and joins. What a task does on one line of the source, without
another task in between, is one row; giving back a lock joins the row before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.check.result import Failure
    from parallel_cookbook.events import Blocked, Event, Hold, Interleaving

MAX_DETAILS = 13
"""So many details of a row are shown at most."""
_SILENT = frozenset(
    {"begin", "end", "exit", "start", "join", "make daemon", "poll", "settle", "turn"}
)
"""Steps that say nothing, or that the columns say already."""

_WAITS = {
    "lock": "waits for {label}",
    "notify": "waits to be notified",
    "event": "waits until {label} is set",
    "get": "waits for an item",
    "put": "waits for room",
    "tasks": "waits until every item is done",
    "semaphore": "waits for a place in {label}",
    "barrier": "waits for others to arrive",
    "join": "waits for {holder} to end",
    "poll": "goes round and round",
    "future": "waits for the result",
    "feed the rest": "waits for room in the pipe of {label}",
    "send the rest to": "waits for room in the pipe of {label}",
    "drain": "cannot exit before its messages are in the pipe",
    "receive": "waits for a message from {label}",
}


@dataclass(slots=True)
class Row:
    """What one task does on one line, or where it is stuck at the end."""

    number: int
    """From 1: what the explanation refers to."""
    task: int
    file: str
    line: int
    source: str
    kind: Literal["step", "blocked", "failed"] = "step"
    is_switch: bool = False
    """Whether the scheduler came here from a task that could have gone on."""
    details: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    held: tuple[Hold, ...] = ()
    """Who holds what after it."""

    @property
    def place(self) -> tuple[int, str, int, str]:
        """Who is where: steps with the same are one row."""
        return self.task, self.file, self.line, self.source


def story_rows(story: Interleaving, failure: Failure | None = None) -> list[Row]:
    """Return the rows of a story; the last ones say where it fails, or who is stuck."""
    rows = list(_step_rows(story))
    rows += _stuck_rows(story)
    if failure is not None:
        _add_failure(rows, story, failure)
    for number, row in enumerate(rows, 1):
        row.number = number
        _shorten(row.details)
    return rows


def _shorten(details: list[str]) -> None:
    """Leave out the middle of what a task did on one line if that is a loop of many turns."""
    left_out = len(details) - MAX_DETAILS + 1
    if left_out > 1:
        half = MAX_DETAILS // 2
        details[half : half + left_out] = [f"… and so on, {left_out:,} more"]


def row_of(rows: list[Row], event: Event) -> Row | None:
    """Return the row that shows `event`."""
    return next((row for row in rows if event in row.events), None)


def shown_tasks(rows: list[Row]) -> list[int]:
    """Return the tasks that have rows, in the order of their creation."""
    return sorted({row.task for row in rows})


def waiting(blocked: Blocked, story: Interleaving) -> str:
    """Say what a task waits for: "waits for b"."""
    holder = "it" if blocked.holder is None else story.tasks[blocked.holder]
    form = _WAITS.get(blocked.kind, "waits to {kind} {label}")
    return form.format(label=blocked.label, holder=holder, kind=blocked.kind)


def has_epilogue(rows: list[Row]) -> bool:
    """Whether the main flow's rows all come after the others': then it needs no column."""
    mine = [index for index, row in enumerate(rows) if row.task == 0]
    return bool(mine) and mine[0] > 0 and len(rows) - mine[0] == len(mine)


def _step_rows(story: Interleaving) -> Iterator[Row]:
    row: Row | None = None
    for event in _shown_events(story):
        new = _new_row(event)
        is_farewell = event.kind == "release" and row is not None and row.task == event.task
        if row is None or (row.place != new.place and not is_farewell):
            before, row = row, new
            if before is not None:
                row.is_switch = before.task != event.task and before.task in event.could_go_on
                yield before
        row.events.append(event)
        row.held = event.held
        text = _detail(event)
        if text and text not in row.details:
            row.details.append(text)
    if row is not None:
        yield row


def _new_row(event: Event) -> Row:
    source = event.source or f"({event.kind} {event.label or event.subject})"
    if event.kind == "release" and source.startswith("with "):
        source = f"(the end of {source.rstrip(':')})"
    return Row(0, event.task, event.file, event.line, source)


def _shown_events(story: Interleaving) -> list[Event]:
    shown = [event for event in story.events if event.kind not in _SILENT and _has_place(event)]
    shown = list(_without_plain_releases(shown))
    # What the main flow does after all others is the look at the result: its last words suffice.
    last = max((i for i, event in enumerate(shown) if event.task != 0), default=-1)
    tail = [event for event in shown[last + 1 :] if _detail(event)]
    return shown if last < 0 else shown[: last + 1] + tail[-3:]


def _has_place(event: Event) -> bool:
    """Whether a step is the program's own doing: not, what a pool or a timer does inside."""
    return bool(event.source or event.detail)


def _without_plain_releases(events: list[Event]) -> Iterator[Event]:
    """Leave out giving back a lock that nobody else in the story ever takes, or has."""
    takers: dict[str, set[int]] = {}
    for event in events:
        if event.kind in {"acquire", "try to acquire", "wait on"}:
            takers.setdefault(event.label, set()).add(event.task)
    for event in events:
        if event.kind != "release" or len(takers.get(event.label, ())) > 1:
            yield event


def _detail(event: Event) -> str:
    """Say what came of a step; empty where its line says it all."""
    name = event.subject
    if event.label and event.label != event.subject and not event.places:
        is_numbered = event.label.startswith(f"{event.subject} #")
        name = event.label if is_numbered else f"{event.subject} ({event.label})"
    said = {
        "acquire": f"takes {name}",
        "try to acquire": "" if event.detail else f"takes {name}",
        "release": f"gives {name} back",
        "wait on": f"starts to wait, gives {name} back",
    }.get(event.kind, "")
    if event.detail == "wakes up":
        return f"wakes up, takes {name} again"
    return "; ".join(part for part in (said, event.detail) if part)


def _stuck_rows(story: Interleaving) -> Iterator[Row]:
    """Yield where tasks are stuck; those that wait for the end of another only if they hold something."""
    holding = {hold.task for hold in story.held}
    all_join = all(blocked.kind == "join" for blocked in story.blocked)
    for blocked in story.blocked:
        if blocked.kind == "join" and blocked.task not in holding and not all_join:
            continue
        text = waiting(blocked, story)
        if blocked.kind == "lock" and blocked.holder is not None:
            owner = "itself" if blocked.holder == blocked.task else story.tasks[blocked.holder]
            text += f", held by {owner}"
        source = blocked.source or f"({blocked.kind})"
        row = Row(0, blocked.task, blocked.file, blocked.line, source, "blocked", held=story.held)
        row.details.append(text)
        yield row


def _add_failure(rows: list[Row], story: Interleaving, failure: Failure) -> None:
    """Mark where the failure comes out: at the last row of its line, or in a row of its own."""
    file, _, line = failure.location.rpartition(":")
    if (
        not file
        or failure.kind not in {"assertion", "exception"}
        or failure.task not in story.tasks
    ):
        return
    number = int(line)
    task = story.tasks.index(failure.task)
    text = failure.message.partition("\n")[0]
    for row in reversed(rows):
        if row.task == task:
            if (row.file, row.line) == (file, number):
                row.kind = "failed"
                row.details.append(text)
                return
            break
    lines = story.sources.get(file, "").splitlines()
    source = lines[number - 1].strip() if 0 < number <= len(lines) else "…"
    failed = Row(0, task, file, number, source, "failed", details=[text], held=story.held)
    after = [index for index, row in enumerate(rows) if row.task == task]
    rows.insert(len(rows) if task == 0 or not after else after[-1] + 1, failed)

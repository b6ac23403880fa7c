"""A traced run as terminal text and as JSON."""

from __future__ import annotations

import signal
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from parallel_cookbook.report.trace_legend import legend
from parallel_cookbook.report.trace_table import TraceTable
from parallel_cookbook.trace.advice import failed_at_once
from parallel_cookbook.trace.states import State
from parallel_cookbook.trace.watch import Ending
from parallel_cookbook.trace.words import count, percent, plain, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from parallel_cookbook.trace.recording import Recording
    from parallel_cookbook.trace.summary import Summary, TaskUse
    from parallel_cookbook.trace.watch import Traced

_MOST_ROWS = 8
"""In each table; the rest is in the JSON."""
_WORTH_A_COLUMN = 0.01
"""The share of a task's life that it must have spent in a state, for the state to be shown."""
_COLUMNS = (
    (State.RUNNING, "runs"),
    (State.GIL, "GIL"),
    (State.READY, "no CPU"),
    (State.BLOCKED, "blocked"),
    (State.SLEEPING, "sleeps"),
    (State.IDLE, "idle"),
    (State.UNKNOWN, "other"),
)


def summary_lines(summary: Summary, ending: str) -> Iterator[RenderableType]:
    """Yield the summary, a line or a table at a time. ending: how the run ended, in a few words."""
    recording = summary.recording
    tasks = count(len(recording.tasks), "task")
    processes = count(len(recording.processes), "process", "processes")
    yield Text()
    yield Text.assemble(
        ("trace ", "bold cyan"),
        (" ".join(map(plain, recording.command)), "bold"),
    )
    start = f"; Python took {span(recording.start_up)} to start" if recording.start_up else ""
    yield _indented(f"{span(recording.duration)}, {tasks} in {processes}, {ending}{start}")
    if recording.lost:
        lost = f"{count(recording.lost, 'record')} were lost: memory or disk had no room."
        yield Text(lost, style="bold yellow")
    yield Text()
    yield Text(summary.advice, style="bold")
    if summary.diagnosis and summary.hang and summary.hang.stuck:
        yield from _hang_lines(summary)
    if failed_at_once(recording):
        return  # a table of nothing tells nothing
    yield Text()
    yield _tasks(summary)
    at_once = "ran at once" if summary.knows_gil else "ran or waited for the GIL"
    cores = count(recording.cores, "core")
    yield _indented(f"On average {summary.parallelism:.2f} tasks {at_once}, on {cores}.")
    for table in (_locks(summary), _queues(summary), _calls(summary), _path(summary)):
        if table is not None:
            yield Text()
            yield table
    words = [name for _, name in _used_columns(_shown_tasks(summary))]
    words += [_DID.get(what, what) for _, what in list(summary.path_shares)[:_MOST_ROWS]]
    yield Text()
    yield _indented(legend(words), "dim")


def _tasks(summary: Summary) -> TraceTable:
    tasks = summary.recording.tasks
    own = sum(not task.is_helper for task in tasks)
    shown = _shown_tasks(summary)
    used = _used_columns(shown)
    table = TraceTable("Tasks", ("lived", *(name for _, name in used)))
    for use in shown:
        name = summary.words.task(use.task)
        table.add(
            name if tasks[use.task].is_main else f"  {name}",
            span(use.lived),
            *(_share(use.spent.get(state, 0), use.lived) for state, _ in used),
        )
    hidden = [
        count(own - len(shown), "task") if own > len(shown) else "",
        f"{count(len(tasks) - own, 'helper')} of the library" if len(tasks) > own else "",
    ]
    if any(hidden):
        table.more = f"and {' and '.join(filter(None, hidden))}: --json lists all"
    return table


def _more(number: int, noun: str) -> str:
    hidden = number - _MOST_ROWS
    return f"and {count(hidden, noun)} more: --json lists all" if hidden > 0 else ""


def _shown_tasks(summary: Summary) -> list[TaskUse]:
    """Return those of the program that lived longest, in the order in which they began."""
    tasks = summary.recording.tasks
    own = [use for use in summary.tasks if not tasks[use.task].is_helper]
    shown = sorted(own, key=lambda use: -use.lived)[: 2 * _MOST_ROWS]
    return sorted(shown, key=lambda use: use.task)


def _used_columns(shown: list[TaskUse]) -> list[tuple[State, str]]:
    return [
        (state, name)
        for state, name in _COLUMNS
        if any(use.spent.get(state, 0) >= _WORTH_A_COLUMN * use.lived > 0 for use in shown)
    ]


def _share(part: int, whole: int) -> str:
    return percent(part, whole) if part else "·"


def _locks(summary: Summary) -> TraceTable | None:
    uses = [use for use in summary.locks if use.acquired or use.in_vain]
    if not uses:
        return None
    figures = ("taken", "had to wait", "waited", "held", "longest")
    table = TraceTable("Locks", figures, "from", _more(len(uses), "lock"), is_place=True)
    for use in uses[:_MOST_ROWS]:
        longest = "·"
        notes: tuple[str, ...] = ("",)
        if use.longest:
            longest = span(use.longest.ended - use.longest.began)
            place = summary.words.place(use.longest.site)
            whole = f"{place}, {summary.words.task(use.longest.task)}".removeprefix(", ")
            notes = (whole, place or whole)
        table.add(
            summary.words.thing(use.thing),
            f"{use.acquired:,}",
            _share(use.contended, use.asked),
            span(use.waited) if use.waited else "·",
            percent(use.busy, summary.recording.duration),
            longest,
            notes=notes,
        )
    return table


def _queues(summary: Summary) -> TraceTable | None:
    uses = [use for use in summary.queues if use.put or use.got or use.starved or use.held_up]
    if not uses:
        return None
    figures = ("in", "out", "deepest", "average", "takers waited", "givers waited")
    table = TraceTable("Queues and pipes", figures, more=_more(len(uses), "queue"))
    for use in uses[:_MOST_ROWS]:
        table.add(
            summary.words.thing(use.thing),
            f"{use.put:,}",
            f"{use.got:,}",
            f"{use.deepest:,}" if use.deepest >= 0 else "·",
            f"{use.average_depth:.1f}" if use.average_depth >= 0 else "·",
            span(use.starved) if use.starved else "·",
            span(use.held_up) if use.held_up else "·",
        )
    return table


def _calls(summary: Summary) -> TraceTable | None:
    uses = summary.calls
    if not uses:
        return None
    figures = ("calls", "waited", "longest")
    more = _more(len(uses), "method")
    table = TraceTable("Calls of a manager", figures, "from", more, is_place=True)
    for use in uses[:_MOST_ROWS]:
        longest, notes = "·", ("",)
        if use.longest:
            longest = span(use.longest.ended - use.longest.began)
            notes = (summary.words.place(use.longest.site),)
        table.add(
            summary.words.call(use.thing, use.method),
            f"{use.called:,}",
            span(use.waited),
            longest,
            notes=notes,
        )
    return table


_DID = {
    "running": "runs",
    "gil": "waits for the GIL",
    "ready": "waits for a processor",
    "blocked": "waits",
    "sleeping": "sleeps",
    "idle": "waits for work",
    "unknown": "waits outside of Python",
    "start": "is started",
    "hand-over": "is woken",
    "unseen": "was not seen yet",
    "after its end": "has ended, and the run goes on",
}


def _path(summary: Summary) -> TraceTable | None:
    if not summary.path_shares:
        return None
    table = TraceTable("Critical path", ("share", "time"), "what it does")
    for (task, what), spent in list(summary.path_shares.items())[:_MOST_ROWS]:
        share = percent(spent, summary.recording.duration)
        table.add(summary.words.task(task), share, span(spent), notes=(_DID.get(what, what),))
    return table


def _hang_lines(summary: Summary) -> Iterator[RenderableType]:
    """Yield who waits for whom, the way out, and the stacks."""
    diagnosis = summary.diagnosis
    assert diagnosis is not None  # noqa: S101 - looked at by the caller
    assert summary.hang is not None  # noqa: S101
    yield Text(diagnosis.remedy)
    yield Text()
    if diagnosis.cycle:
        yield Text.assemble("The cycle: ", (diagnosis.cycle, "bold"))
    for task, line in diagnosis.lines:
        style = "bold" if task in summary.hang.cycle else ""
        yield _indented(line, style)
    for task in summary.hang.going_on:
        if summary.hang.of(task) is None:
            yield _indented(f"{summary.words.task(task)} goes on")
    yield from _stack_lines(summary)


def _stack_lines(summary: Summary) -> Iterator[RenderableType]:
    recording = summary.recording
    for task, stack in sorted(recording.stacks.items()):
        if not stack or recording.tasks[task].is_helper:
            continue
        yield Text()
        yield Text(f"{summary.words.task(task)}, innermost line first:", style="dim")
        for site in stack[:_MOST_ROWS]:
            found = recording.sites[site]
            line = f"{summary.words.place(site)}  {plain(found.function)}  {plain(found.source)}"
            yield _indented(line)


def _indented(line: str, style: str = "") -> Padding:
    """Return a line whose continuation on a narrow terminal is indented as well."""
    return Padding(Text(line, style=style), (0, 0, 0, 2), expand=False)


def to_json(summary: Summary, verdict: str, message: str) -> dict[str, Any]:
    """Return the summary as JSON-ready data; times in nanoseconds, tasks and things by their index.

    verdict: pass, fail, time-out, interrupted or deadlock; message: why, in a sentence.
    """
    recording = summary.recording
    return {
        "schema": 1,
        "verdict": verdict,
        "message": message,
        "command": list(recording.command),
        "exit_code": recording.exit_code,
        "python": recording.python,
        "cores": recording.cores,
        "began": recording.wall_clock,
        "duration": recording.duration,
        "start_up": recording.start_up,
        "records": len(recording.records),
        "lost": recording.lost,
        "advice": summary.advice,
        "parallelism": round(summary.parallelism, 3),
        "knows_gil": summary.knows_gil,
        "processes": [asdict(process) for process in recording.processes],
        "tasks": [
            {
                "index": use.task,
                "name": recording.tasks[use.task].name,
                "process": recording.tasks[use.task].process,
                "is_helper": recording.tasks[use.task].is_helper,
                "lived": use.lived,
                **{state.value: use.spent.get(state, 0) for state in State},
            }
            for use in summary.tasks
        ],
        "locks": [_lock_json(summary, index) for index in range(len(summary.locks))],
        "queues": [
            {"label": summary.words.thing(use.thing), **asdict(use)} for use in summary.queues
        ],
        "calls": [
            {
                "label": summary.words.call(use.thing, use.method),
                "thing": use.thing,
                "method": summary.recording.methods[use.method],
                "called": use.called,
                "waited": use.waited,
            }
            for use in summary.calls
        ],
        "critical_path": [
            {"task": piece.task, "begin": piece.begin, "end": piece.end, "what": piece.what}
            for piece in summary.path.pieces
        ],
        "hang": _hang_json(summary),
    }


def _lock_json(summary: Summary, index: int) -> dict[str, Any]:
    use = summary.locks[index]
    hold = use.longest
    return {
        "label": summary.words.thing(use.thing),
        "thing": use.thing,
        "kind": summary.recording.things[use.thing].kind,
        "acquired": use.acquired,
        "contended": use.contended,
        "in_vain": use.in_vain,
        "waited": use.waited,
        "held": use.held,
        "busy": use.busy,
        "longest_hold": {
            "task": hold.task,
            "duration": hold.ended - hold.began,
            "location": _location(summary.recording, hold.site),
        }
        if hold
        else None,
    }


def _location(recording: Recording, site: int) -> str:
    if not 0 <= site < len(recording.sites):
        return ""
    return f"{recording.sites[site].file}:{recording.sites[site].line}"


def _hang_json(summary: Summary) -> dict[str, Any] | None:
    hang, diagnosis = summary.hang, summary.diagnosis
    if hang is None or diagnosis is None or not hang.stuck:
        return None
    recording = summary.recording
    return {
        "headline": diagnosis.headline,
        "remedy": diagnosis.remedy,
        "is_deadlock": bool(hang.doomed),
        "cycle": list(hang.cycle),
        "waiting": [
            {
                "task": one.task,
                "kind": one.wait.kind.name.lower(),
                "thing": summary.words.thing(one.wait.thing) if one.wait.thing >= 0 else None,
                "location": _location(recording, one.wait.site),
                "waits_for": list(one.waits_for),
                "is_in_deadlock": one.task in hang.doomed,
                "line": line,
            }
            for one, (_, line) in zip(hang.stuck, diagnosis.lines, strict=True)
        ],
        "stacks": {
            str(task): [_location(recording, site) for site in stack]
            for task, stack in recording.stacks.items()
        },
    }


def verdict_of(traced: Traced) -> str:
    """Return pass, fail, leftover, time-out, deadlock or interrupted."""
    if traced.ending is Ending.ENDED:
        if traced.exit_code == -signal.SIGINT:  # it had the terminal, and so the Ctrl-C
            return "interrupted"
        return "fail" if traced.exit_code else "pass"
    return traced.ending.value


def ending_words(traced: Traced, timeout_s: float) -> str:
    """Return how a run ended, in a few words."""
    code = traced.exit_code or 0
    if traced.ending is Ending.ENDED:
        return f"exit code {code}" if code >= 0 else f"ended by {_signal_name(-code)}"
    limit = f" after {timeout_s:g} s" if timeout_s else ""
    return {
        Ending.LEFTOVER: "it ended, but left processes running; ended them",
        Ending.TIME_OUT: f"still running{limit}; ended",
        Ending.DEADLOCK: "ended by us, because nobody in it could ever go on",
        Ending.INTERRUPTED: "interrupted",
    }[traced.ending]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

"""Say in plain sentences why processes fail: what cannot be pickled, who was killed, what is not drained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.check.remarks import told_change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.events import Blocked, Event, Interleaving
    from parallel_cookbook.report.check_rows import Row

DEATHS = frozenset({"killed", "die"})
"""Kinds of events that end a process from outside."""


def why_not_started(message: str, task: str, story: Interleaving) -> str:
    """Tell of a process that cannot be started, or finds less than a fork would have given it.

    message: of the exception, which was raised in `task`.
    """
    if "bootstrapping phase" in message:
        return (
            f"The main module is not guarded: {task} executes it when it starts, and comes to the "
            'same line, which starts processes. Put it under `if __name__ == "__main__":`.'
        )
    is_about_pickling = "Can't pickle" in message or "Can't get local object" in message
    if is_about_pickling and ("<lambda>" in message or "local object" in message):
        return (
            "What a process is given is pickled, and a function is pickled as its name: a lambda, or a "
            "function defined inside another one, has none that the process could look up in its own "
            "modules. Define it at the top level of its module."
        )
    if task in story.forked:
        return (
            f"{task} was to be started by fork or forkserver, and is checked as spawn starts it: "
            "module state that only its parent has set is not there, nor would it be where spawn is the "
            "default. Hand over what it needs as arguments."
        )
    return ""


def tell_uncaught(story: Interleaving) -> Iterator[str]:
    """Tell which exceptions have ended processes, each kind once, and why."""
    told = set()
    for error in story.uncaught:
        if error.message in told:
            continue
        told.add(error.message)
        place = f" in line {error.location.rpartition(':')[2]}" if error.location else ""
        first, *others = error.message.split("\n\n")
        text = " ".join(first.split()).rstrip(".") + (" …" if others else ".")
        yield f"{error.task} was ended{place} by an exception: {text}"
        yield why_not_started(error.message, error.task, story)


def tell_lost_changes(story: Interleaving) -> Iterator[str]:
    """Tell what was changed in copies that nobody else sees."""
    for change in story.lost_changes:
        yield f"A lost change: {told_change(change)}."


def tell_deaths(story: Interleaving, rows: list[Row]) -> Iterator[str]:
    """Tell which processes were killed, and where."""
    for event in story.events:
        if event.kind in DEATHS:
            line = f" (line {event.line})" if event.line else ""
            yield f"{story.tasks[event.task]} was killed{step_of(rows, event)}{line}."


def death_of(story: Interleaving, task: int) -> Event | None:
    """Return the event in which the process of a task was killed."""
    name = story.tasks[task].partition("/")[0]
    return next((e for e in story.events if e.kind in DEATHS and story.tasks[e.task] == name), None)


def tell_undrained(story: Interleaving) -> tuple[list[str], set[int]]:
    """Tell of processes that cannot end before their queues are drained; and which tasks that explains."""
    told: list[str] = []
    explained: set[int] = set()
    for feeder in story.blocked:
        if feeder.kind != "feed the rest":
            continue
        owner = _joiner_of(story, feeder.task)
        if owner is None:
            continue
        process = story.tasks[owner.task]
        count = sum(left.count for left in story.undelivered if left.task == feeder.task)
        messages = f"{count} message{'s' * (count != 1)} of its {feeder.label}"
        sentence = f"{process} cannot exit: {messages} {'is' if count == 1 else 'are'} not drained"
        waiter = _joiner_of(story, owner.task)
        if waiter is not None:
            line = f" (line {waiter.line})" if waiter.line else ""
            sentence += (
                f"; {story.tasks[waiter.task]} waits for {process}{line} instead of taking them"
            )
            explained.add(waiter.task)
        told.append(
            f"{sentence}. Take everything out of a queue before you join who has put it there."
        )
        explained |= {feeder.task, owner.task}
    return told, explained


def _joiner_of(story: Interleaving, task: int) -> Blocked | None:
    return next(
        (b for b in story.blocked if b.kind in {"join", "drain"} and b.holder == task), None
    )


def tell_undelivered(story: Interleaving) -> Iterator[str]:
    """Tell what was sent, or put, and never received."""
    for left in story.undelivered:
        verb = "was" if left.count == 1 else "were"
        messages = f"{left.count} message{'s' * (left.count != 1)}"
        yield f"At the end {messages} for {left.label} {verb} {left.where}."


def step_of(rows: list[Row], event: Event) -> str:
    """Return " in step N", if a row shows the event."""
    row = next((row for row in rows if event in row.events), None)
    return f" in step {row.number}" if row is not None else ""

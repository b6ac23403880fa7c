"""Say in a few plain sentences why a story ends badly, as far as its events prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.report.check_rows import row_of, waiting
from parallel_cookbook.report.check_why_processes import (
    death_of,
    tell_deaths,
    tell_lost_changes,
    tell_uncaught,
    tell_undelivered,
    tell_undrained,
    why_not_started,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.check.result import Failure
    from parallel_cookbook.events import Blocked, Event, Interleaving
    from parallel_cookbook.report.check_rows import Row


_SURROUNDINGS = {
    "ModuleNotFoundError: ": (
        "That module is no file beside the program, and not installed in the Python that cookbook runs on: "
        "install it there, or install cookbook where it is."
    ),
    "EOFError: EOF when reading a line": (
        "A program under check has no input, for it is executed again and again: write what it would read "
        "into it, or check a function that reads nothing."
    ),
}
"""By how their messages begin: failures that no order of steps is to blame for."""


def why(failure: Failure, story: Interleaving, rows: list[Row]) -> str:
    """Return why it went wrong, with the numbers of the rows that show it; empty if nothing is sure."""
    if failure.kind in {"deadlock", "livelock"}:
        return " ".join(_why_stuck(story, rows))
    plain = _plain_reason(failure)
    if plain:
        return plain
    if failure.kind in {"assertion", "exception"}:
        about_processes = why_not_started(failure.message, failure.task, story) or " ".join(
            filter(None, [*tell_lost_changes(story), *tell_uncaught(story)])
        )
        if about_processes:
            return about_processes
        if len(story.tasks) == 1:
            return "Only one task runs here: it goes wrong in every order."
        about = _places_of(failure, story)
        deaths = " ".join(tell_deaths(story, rows))
        return deaths or (
            _overwritten(story, rows, about)
            or _outdated(failure, story, rows)
            or _overwritten(story, rows, None)
        )
    return ""


def _plain_reason(failure: Failure) -> str:
    """Return why, where the kind of failure or its message says it all; else nothing."""
    if failure.kind == "leaked-task":
        return f"Nobody waits for {failure.task}: join it before you return."
    if failure.kind == "step-limit":
        return "Two or three turns of a loop mostly show what many turns can: check the program with fewer."
    reasons = (why for begin, why in _SURROUNDINGS.items() if failure.message.startswith(begin))
    return next(reasons, "") if failure.kind == "exception" else ""


# --- deadlocks ----------------------------------------------------------------------------------


def _why_stuck(story: Interleaving, rows: list[Row]) -> Iterator[str]:
    yield from tell_deaths(story, rows)
    undrained, explained = tell_undrained(story)
    yield from undrained
    stuck = {blocked.task: blocked for blocked in story.blocked}
    cycle = _cycle(stuck)
    if cycle:
        yield _tell_cycle([stuck[task] for task in cycle], story)
        others = [
            b for b in story.blocked if b.task not in cycle and b.kind not in {"join", "lock"}
        ]
    else:
        others = [b for b in story.blocked if b.kind != "join"]
    others = [blocked for blocked in others if blocked.task not in explained]
    groups: dict[tuple[str, str, int], list[Blocked]] = {}
    for blocked in others:
        if blocked.kind != "semaphore":
            groups.setdefault((blocked.kind, blocked.label, blocked.line), []).append(blocked)
    for group in groups.values():
        yield _tell_wait(group[0], story, rows)
        if len(group) > 1:
            yield f"So it is with {_listed([story.tasks[b.task] for b in group[1:]])}."
    for label in dict.fromkeys(b.label for b in others if b.kind == "semaphore"):
        yield _tell_semaphore([b for b in others if b.label == label], story)
    if not undrained:
        yield from tell_undelivered(story)


def _cycle(stuck: dict[int, Blocked]) -> list[int]:
    for start in stuck:
        path = [start]
        while (blocked := stuck.get(path[-1])) is not None and blocked.holder is not None:
            if blocked.holder in path:
                return path[path.index(blocked.holder) :]
            path.append(blocked.holder)
    return []


def _tell_cycle(cycle: list[Blocked], story: Interleaving) -> str:
    if len(cycle) == 1:
        one = cycle[0]
        name, line = story.tasks[one.task], _line_of_hold(story, one.task, one.label)
        return (
            f"{name} waits for {one.label}{_at(one.line)}, which it holds itself{line}: "
            "it can never get it. (An RLock may be taken again by its owner.)"
        )
    parts = []
    for index, blocked in enumerate(cycle):
        name = story.tasks[blocked.task]
        holder = story.tasks[blocked.holder or 0]
        if blocked.kind == "join":
            parts.append(f"{name} waits for {holder} to end{_at(blocked.line)}")
            continue
        taken = _line_of_hold(story, blocked.holder or 0, blocked.label)
        part = f"{name} waits for {blocked.label}{_at(blocked.line)}, which {holder} holds{taken}"
        if index == 0 and (own := cycle[-1]).kind == "lock":
            held = _line_of_hold(story, blocked.task, own.label)
            part = (
                f"{name} holds {own.label}{held} and waits for {blocked.label} "
                f"(line {blocked.line}), which {holder} holds{taken}"
            )
        elif index == len(cycle) - 1 and cycle[-1].kind == "lock" and cycle[0].kind == "lock":
            part = f"{name} waits for {blocked.label}{_at(blocked.line)}"
        parts.append(part)
    return f"A deadlock in a circle: {'; '.join(parts)}. None of them can ever go on."


def _line_of_hold(story: Interleaving, task: int, label: str) -> str:
    lines = [hold.line for hold in story.held if (hold.task, hold.label) == (task, label)]
    return _at(lines[0]) if lines else ""


def _tell_wait(blocked: Blocked, story: Interleaving, rows: list[Row]) -> str:
    name = story.tasks[blocked.task]
    if blocked.kind == "lock":
        return _tell_lock(blocked, story)
    if blocked.kind == "notify":
        return _tell_lost_notify(blocked, story, rows)
    if blocked.kind == "event":
        return _tell_lost_set(blocked, story, rows)
    if blocked.kind == "poll":
        return (
            f"{name} goes round the loop in line {blocked.line} for ever: "
            "nobody is left who could change what it looks at."
        )
    nobody = {
        "get": "nobody is left who could put one",
        "receive": "nobody is left who could send one",
        "put": "nobody is left who could take one out",
        "tasks": "an item was put for which nobody has called task_done()",
        "future": "nobody is left who could compute it",
        "barrier": "not enough tasks are left to fill the barrier",
    }.get(blocked.kind, "nobody is left who could let it go on")
    return f"{name} {waiting(blocked, story)}{_at(blocked.line)}, but {nobody}."


def _tell_semaphore(blocked: list[Blocked], story: Interleaving) -> str:
    label = blocked[0].label
    waiting = _listed([f"{story.tasks[b.task]}{_at(b.line)}" for b in blocked])
    verb = "waits" if len(blocked) == 1 else "wait"
    held = [f"{story.tasks[h.task]}{_at(h.line)}" for h in story.held if h.label == label]
    end = f", and all are taken, by {_listed(held)}" if held else ""
    stuck = {b.task for b in story.blocked}
    if held and all(h.task in stuck for h in story.held if h.label == label):
        end += ", who can give none back while they wait themselves"
    return f"{waiting} {verb} for a place in {label}{end}."


def _at(line: int) -> str:
    return f" (line {line})" if line else ""


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tell_lock(blocked: Blocked, story: Interleaving) -> str:
    name, holder = story.tasks[blocked.task], blocked.holder
    begin = f"{name} waits for {blocked.label}{_at(blocked.line)}"
    if holder is None:
        return f"{begin}, which nobody who is left gives back."
    taken = _line_of_hold(story, holder, blocked.label)
    if death_of(story, holder) is not None:
        return (
            f"{begin}, but {story.tasks[holder]} held it{taken} when it was killed: "
            "who is killed gives nothing back."
        )
    if holder in story.ended:
        return f"{begin}, but {story.tasks[holder]}, which took it{taken}, has ended without giving it back."
    return f"{begin}, which {story.tasks[holder]} holds{taken} while it waits itself."


def _tell_lost_notify(blocked: Blocked, story: Interleaving, rows: list[Row]) -> str:
    name = story.tasks[blocked.task]
    notifies = [e for e in story.events if e.kind == "notify" and e.label == blocked.label]
    waits = [e for e in story.events if e.kind == "wait on" and e.task == blocked.task]
    begin = f"A lost wake-up: {name} waits on {blocked.label}"
    if not notifies:
        return f"{name} waits on {blocked.label}{_at(blocked.line)}, and nobody notifies it."
    last = notifies[-1]
    if waits and last.step < waits[-1].step:
        came = _step(rows, last)
        waited = _step(rows, waits[-1])
        return (
            f"{begin}{_at(blocked.line)}, and nobody is left who could wake it: "
            f"the notify came{came}, before the wait{waited}."
        )
    if last.detail.startswith("wakes ") and last.detail != "wakes nobody":
        return (
            f"{begin}{_at(blocked.line)}, and nobody is left who could wake it: "
            f"the notify{_step(rows, last)} woke {last.detail.removeprefix('wakes ')} instead."
        )
    return f"{begin}{_at(blocked.line)}, and nobody is left who could wake it."


def _tell_lost_set(blocked: Blocked, story: Interleaving, rows: list[Row]) -> str:
    name = story.tasks[blocked.task]
    about = [e for e in story.events if e.label == blocked.label]
    sets = [e for e in about if e.kind == "set"]
    clears = [e for e in about if e.kind == "clear" and sets and e.step > sets[-1].step]
    begin = f"{name} waits for {blocked.label} to be set{_at(blocked.line)}"
    if sets and clears:
        return (
            f"A lost wake-up: {begin}, but it was set{_step(rows, sets[-1])} and cleared again"
            f"{_step(rows, clears[-1])}, before {name} looked; nobody is left who could set it."
        )
    return f"{begin}, and nobody is left who could set it."


def _step(rows: list[Row], event: Event) -> str:
    row = row_of(rows, event)
    return f" in step {row.number}" if row is not None else ""


# --- values -------------------------------------------------------------------------------------


def _places_of(failure: Failure, story: Interleaving) -> set[int]:
    """Return the places that the failing line looks at, itself or in what it calls."""
    file, _, line = failure.location.rpartition(":")
    own = [e for e in story.events if e.places and story.tasks[e.task] == failure.task]
    there = [e for e in own if (e.file, str(e.line)) == (file, line)]
    return {place for event in there or own[-1:] for place in event.places}


def _overwritten(story: Interleaving, rows: list[Row], about: set[int] | None) -> str:
    """Tell of a task that read, was overtaken by another's write, and then wrote itself.

    about: the places that it must be about; None: any, but then only if the write did not look again.
    """
    for write in story.events:
        if not (write.places and write.is_write):
            continue
        if about is not None and about.isdisjoint(write.places):
            continue
        read = _last_look(story, write)
        if read is None:
            continue
        between = _foreign_write(story, read, write)
        if between is None:
            continue
        mine, theirs = story.tasks[write.task], story.tasks[between.task]
        if read.line == write.line and not read.is_test and write.detail.startswith("writes"):
            return (
                f"A lost update: {mine} read {_value(read)}{_step(rows, read)}. Then {theirs} wrote "
                f"{between.value}{_step(rows, between)}. {mine} did not see that, and wrote "
                f"{write.value}{_step(rows, write)}: the update of {theirs} is gone. "
                "A lock that is held from the read to the write would keep the two apart."
            )
        if about is not None or (read.is_test and not _looked_again(story, between, write)):
            return _checked_then_acted(story, rows, read, between, write)
    return ""


def _looked_again(story: Interleaving, since: Event, act: Event) -> bool:
    return any(
        e.task == act.task and not e.is_write and _meet(e, act)
        for e in story.events[since.step + 1 : act.step]
    )


def _checked_then_acted(
    story: Interleaving, rows: list[Row], read: Event, between: Event, act: Event
) -> str:
    mine, theirs = story.tasks[act.task], story.tasks[between.task]
    verb = "checked" if read.is_test else "looked at"
    guard = _guard(story, read, between, act)
    return (
        f"Check, then act: {mine} {verb} {_value(read)}{_step(rows, read)}{_at(read.line)}, and "
        f"acted on it{_step(rows, act)}{_at(act.line)}. In between, {theirs} changed it"
        f"{_step(rows, between)}, so what {mine} had seen was no longer true.{guard}"
    )


def _guard(story: Interleaving, read: Event, between: Event, act: Event) -> str:
    """Say why the locks that a task holds when it looks and when it acts did not help."""
    locks = _held_by_its_task(read) & _held_by_its_task(act)
    if not locks:
        return ""
    inside = [e for e in story.events[read.step : act.step] if e.task == read.task]
    kept = locks.intersection(*(_held_by_its_task(e) for e in inside))
    if not kept:
        return f" {min(locks)} is held at each of the two, but not from the one to the other."
    mine, theirs = story.tasks[read.task], story.tasks[between.task]
    others = _held_by_its_task(between)
    if kept & others:  # a semaphore's places
        return f" Both hold {min(kept & others)} then: it lets in more than one."
    if not others:
        return f" {mine} holds {min(kept)} all the while, but {theirs} took no lock."
    return (
        f" Each holds a lock of its own, {mine} {min(kept)} and {theirs} {min(others)}: "
        "only one lock for both would keep the two apart."
    )


def _held_by_its_task(event: Event) -> set[str]:
    return {hold.label for hold in event.held if hold.task == event.task}


def _outdated(failure: Failure, story: Interleaving, rows: list[Row]) -> str:
    """Tell of a value that was read before another task wrote it: too early, or too late to matter."""
    if failure.task not in story.tasks:
        return ""
    task = story.tasks.index(failure.task)
    file, _, line = failure.location.rpartition(":")
    for act in reversed(story.events):
        if act.task != task or (act.file, str(act.line)) != (file, line) or not act.places:
            continue
        read = _last_look(story, act)
        between = None if read is None else _foreign_write(story, read, act)
        if read is not None and between is not None:
            return _checked_then_acted(story, rows, read, between, act)
    for read in reversed(story.events):
        if read.task == task and read.places and not read.is_write and read.value:
            later = [
                e
                for e in story.events
                if e.step > read.step and e.is_write and e.task != task and _meet(e, read)
            ]
            if later and read.step < later[0].step:
                theirs = story.tasks[later[0].task]
                seen = f"read {_value(read)}"
                if read.detail.startswith("finds no "):
                    seen = f"looked for {read.detail.removeprefix('finds no ')}"
                return (
                    f"Too early: {failure.task} {seen}{_step(rows, read)}, before {theirs} wrote it"
                    f"{_step(rows, later[0])}; nothing makes {failure.task} wait for that."
                )
    return ""


def _last_look(story: Interleaving, act: Event) -> Event | None:
    """Return the first of the task's looks at the same place that `act` can rest on."""
    looks = [
        e
        for e in story.events
        if e.step < act.step and e.task == act.task and _meet(e, act) and e.value
    ]
    since = 0
    for look in looks:
        if look.is_write:
            since = look.step + 1
    looks = [look for look in looks if look.step >= since and not look.is_write]
    same_line = [look for look in looks if look.line == act.line and not look.is_test]
    stale = [look for look in looks if _foreign_write(story, look, act) is not None]
    if same_line and same_line[-1] in stale:
        return same_line[-1]
    return stale[-1] if stale else None


def _foreign_write(story: Interleaving, after: Event, before: Event) -> Event | None:
    """Return the last write of another task to the same place between two events."""
    found = [
        e
        for e in story.events[after.step + 1 : before.step]
        if e.is_write and e.task != after.task and _meet(e, after) and _meet(e, before)
    ]
    return found[-1] if found else None


def _meet(one: Event, other: Event) -> bool:
    return not set(one.places).isdisjoint(other.places)


def _value(event: Event) -> str:
    """Return what was read: "counter = 0"."""
    for part in event.detail.split("; "):
        verb, _, rest = part.partition(" ")
        if verb in {"reads", "sees"}:
            return rest
    return event.subject

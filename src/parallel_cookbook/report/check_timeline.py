"""A story as a timeline: what the same renderer draws for a check as for a recorded run.

The clock counts the rows of the story, so that a step has the same number in the picture, in the table and
in the explanation. Between its own steps a task is ready (it could have gone on) or blocked, and then the
picture says on what, and who holds it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parallel_cookbook.report.check_columns import FAILED, STUCK
from parallel_cookbook.report.check_rows import has_epilogue, shown_tasks, story_rows, waiting
from parallel_cookbook.timeline import Arrow, Counter, Lane, Place, Slice, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parallel_cookbook.check.result import Failure
    from parallel_cookbook.events import Event, Interleaving
    from parallel_cookbook.report.check_rows import Row

_NEXT = {
    "acquire": "waits for {label}",
    "join": "waits for {label} to end",
    "get": "waits for an item of {label}",
    "put": "waits for room in {label}",
    "receive": "waits for a message from {label}",
    "wait for": "waits for {label}",
    "wake up on": "waits to be woken",
}
"""What a blocked task waits for, by what it does next."""
_FREE = frozenset({"end", "exit", "begin", "start"})
"""Steps for which nobody has to wait."""
_GIVES = {"put": "get", "send": "receive"}
"""What hands a message over, and what takes it."""


@dataclass(frozen=True, slots=True)
class _Between:
    """What a task does while others take steps."""

    state: str
    label: str
    thing: str = ""
    holder: int | None = None


@dataclass(slots=True)
class _Story:
    """A story, asked for what its rows do not say."""

    told: Interleaving
    rows: Sequence[Row]
    of_task: dict[int, int]
    """The lane of each task that has one."""
    of_thing: dict[str, int]
    """The lane of each lock and each queue, by its label."""
    first: dict[int, int] = field(default_factory=dict)
    """For each task, the step from which it is there."""
    last: dict[int, int] = field(default_factory=dict)
    """For each task that ended, the step of that."""
    mine: dict[int, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """Each task's events."""
    calls: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """For each condition, the steps at which somebody was notified of it."""
    starts: list[int] = field(default_factory=list)
    """For each row, the step from which it is the present one."""

    def __post_init__(self) -> None:
        names = {name: task for task, name in enumerate(self.told.tasks)}
        for event in self.told.events:
            self.mine[event.task].append(event)
            if event.kind == "notify":
                self.calls[event.label].append(event.step)
            if event.kind == "end":
                self.last[event.task] = event.step
            started = names.get(event.label) if event.kind == "start" else None
            for task in {event.task, *event.could_go_on, *({started} - {None})}:
                self.first.setdefault(task, event.step)  # type: ignore[arg-type]
        step = 0
        for row in self.rows:
            step = row.events[0].step if row.events else len(self.told.events)
            self.starts.append(step)

    def row_at(self, step: int) -> int:
        """Return the index of the row during which a step was taken."""
        return max(bisect_right(self.starts, step) - 1, 0)

    def between(self, task: int, row: Row) -> _Between | None:
        """Return what a task does during another's row; None if it is not there."""
        if not row.events:
            return self._stuck(task)
        begin, end = row.events[0].step, row.events[-1].step
        if self.first.get(task, end + 1) > end or self.last.get(task, end + 1) <= begin:
            return None
        coming = self._next(task, end)
        if task in row.events[0].could_go_on or (coming and coming.kind in _FREE):
            return _Between("ready", "could go on")
        return self._stuck(task) if coming is None else self._waits(coming, row)

    def _next(self, task: int, step: int) -> Event | None:
        """Return what a task does first after a step."""
        events = self.mine[task]
        index = bisect_right(events, step, key=_step)
        return events[index] if index < len(events) else None

    def _waits(self, coming: Event, row: Row) -> _Between:
        """Return what a task waits for that is to take the step `coming` next, and cannot."""
        holder = next((h.task for h in row.events[-1].held if h.label == coming.label), None)
        if coming.kind == "join" and coming.label in self.told.tasks:
            holder = self.told.tasks.index(coming.label)
        if coming.detail == "wakes up" and not self._is_called(coming, row.events[-1].step):
            return _Between("blocked", "waits to be notified", coming.label)
        form = _NEXT.get(coming.kind, "waits")
        return _Between("blocked", form.format(label=coming.label), coming.label, holder)

    def _is_called(self, waking: Event, step: int) -> bool:
        """Whether the notification that ends a wait has come by a step."""
        events = self.mine[waking.task]
        index = bisect_left(events, waking.step, key=_step)
        since = events[index - 1].step if index else 0
        calls = self.calls[waking.label]
        return bisect_right(calls, step) > bisect_left(calls, since)

    def _stuck(self, task: int) -> _Between | None:
        blocked = next((one for one in self.told.blocked if one.task == task), None)
        if blocked is None:
            return None
        return _Between("blocked", waiting(blocked, self.told), blocked.label, blocked.holder)


def story_timeline(
    story: Interleaving, failure: Failure | None = None, title: str = ""
) -> Timeline:
    """Return the picture of a story.

    Its unit is the row of `story_rows`: row number n takes the time from n - 1 to n. Every task that has
    a row has a lane, every lock that is held in a row, every queue that a row puts something into.
    Cost: some microseconds times rows times tasks.
    """
    rows = story_rows(story, failure)
    tasks = shown_tasks(rows)
    if has_epilogue(rows):
        tasks = [*tasks[1:], 0]
    locks = list(dict.fromkeys(label for row in rows for label in _held(row)))
    queues = list(dict.fromkeys(e.label for row in rows for e in row.events if e.kind == "put"))
    lanes = [Lane(story.tasks[task], "Tasks") for task in tasks]
    lanes += [Lane(label, "Locks, and who holds them", "lock") for label in locks]
    lanes += [Lane(label, "Queues", "queue") for label in queues]
    things = {label: len(tasks) + index for index, label in enumerate([*locks, *queues])}
    asked = _Story(story, rows, {task: lane for lane, task in enumerate(tasks)}, things)
    slices = [one for task in tasks for one in _task_slices(asked, task)]
    slices += [one for label in locks for one in _lock_slices(asked, label)]
    return Timeline(
        title=title,
        unit="step",
        begin=0,
        end=len(rows),
        lanes=tuple(lanes),
        slices=tuple(slices),
        arrows=tuple(_arrows(asked)),
        counters=tuple(_lengths(asked, label) for label in queues),
        sources=dict(story.sources),
    )


def _step(event: Event) -> int:
    return event.step


def _held(row: Row) -> dict[str, list[int]]:
    """Return what is held during a row, and by which tasks."""
    held: dict[str, list[int]] = defaultdict(list)
    for holds in [*(event.held for event in row.events), *([] if row.events else [row.held])]:
        for hold in holds:
            if hold.task not in held[hold.label]:
                held[hold.label].append(hold.task)
    return held


def _task_slices(asked: _Story, task: int) -> Iterator[Slice]:
    """Yield a task's slices: one for each of its rows, and what it does between them."""
    lane, end = asked.of_task[task], len(asked.rows)
    since, doing = 0, None
    for moment, row in enumerate(asked.rows):
        now = None if row.task == task else asked.between(task, row)
        if doing is not None and now != doing:
            yield _between_slice(asked, doing, lane, (since, moment))
        if now != doing:
            since, doing = moment, now
        if row.task != task:
            continue
        if row.kind == "blocked":
            yield _stuck_slice(asked, row, lane, (moment, end))
            return
        following = asked.rows[moment + 1] if moment + 1 < end else None
        yield Slice(
            lane,
            moment,
            moment + 1,
            "running",
            f"{FAILED} {row.source}" if row.kind == "failed" else row.source,
            "; ".join(row.details),
            _place(row),
            is_preempted=following is not None and following.is_switch,
            is_failure=row.kind == "failed",
        )
    if doing is not None:
        yield _between_slice(asked, doing, lane, (since, end), is_open=True)


def _place(row: Row) -> Place | None:
    return Place(row.file, row.line, row.source) if row.line else None


def _between_slice(
    asked: _Story, doing: _Between, lane: int, when: tuple[int, int], *, is_open: bool = False
) -> Slice:
    return Slice(
        lane,
        *when,
        "ready" if doing.state == "ready" else "blocked",
        doing.label,
        thing=asked.of_thing.get(doing.thing),
        holder=None if doing.holder is None else asked.of_task.get(doing.holder),
        is_open=is_open and doing.state == "blocked",
    )


def _stuck_slice(asked: _Story, row: Row, lane: int, when: tuple[int, int]) -> Slice:
    """Return the slice of a task that waits for ever."""
    blocked = next(one for one in asked.told.blocked if one.task == row.task)
    return Slice(
        lane,
        *when,
        "blocked",
        f"{STUCK} {row.source}",
        "; ".join(row.details),
        _place(row),
        thing=asked.of_thing.get(blocked.label),
        holder=None if blocked.holder is None else asked.of_task.get(blocked.holder),
        is_open=True,
    )


def _lock_slices(asked: _Story, label: str) -> Iterator[Slice]:
    """Yield who holds a lock, from the row of the taking to that of the giving back."""
    since, holders, place = 0, list[int](), None
    is_given_back = False
    for moment, row in enumerate([*asked.rows, None]):
        now = [] if row is None else _held(row).get(label, [])
        was_given_back, is_given_back = is_given_back, _is_free_after(row, label)
        if row is not None and now == holders and not was_given_back:
            continue
        if holders:
            names = ", ".join(asked.told.tasks[task] for task in holders)
            holder = asked.of_task.get(holders[0]) if len(holders) == 1 else None
            yield Slice(
                asked.of_thing[label],
                since,
                moment,
                "held",
                names,
                f"{label} is held by {names}",
                place,
                holder=holder,
                is_open=row is None and not was_given_back,
            )
        since, holders, place = moment, now, None if row is None else _place(row)


def _is_free_after(row: Row | None, label: str) -> bool:
    return row is not None and all(hold.label != label for hold in row.held)


def _lengths(asked: _Story, label: str) -> Counter:
    """Return how many items a queue holds; a change shows at the end of its row."""
    length, points = 0, {0: 0}
    for event in asked.told.events:
        if event.label == label and event.kind in {"put", "get"} and event.detail != "times out":
            length += 1 if event.kind == "put" else -1
            points[asked.row_at(event.step) + 1] = max(length, 0)
    return Counter(asked.of_thing[label], "length", tuple(points.items()))


class _Givers:
    """Remembers who gave what, until somebody takes it."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], deque[Event]] = defaultdict(deque)
        self._calls: dict[str, Event] = {}
        self._released: dict[str, Event] = {}

    def note(self, event: Event) -> None:
        """Remember what an event gives."""
        if event.kind in _GIVES:
            self._sent[_GIVES[event.kind], self._mark(event, "→")].append(event)
        elif event.kind in {"notify", "set"}:
            self._calls[event.label] = event
        elif event.kind == "release":
            self._released[event.label] = event

    def giver(self, event: Event) -> tuple[str, Event | None]:
        """Return of which kind is what an event takes, and the event that gave it."""
        if event.kind in _GIVES.values():
            pending = self._sent[event.kind, self._mark(event, "←")]
            return "message", pending.popleft() if pending else None
        if event.kind in {"wait for", "wake up on"} or event.detail == "wakes up":
            return "wake", self._calls.get(event.label)
        if event.kind == "acquire":
            return "lock", self._released.get(event.label)
        return "", None

    @staticmethod
    def _mark(event: Event, sign: str) -> str:
        """Return what giver and taker of a message have in common: the queue, or what went through a pipe."""
        return event.label if event.kind in {"put", "get"} else event.detail.partition(sign)[2]


def _arrows(asked: _Story) -> Iterator[Arrow]:
    """Yield messages from who gave to who took them, wake-ups, and locks for which somebody waited."""
    givers = _Givers()
    for event in asked.told.events:
        kind, giver = givers.giver(event)
        givers.note(event)
        if giver is None or giver.task == event.task:
            continue
        if not {giver.task, event.task} <= asked.of_task.keys():
            continue
        row = asked.row_at(giver.step)
        if kind == "lock":
            waited = asked.between(event.task, asked.rows[row])
            if waited is None or waited.thing != event.label:
                continue
        begin, end = row + 1, asked.row_at(event.step)
        if begin <= end:
            lanes = asked.of_task[giver.task], asked.of_task[event.task]
            yield Arrow(lanes[0], begin, lanes[1], end, kind, event.label)  # type: ignore[arg-type]

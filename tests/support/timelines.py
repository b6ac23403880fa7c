"""Timelines made by hand or by chance, for tests of what draws them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from parallel_cookbook.timeline import Arrow, Counter, Lane, Place, Slice, State, Timeline

MS = 1_000_000

PROGRAM = '''\
"""A producer and two consumers with a small buffer."""

import queue
import threading
import time

buffer = queue.Queue(maxsize=3)
lock = threading.Lock()
total = 0


def produce(count):
    for number in range(count):
        time.sleep(0.002)
        buffer.put(number)


def consume():
    global total
    while True:
        number = buffer.get()
        square = slow_square(number)
        with lock:
            total += square
'''


@dataclass
class Draft:
    """A timeline in the making: slices in any order, lanes by name."""

    title: str
    unit: str = "ns"
    lanes: list[Lane] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    counters: list[Counter] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    def lane(self, name: str, group: str, kind: str = "task", note: str = "") -> int:
        """Add a lane and return its index."""
        self.lanes.append(Lane(name, group, kind, note))  # type: ignore[arg-type]
        return len(self.lanes) - 1

    def slice(
        self,
        lane: int,
        begin: int,
        end: int,
        state: State,
        *what: str,
        **more: object,
    ) -> None:
        """Add a slice; what: its label, and a sentence about it."""
        self.slices.append(Slice(lane, begin, end, state, *what, **more))  # type: ignore[arg-type]

    def timeline(self, length: int) -> Timeline:
        """Return the finished timeline."""
        return Timeline(
            self.title,
            self.unit,  # type: ignore[arg-type]
            0,
            length,
            tuple(self.lanes),
            tuple(sorted(self.slices, key=lambda one: (one.lane, one.begin, -one.end))),
            tuple(self.arrows),
            tuple(self.counters),
            tuple(self.notes),
            self.sources,
        )


def place(line: int, function: str = "") -> Place:
    """Return a place in PROGRAM."""
    return Place("buffer.py", line, PROGRAM.splitlines()[line - 1].strip(), function)


def producer_consumer() -> Timeline:
    """Return a run of PROGRAM with two consumers, as a recorder would have seen it."""
    draft = Draft("cookbook trace buffer.py", sources={"buffer.py": PROGRAM})
    draft.notes = [
        "The consumers are the bottleneck: the producer waited 41 % of the time for room in buffer.",
    ]
    producer = draft.lane("Producer", "main process (pid 4711)", note="started by MainThread")
    one = draft.lane("Consumer 1", "main process (pid 4711)", note="started by MainThread")
    two = draft.lane("Consumer 2", "main process (pid 4711)", note="daemon")
    lock = draft.lane("lock", "Locks", "lock")
    buffer = draft.lane("buffer", "Queues", "queue")
    chance = random.Random(4)
    now, length, ready, points = 0, 0, {one: 0, two: 0}, [(0, 0)]
    free_at = 0
    queue: list[tuple[int, int]] = []
    for number in range(14):
        draft.slice(
            producer, now, now + 2 * MS, "sleeping", "sleeps 2 ms", place=place(14, "produce")
        )
        now += 2 * MS
        who = min(ready, key=ready.__getitem__)
        taken = max(now + MS // 10, ready[who])
        if ready[who] < taken:
            draft.slice(
                who,
                ready[who],
                taken,
                "blocked",
                "waits for an item of buffer",
                "buffer is empty",
                place=place(21, "consume"),
                thing=buffer,
            )
        done = taken + int(chance.uniform(4, 8) * MS)
        run = taken + (done - taken) // 3
        draft.slice(who, taken, run, "running", "slow_square", place=place(22, "consume"))
        draft.slice(
            who,
            run,
            run + MS,
            "gil",
            "waits for the GIL",
            "Producer or another thread runs Python code",
        )
        draft.slice(who, run + MS, done, "running", "slow_square", place=place(22, "consume"))
        got = max(done, free_at)
        if got > done:
            draft.slice(
                who,
                done,
                got,
                "blocked",
                "waits for lock",
                "held by the other consumer",
                place=place(23, "consume"),
                thing=lock,
                holder=one + two - who,
            )
            draft.arrows.append(Arrow(one + two - who, got, who, got, "lock", "lock"))
        draft.slice(who, got, got + MS, "running", "total += square", place=place(24, "consume"))
        draft.slice(
            lock,
            got,
            got + MS,
            "held",
            draft.lanes[who].name,
            "taken in line 23",
            holder=who,
            place=place(23, "consume"),
        )
        free_at = ready[who] = got + MS
        queue.append((now, taken))
        room = sorted(end for _, end in queue if end > now)
        if len(room) > 2:
            draft.slice(
                producer,
                now,
                room[-3],
                "blocked",
                "waits for room in buffer",
                "buffer is full: 3 of 3",
                place=place(15, "produce"),
                thing=buffer,
            )
            now = room[-3]
        draft.slice(
            producer,
            now,
            now + MS // 2,
            "running",
            "buffer.put(number)",
            f"puts {number}",
            place=place(15, "produce"),
            thing=buffer,
        )
        draft.arrows.append(
            Arrow(
                producer, now + MS // 4, who, max(taken, now + MS // 4), "message", f"item {number}"
            )
        )
        now += MS // 2
        length = max(length, got + MS)
    changes = sorted([(put, 1) for put, _ in queue] + [(got, -1) for put, got in queue])
    level = 0
    for moment, change in changes:
        level += change
        points.append((moment, level))
    draft.counters = [Counter(buffer, "length", tuple(points), 3)]
    return draft.timeline(length)


def many_slices(count: int, *, lanes: int = 8, groups: int = 2, seed: int = 1) -> Timeline:
    """Return a timeline of `count` slices in task and lock lanes, with an arrow for every fifth."""
    chance = random.Random(seed)
    draft = Draft(f"{count} slices")
    tasks = [draft.lane(f"Thread-{i}", f"process {i % groups}") for i in range(lanes)]
    states: list[State] = ["running", "gil", "ready", "blocked", "sleeping"]
    names = [f"function_{i}" for i in range(200)]
    end = 0
    for task in tasks:
        now = 0
        for _ in range(count // lanes):
            length = int(chance.paretovariate(1.2) * 1000)
            label, state = chance.choice(names), chance.choices(states, (6, 2, 1, 3, 1))[0]
            draft.slices.append(
                Slice(task, now, now + length, state, label, "", place(chance.randint(11, 24)))
            )
            if chance.random() < 0.2:
                other = chance.choice(tasks)
                draft.arrows.append(Arrow(task, now, other, now + length, "message", "item"))
            now += length
        end = max(end, now)
    return draft.timeline(end)


def many_lanes(count: int) -> Timeline:
    """Return a timeline with so many lanes, in groups of 30."""
    draft = Draft(f"{count} lanes")
    for number in range(count):
        lane = draft.lane(f"Thread-{number}", f"process {number // 30}")
        draft.slice(lane, number, 1000 + number, "running", "works")
    return draft.timeline(2000)


HOSTILE = "</script><script>document.title='broken'</script><!-- <b>&amp;\u2028\u2029"
RIGHT_TO_LEFT = "\u202e\u05e9\u05dc\u05d5\u05dd\u202c"


def hostile() -> Timeline:
    """Return a timeline whose every text tries to break the page."""
    draft = Draft(f"cookbook trace {HOSTILE}", sources={HOSTILE: f"{HOSTILE}\n" * 5})
    draft.notes = [HOSTILE, "🙈" * 40, RIGHT_TO_LEFT]
    bad = Place(HOSTILE, 2, HOSTILE, HOSTILE)
    first = draft.lane(HOSTILE, HOSTILE, note=HOSTILE)
    second = draft.lane("x" * 10_000, "🐍 processes", note="y" * 10_000)
    third = draft.lane(RIGHT_TO_LEFT, "🐍 processes")
    fourth = draft.lane("a lone surrogate \udc80", "\udcff", "lock")
    for lane in (first, second, third, fourth):
        draft.slice(lane, 0, 500, "running", HOSTILE, HOSTILE, place=bad)
        draft.slice(
            lane, 500, 900, "blocked", "z" * 10_000, "w" * 10_000, thing=fourth, holder=second
        )
        draft.slice(lane, 900, 1000, "sleeping", RIGHT_TO_LEFT, "👩\u200d💻 \udc80", is_open=True)
    draft.arrows = [Arrow(first, 100, second, 300, "message", HOSTILE)]
    draft.counters = [Counter(fourth, HOSTILE, ((0, 1), (500, 7)))]
    return draft.timeline(1000)

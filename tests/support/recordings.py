"""Makes recordings of a few readable lines, for tests of what is concluded from them.

A line is one record: a moment or a span in milliseconds, the task, what it does, to what, and options.

    0       main    begin
    5       main    start    a
    5       a       begin
    10      a       acquire  lock @12       # line 12 of the program
    10      main    acquire? lock @20       # is about to block
    10-40   main    acquire  lock @20
    40      a       release  lock
    41-50   b       acquire  lock in vain   # timed out, or a try
    60      a       end

A task is `name` in the main process, or `process/name` in another; the main task of a process bears the
process' own name. `value=3`, `extra=7` set these fields; for `start` and `join`, and `begin … by`, the value
is the task named. A thing's kind is guessed of what is first done to it, and can be said: `thing pool pool`,
`thing s semaphore 2`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from parallel_cookbook.trace.recording import (
    Kind,
    Record,
    Recording,
    Site,
    Thing,
    TracedProcess,
    TracedTask,
)

MS = 1_000_000
_KIND_OF = {
    Kind.ACQUIRE: "lock",
    Kind.RELEASE: "lock",
    Kind.WAIT: "condition",
    Kind.NOTIFY: "condition",
    Kind.SET: "event",
    Kind.CLEAR: "event",
    Kind.BARRIER: "barrier",
    Kind.PUT: "queue",
    Kind.GET: "queue",
    Kind.TASK_DONE: "queue",
    Kind.QUEUE_JOIN: "queue",
    Kind.SEND: "connection",
    Kind.RECEIVE: "connection",
    Kind.SUBMIT: "pool",
    Kind.WORK: "pool",
    Kind.RESULT: "pool",
}
_TO_A_TASK = {Kind.START, Kind.JOIN}
_LINE = re.compile(
    r"(?P<began>[\d.]+)(?:-(?P<ended>[\d.]+))?\s+(?P<task>\S+)\s+(?P<kind>[a-z_]+)(?P<request>\?)?(?P<rest>.*)"
)


@dataclass
class _Builder:
    names: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=lambda: ["main"])
    things: dict[str, tuple[str, int]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    helpers: set[str] = field(default_factory=set)
    sources: dict[int, str] = field(default_factory=dict)
    ends: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    stacks: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def task(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
            process = name.partition("/")[0]
            if "/" in name and process not in self.processes:
                self.processes.append(process)
        return self.names.index(name)

    def site(self, line: int) -> int:
        if line not in self.lines:
            self.lines.append(line)
        return self.lines.index(line)

    def add(self, line: str) -> None:
        word, *rest = line.split()
        if word == "thing":
            name, kind, *capacity = rest
            self.things[name] = (kind, int(capacity[0]) if capacity else 0)
        elif word == "helper":
            self.helpers.add(rest[0])
        elif word == "line":
            self.sources[int(rest[0])] = line.split(maxsplit=2)[2]
        elif word == "killed":  # killed PROCESS at MS with CODE
            self.ends[rest[0]] = (round(float(rest[2]) * MS), int(rest[4]))
        elif word == "stack":
            self.stacks[self.task(rest[0])] = tuple(self.site(int(number)) for number in rest[1:])
        else:
            self._record(line)

    def _record(self, line: str) -> None:
        match = _LINE.fullmatch(line)
        assert match, f"no record: {line!r}"
        kind = Kind[match["kind"].upper()]
        began = round(float(match["began"]) * MS)
        ended = round(float(match["ended"]) * MS) if match["ended"] else began
        rest = match["rest"].strip()
        in_vain = rest.endswith("in vain")
        words = rest.removesuffix("in vain").split()
        options = dict(word.split("=") for word in words if "=" in word)
        site = next((self.site(int(word[1:])) for word in words if word[0] == "@"), -1)
        names = [word for word in words if word[0] != "@" and "=" not in word]
        task = self.task(match["task"])
        value = int(options.get("value", -1 if kind in {Kind.PUT, Kind.GET, Kind.BEGIN} else 0))
        thing = -1
        if names and kind in _TO_A_TASK | {Kind.BEGIN}:
            value = self.task(names[-1])
        elif names:
            self.things.setdefault(names[0], (_KIND_OF[kind], 0))
            thing = list(self.things).index(names[0])
        self.records.append(
            Record(
                began,
                ended,
                task,
                kind,
                thing,
                site,
                value,
                int(options.get("extra", -1)),
                not in_vain,
                match["request"] == "?",
            )
        )


def recording(
    text: str, *, cores: int = 2, duration: float | None = None, start_up: float = 0
) -> Recording:
    """Return the recording that the lines describe; see above. duration, start_up: milliseconds."""
    builder = _Builder()
    for line in text.splitlines():
        bare = line.partition("#")[0].strip()
        if bare:
            builder.add(bare)
    records = sorted(builder.records, key=lambda record: record.ended)
    last = max((record.ended for record in records), default=0)
    whole = last if duration is None else round(duration * MS)
    tasks = tuple(_task(builder, index, records) for index in range(len(builder.names)))
    return Recording(
        command=("program.py",),
        python="3.13.0",
        cores=cores,
        wall_clock="2030-01-01T00:00:00",
        duration=whole,
        exit_code=0,
        processes=tuple(_process(builder, index, tasks) for index in range(len(builder.processes))),
        tasks=tasks,
        things=tuple(
            Thing(index, kind, label, -1, 0, capacity)
            for index, (label, (kind, capacity)) in enumerate(builder.things.items())
        ),
        sites=tuple(
            Site("program.py", line, "work", builder.sources.get(line, f"line {line}"))
            for line in builder.lines
        ),
        records=records,
        stacks=builder.stacks,
        start_up=round(start_up * MS),
    )


def _task(builder: _Builder, index: int, records: list[Record]) -> TracedTask:
    name = builder.names[index]
    own = [record for record in records if record.task == index]
    begins = [record for record in own if record.kind == Kind.BEGIN]
    ends = [record for record in own if record.kind == Kind.END]
    process, _, short = name.rpartition("/")
    is_main = name == "main" or process == short
    return TracedTask(
        index,
        short,
        builder.processes.index(process or "main"),
        is_main=is_main,
        is_daemon=False,
        is_helper=name in builder.helpers,
        parent=begins[0].value if begins else -1,
        began=begins[0].began if begins else min((record.began for record in own), default=0),
        ended=ends[-1].ended if ends else -1,
        native_id=1000 + index,
    )


def _process(builder: _Builder, index: int, tasks: tuple[TracedTask, ...]) -> TracedProcess:
    name = builder.processes[index]
    own = [task for task in tasks if task.process == index]
    main = next((task for task in own if task.is_main), None)
    ended, code = builder.ends.get(name, (main.ended if main else -1, 0))
    parent = main.parent if main else -1
    return TracedProcess(
        index,
        100 + index,
        name,
        parent=tasks[parent].process if parent >= 0 else -1,
        began=min((task.began for task in own), default=0),
        ended=ended,
        exit_code=code if ended >= 0 else None,
        method="spawn" if index else "",
    )

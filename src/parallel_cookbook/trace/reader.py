"""Make one Recording of the files that the processes of a traced program left behind."""

from __future__ import annotations

import functools
import json
import linecache
from collections import Counter
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from parallel_cookbook.errors import UsageError
from parallel_cookbook.trace.collecting import without_collecting
from parallel_cookbook.trace.helpers import is_helper, run_program
from parallel_cookbook.trace.labels import Call, Labels
from parallel_cookbook.trace.recorder import layout
from parallel_cookbook.trace.recording import (
    Kind,
    Record,
    Recording,
    Site,
    Thing,
    TracedProcess,
    TracedTask,
)
from parallel_cookbook.trace.sharing import Shared, number_messages
from parallel_cookbook.trace.tapes import Row, TapeFile, read_tapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RUN_FILE = "run.json"
"""What the command knows of the run; see `launch`."""
_ASIDE = {layout.SAMPLE, layout.COLLECT, layout.SIGNAL}
"""What is noted of a thread while it does something else."""
_BY_SERIAL = {layout.START, layout.JOIN}
_BY_PID = {layout.PROCESS_START, layout.PROCESS_JOIN}
_KINDS = {int(kind): kind for kind in Kind} | {
    layout.PROCESS_START: Kind.START,
    layout.PROCESS_JOIN: Kind.JOIN,
    layout.FED: Kind.SEND,
    layout.NOT_FED: Kind.SEND,
}
_SPECIAL = frozenset(range(256)) - (
    {int(kind) for kind in Kind} - {layout.BEGIN, layout.END, layout.CALL} - _BY_SERIAL
    | {layout.FED, layout.NOT_FED}
)
"""All kinds of records that are more than what a task did to a thing."""
_IN_VAIN, _REQUEST = layout.IN_VAIN, layout.REQUEST
_LATE_NS = 60_000_000_000
"""How long after its start a spawned process may begin its tape."""


def _parent_of(tape: TapeFile) -> str:
    """Return the stem of the tape of the process that started this one; empty if there is none."""
    return str(tape.about.get("inherits") or tape.about.get("parent") or "")


@without_collecting
def read_recording(folder: Path) -> Recording:
    """Return what is recorded in `folder`, also while the program still runs, or after it was killed.

    Raises UsageError if there is no recording. Cost: some 1 µs and 180 bytes for each record.
    """
    run = _run(folder)
    tapes = read_tapes(folder)
    if not tapes:
        raise UsageError(
            f"the folder {str(folder)!r} holds no recording: the program ended before it began, or "
            "there was no room; record it anew"
        )
    return _Merger(tapes, run).merge()


def _run(folder: Path) -> dict[str, Any]:
    try:
        run: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return run


class _Numbers(dict[int, int]):
    """The recording's numbers for those that a tape uses, each found once; -1 for 0, which is none."""

    def __init__(self, find: Callable[[int], int]) -> None:
        super().__init__({0: -1})
        self._find = find

    def __missing__(self, number: int) -> int:
        self[number] = found = self._find(number)
        return found


class _Merger:
    """Gives everything in all tapes its number in the recording."""

    def __init__(self, tapes: list[TapeFile], run: dict[str, Any]) -> None:
        self._tapes = tapes
        self._run = run
        self._began = tapes[0].began
        self._by_stem = {tape.stem: tape for tape in tapes}
        self._processes: list[TracedProcess] = []
        self._tasks: list[dict[str, Any]] = []
        self._task_of: dict[tuple[str, int], int] = {}
        """By tape and serial number."""
        self._things: list[Thing] = []
        self._thing_of: dict[tuple[str, int] | str, int] = {}
        self._sites: list[Site] = []
        self._site_of: dict[tuple[str, int, str], int] = {}
        self._labels = Labels()
        self._shared = Shared(tapes)
        self._records: list[Record] = []
        self._ordinals: dict[str, dict[int, int]] = {}
        self._methods: dict[str, int] = {}
        self._stacks: dict[int, tuple[int, ...]] = {}

    def merge(self) -> Recording:
        """Return the recording."""
        for index, tape in enumerate(self._tapes):
            self._add_process(index, tape)
        for tape in self._tapes:
            tape.find_things()
        for index, tape in enumerate(self._tapes):
            self._add_records(index, tape)
        self._records.sort(key=itemgetter(Record._fields.index("ended")))
        number_messages(self._records, self._tasks, self._things)
        self._finish_processes()
        self._finish_helpers()
        run = self._run
        last = self._records[-1].ended if self._records else 0
        return Recording(
            command=tuple(run.get("command", ())),
            python=run.get("python", ""),
            cores=run.get("cores", 0),
            wall_clock=run.get("wall_clock", ""),
            duration=last,
            start_up=max(self._began - run.get("began", self._began), 0),
            exit_code=run.get("exit_code"),
            processes=tuple(self._processes),
            tasks=tuple(TracedTask(**task) for task in self._tasks),
            things=tuple(self._things),
            sites=tuple(self._sites),
            records=self._records,
            methods=tuple(self._methods),
            stacks=self._stacks,
            lost=sum(tape.lost for tape in self._tapes),
        )

    def _add_process(self, index: int, tape: TapeFile) -> None:
        parent = _parent_of(tape)
        stems = [other.stem for other in self._tapes]
        self._processes.append(
            TracedProcess(
                index=index,
                pid=tape.pid,
                name=tape.names.get("name") or tape.about.get("name") or f"process {tape.pid}",
                parent=stems.index(parent) if parent in stems else -1,
                began=tape.began - self._began,
                ended=-1,
                exit_code=self._exit_code(index, tape),
                method=tape.about.get("method", ""),
            )
        )
        self._add_task(index, tape, 0, tape.began - self._began, -1)

    def _exit_code(self, index: int, tape: TapeFile) -> int | None:
        if index == 0:
            return self._run.get("exit_code")
        for other in self._tapes:
            for words in other.exits:
                if words["exit"] == tape.pid and words["moment"] >= tape.began:
                    return int(words["code"])
        return None

    def _add_task(self, process: int, tape: TapeFile, serial: int, began: int, parent: int) -> int:
        index = len(self._tasks)
        words = tape.threads.get(serial, {})
        name = words.get("name", f"thread {index}")
        self._tasks.append(
            {
                "index": index,
                "name": self._processes[process].name if serial == 0 else name,
                "process": process,
                "is_main": serial == 0,
                "is_daemon": words.get("daemon", False),
                "is_helper": words.get("helper", False) or (serial == 0 and "serves" in tape.names),
                "parent": parent,
                "began": began,
                "ended": -1,
                "native_id": words.get("native", -1),
            }
        )
        self._task_of[tape.stem, serial] = index
        return index

    def _add_records(self, process: int, tape: TapeFile) -> None:
        current = {tape.about.get("main", -1): self._task_of[tape.stem, 0]}
        """By a thread's ident, which another may have when it has ended: its task."""
        later: list[tuple[Record, tuple[str, int]]] = []
        things = _Numbers(functools.partial(self._thing, tape))
        sites = _Numbers(functools.partial(self._site, tape))
        start, add, new = self._began, self._records.append, tuple.__new__
        for words in tape.rows():
            began, ended, ident, kind, thing, site, value, extra, flags = words
            task = current.get(ident)
            if task is None or kind in _SPECIAL:
                self._add_special(process, tape, Row(*words), current, later)
                continue
            # As `_record` does, but without a call: there may be millions of these.
            moment = ended - start
            if began != ended and began:
                began -= start
            else:
                began = moment
            add(
                new(
                    Record,
                    (
                        began,
                        moment,
                        task,
                        _KINDS[kind],
                        things[thing],
                        sites[site],
                        value,
                        extra,
                        not flags & _IN_VAIN,
                        flags & _REQUEST != 0,
                    ),
                )
            )
        for record, target in later:
            self._records.append(record._replace(value=self._task_of.get(target, -1)))
        self._add_stacks(tape, current)

    def _add_special(
        self,
        process: int,
        tape: TapeFile,
        row: Row,
        current: dict[int, int],
        later: list[tuple[Record, tuple[str, int]]],
    ) -> None:
        """Add what says something of tasks, or is a thread's first record."""
        if row.kind == layout.THING:
            return
        if row.kind in _ASIDE and row.ident not in current:
            return  # a thread that has not begun, which makes no task of it
        task = self._task(process, tape, row, current)
        kind = _KINDS.get(row.kind)
        if kind is None:
            return
        record = self._record(tape, row, task, kind)
        if row.kind in _BY_SERIAL:
            later.append((record, (tape.stem, row.value)))
        elif row.kind in _BY_PID:
            later.append((record, (self._child(tape, row.value, row.ended), 0)))
        else:
            self._records.append(record)

    def _task(self, process: int, tape: TapeFile, row: Row, current: dict[int, int]) -> int:
        """Return whose row it is; a new task's, if it is its first one."""
        moment = row.ended - self._began
        if row.kind == layout.BEGIN and row.value:
            parent = current.get(row.extra, -1)
            current[row.ident] = self._add_task(process, tape, row.value, moment, parent)
        elif row.ident not in current:  # a thread that was started without `threading`
            current[row.ident] = self._add_task(process, tape, -row.ident, moment, -1)
        task = current[row.ident]
        if row.kind == layout.END:
            self._tasks[task]["ended"] = moment
        return task

    def _record(self, tape: TapeFile, row: Row, task: int, kind: Kind) -> Record:
        is_begin = row.kind == layout.BEGIN
        moment = row.ended - self._began
        return Record(
            moment if is_begin or not row.began else row.began - self._began,
            moment,
            task,
            kind,
            self._thing(tape, row.thing) if row.thing else -1,
            self._site(tape, row.site) if row.site else -1,
            self._value(tape, row, task),
            -1 if is_begin else row.extra,
            not row.flags & layout.IN_VAIN,
            bool(row.flags & layout.REQUEST),
        )

    def _value(self, tape: TapeFile, row: Row, task: int) -> int:
        if row.kind == layout.BEGIN:
            return int(self._tasks[task]["parent"])
        if row.kind == layout.CALL:
            return self._method(tape, row.value)
        return row.value

    def _method(self, tape: TapeFile, number: int) -> int:
        origins = (origin for origin in self._chain(tape) if number in origin.methods)
        origin = next(origins, None)
        name = origin.methods[number] if origin else "?"
        return self._methods.setdefault(name, len(self._methods))

    def _child(self, tape: TapeFile, pid: int, moment: int) -> str:
        """Return the stem of the tape of the process that `tape`'s process knew by this pid then."""
        for other in reversed(self._tapes):
            if (
                other.pid == pid
                and _parent_of(other) == tape.stem
                and other.began <= moment + _LATE_NS
            ):
                return other.stem
        return ""

    def _add_stacks(self, tape: TapeFile, current: dict[int, int]) -> None:
        """Add what the process last told when it was asked where its threads are. current: task by thread."""
        for words in tape.stacks[-1:]:
            for ident, numbers in words["stacks"].items():
                task = current.get(int(ident), -1)
                sites = [self._site(tape, number) for number in numbers]
                if task >= 0:
                    self._stacks[task] = tuple(site for site in sites if site >= 0)

    def _finish_processes(self) -> None:
        for task in self._tasks:
            if task["is_main"]:
                process = self._processes[task["process"]]
                self._processes[task["process"]] = replace(process, ended=task["ended"])

    def _finish_helpers(self) -> None:
        running = run_program(self._records)
        for task in self._tasks:
            if task["is_helper"] and not task["is_main"]:
                runs_program = task["index"] in running
                task["is_helper"] = is_helper(task["name"], runs_program=runs_program)

    def _chain(self, tape: TapeFile | None) -> Iterator[TapeFile]:
        while tape is not None:
            yield tape
            tape = self._by_stem.get(tape.about.get("inherits", ""))

    def _thing(self, tape: TapeFile, number: int) -> int:
        known = self._thing_of.get((tape.stem, number))
        if known is not None:
            return known
        for origin in self._chain(tape):
            words = origin.things.get(number)
            if words is not None:
                break
        else:
            words, origin = {"kind": "lock", "site": 0, "capacity": 0}, tape
        key = self._shared.key(words.get("key"))
        words, origin = self._shared.definition(key, words, origin)
        if key and key in self._thing_of:
            index = self._thing_of[key]
        else:
            site = self._site(origin, words["site"]) if words["site"] else -1
            where = self._sites[site] if site >= 0 else Site("", 0, "", "")
            index = len(self._things)
            label = self._labels.label(
                *(words["kind"], where.source, where.function),
                suffix=words.get("suffix", ""),
                call=self._call(origin, words),
            )
            maker = self._tapes.index(origin)
            self._things.append(Thing(index, words["kind"], label, site, maker, words["capacity"]))
            if key:
                self._thing_of[key] = index
        self._thing_of[tape.stem, number] = index
        return index

    def _call(self, tape: TapeFile, words: dict[str, Any]) -> Call | None:
        """Return by which call of the program this was made; None if its columns are not known."""
        place = next(
            (o.sites[words["site"]] for o in self._chain(tape) if words["site"] in o.sites), {}
        )
        columns = place.get("columns")
        if not columns or None in columns:
            return None
        end = (columns[1], columns[3])
        return Call(place["file"], end, self._ordinal(tape, words), place["made_for"])

    def _ordinal(self, tape: TapeFile, words: dict[str, Any]) -> int:
        """Return how many things of its kind the call that made this one had made before it."""
        known = self._ordinals.get(tape.stem)
        if known is None:
            made: Counter[tuple[int, str, str]] = Counter()
            known = self._ordinals[tape.stem] = {}
            for other in tape.things.values():
                key = (other["site"], other["kind"], other.get("suffix", ""))
                known[id(other)] = made[key]
                made[key] += 1
        return known.get(id(words), 0)

    def _site(self, tape: TapeFile, number: int) -> int:
        for origin in self._chain(tape):
            words = origin.sites.get(number)
            if words is not None:
                break
        else:
            return -1
        place = (words["file"], words["line"], words["function"])
        if place not in self._site_of:
            self._site_of[place] = len(self._sites)
            source = linecache.getline(words["file"], words["line"]).strip()
            self._sites.append(Site(*place, source))
        return self._site_of[place]

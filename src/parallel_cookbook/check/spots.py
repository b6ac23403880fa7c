"""Where in the source a step stands, and what it acts on, in the words of the source."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parallel_cookbook import simulation
from parallel_cookbook.check.across import Messages, cell_reader, essence, is_inner_lock
from parallel_cookbook.check.describe import shortened
from parallel_cookbook.check.names import Namer, Source, position_of
from parallel_cookbook.simulation import SIMULATED
from parallel_cookbook.simulation.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from parallel_cookbook.check.execution import Machine
    from parallel_cookbook.check.holds import Holds
    from parallel_cookbook.kernel import Operation

_SIMULATION = str(Path(simulation.__file__).parent)
_MAX_PRINTED = 40


@dataclass(slots=True)
class Spot:
    """Where in the source a task is about to do something, and to which object."""

    file: str = ""
    line: int = 0
    source: str = ""
    is_test: bool = False
    subject: str = ""
    obj: object = None
    detail: str = ""
    begin: Callable[[], None] | None = None
    """To be called when the step is taken."""
    tell: Callable[[], str] | None = None
    """Says, when the step has been taken, what was read, written, sent or received."""
    is_inner: bool = False
    """Whether it is a part of a larger step, of which a reader is told."""


class SpotFinder:
    """Finds the spots of one execution of `machine`; takes notice of the objects that it comes across."""

    def __init__(self, machine: Machine, holds: Holds, describe: Callable[[object], str]) -> None:
        self._machine = machine
        self._holds = holds
        self._describe = describe
        self.sources: dict[str, Source | None] = {}
        """The files of the program that were asked for; None for others."""
        self.namer = Namer(self._source)
        self.views: dict[int, object] = {}
        """The objects by which processes see what they share."""
        self._messages = Messages(describe)
        self._kept: list[object] = []
        """What has been named, which keeps the ids their own."""

    def _source(self, file: str) -> Source | None:
        """Return a file of the program, None for any other file."""
        if file not in self.sources:
            source = None
            if file in self._machine.program.module_of_file:
                with contextlib.suppress(OSError, SyntaxError, ValueError):
                    source = Source(Path(file).read_text(encoding="utf-8"))
            self.sources[file] = source
        return self.sources[file]

    def spot_of_site(self, site: int) -> Spot:
        """Say where an access to a variable or a container stands."""
        found = self._machine.sites[site]
        source = self._source(found.file)
        if source is None:
            return Spot(found.file, found.line, subject=found.subject)
        code = source.code(found.line, found.column, found.end_column)
        return Spot(found.file, found.line, code.text, code.is_test, found.subject)

    def spot(self, frame: FrameType | None, operation: Operation) -> Spot:
        """Say where the program is, whose innermost own frame is somewhere below `frame`."""
        frame, view, function, detail = self._way_out(frame, operation)
        target = operation.target
        subject = target.name or target.kind
        obj = essence(view)
        if view is not obj:
            self.views[id(view)] = view
        transfer = self._messages.follow(obj, operation)
        begin = None if transfer is None else transfer.begin
        tell = None if transfer is None else transfer.told
        if frame is None:
            name = self.namer.labels().get(id(obj), subject)
            return Spot(subject=name, obj=obj, begin=begin, tell=tell)
        if is_inner_lock(view, operation, function):
            return self._spot_of_inner_lock(view, obj, frame, operation)
        cell = cell_reader(view, operation)
        if obj is not None and target.kind != "task":
            subject = self._name(obj, frame, operation)
        spot = Spot(frame.f_code.co_filename, frame.f_lineno, subject=subject, obj=obj)
        spot.detail = detail
        spot.begin, spot.tell = begin, tell
        if cell is not None:
            part, read = cell
            verb = "writes" if operation.mode else "reads"
            spot.tell = lambda: f"{verb} {subject}{part} = {self._describe(read())}"
        source = self._source(spot.file)
        if source is not None:
            if operation.kind == "poll":
                spot.line = source.loop(spot.line)
            line, _, column, end_column = position_of(frame)
            is_lambda = frame.f_code.co_name == "<lambda>"
            spot.source = (
                source.code(line, column, end_column).text if is_lambda else source.line(spot.line)
            )
        return spot

    def _way_out(
        self, frame: FrameType | None, operation: Operation
    ) -> tuple[FrameType | None, object, str, str]:
        """Go up to the program's innermost frame, and return it; None if there is none.

        With the object and the function that it has called there, and what it prints if it does.
        """
        files = self._machine.program.module_of_file
        target = operation.target
        obj: object = None
        detail = function = ""
        while frame is not None and frame.f_code.co_filename not in files:
            if frame.f_code.co_filename.startswith(_SIMULATION):
                function = frame.f_code.co_name
                found = frame.f_locals.get("self", obj)
                if target.kind == "task" or not isinstance(found, Thread):  # whose target it may be
                    obj = found
            elif operation.kind == "print" and "text" in frame.f_locals and not detail:
                printed = str(frame.f_locals["text"])
                detail = f"prints {shortened(repr(printed.rstrip()), _MAX_PRINTED)}"
            frame = frame.f_back
        return frame, obj, function, detail

    def _spot_of_inner_lock(
        self, view: object, obj: object, frame: FrameType, operation: Operation
    ) -> Spot:
        """Say where a Value takes its own lock for one access; `obj` is what its views share."""
        lock = essence(view._lock)  # type: ignore[attr-defined]  # noqa: SLF001 - it has one
        self._kept.append(lock)
        self._holds.notice(lock)
        name = f"the lock of {self._name(obj, frame, operation)}"
        self.namer.name_as(lock, name)
        source = self._source(frame.f_code.co_filename)
        text = source.line(frame.f_lineno) if source is not None else ""
        file, line = frame.f_code.co_filename, frame.f_lineno
        return Spot(file, line, text, subject=name, obj=lock, is_inner=True)

    def _name(self, obj: object, frame: FrameType, operation: Operation) -> str:
        """Return what the source calls the object; take notice of it."""
        self._kept.append(obj)
        self._holds.notice(obj)
        self.namer.locate(obj, self._variables(frame), self._is_own)
        return self.namer.name(obj, frame, operation.target.kind)

    def _variables(self, frame: FrameType) -> list[Mapping[str, Any]]:
        """Return the program's variables: globals, those of its main flow, those at `frame`."""
        modules = self._machine.program.modules
        spaces: list[Mapping[str, Any]] = [
            vars(module) for name, module in modules.items() if not _is_simulated(name)
        ]
        main = self._machine.kernel.tasks[0].greenlet
        below = getattr(main, "gr_frame", None)
        for found in (below, frame):
            current: FrameType | None = found
            while current is not None:
                if current.f_code.co_filename in self._machine.program.module_of_file:
                    spaces.append(current.f_locals)
                current = current.f_back
        return spaces

    def _is_own(self, kind: type) -> bool:
        name = kind.__module__
        return name in self._machine.program.modules and not _is_simulated(name)


def _is_simulated(module: str) -> bool:
    return module.partition(".")[0] in SIMULATED

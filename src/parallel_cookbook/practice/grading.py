"""The stages of a grade, in the process that executes the answer: what is wrong is found as early as can be.

1. It is Python. 2. What was to be kept is kept, and nothing reaches for the judge. 3. No interleaving goes
wrong, and all were explored, also with other arguments. 4. Its tasks can be under way at the same time, and
nobody waits by looking again and again where that is forbidden. 5. Where a check cannot judge it all, a
real run comes off well.
"""

from __future__ import annotations

import ast
import errno
import importlib.util
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check import Budget, CheckReport, Entry, Tally, check_entry, replay_entry
from parallel_cookbook.errors import CookbookError, UsageError
from parallel_cookbook.practice.integrity import fingerprint, first_change
from parallel_cookbook.practice.judge import (
    Calls,
    Judge,
    JudgedMachine,
)
from parallel_cookbook.practice.kept_parts import changes_of_kept_parts, kept_names
from parallel_cookbook.practice.overlap import Overlap
from parallel_cookbook.practice.reach import reaches
from parallel_cookbook.practice.real import MAX_RUN_S, run_for_real
from parallel_cookbook.practice.result import Grade
from parallel_cookbook.practice.telling import (
    asserted,
    kind_and_message,
    line_to_blame,
    place,
    until_it_repeats,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.practice.exercises import Exercise

MAX_EXECUTIONS = 5000
"""An answer with more interleavings is not proven; the solutions have some hundred at the most."""
MAX_STEPS = 2000
"""An execution with more steps is cut off; those of the solutions have some fifty."""
_MAX_OTHER_EXECUTIONS = 100
"""So many interleavings are tried with other arguments of `main`."""
MAX_STALL_S = 2.0
_MAX_BYTES = 200_000
_MAX_TOLD = 300


@dataclass(slots=True)
class Grading:
    """One grading of one answer."""

    exercise: Exercise
    answer: Path
    max_seconds: float
    mark: str
    """What the processes of a real run bear."""
    on_progress: Callable[[Tally], None] = lambda _tally: None
    on_look: Callable[[bool], None] = lambda _is_watching: None
    _began: float = field(default_factory=time.monotonic)
    _data: bytes = b""
    _source: str = ""
    _report: CheckReport | None = None

    def grade(self) -> Grade:
        """Return the grade. Blocks for `max_seconds` at the most, unless a call into C never returns."""
        found = (
            self._read()
            or self._look_at_kept_parts()
            or self._look_at_imports()
            or self._look_at_reach()
        )
        if found is None:
            before = fingerprint()
            found = self._explore()
            changed = first_change(before)
            if changed:
                message = f"`{changed}` was changed, which does not belong to the answer"
                found = self._rejected("harness-changed", message, 0)
        found = found or self._run() or self._passed()
        return self._look_whether_it_changed() or found

    def given_up(self, error: BaseException) -> Grade:
        """Return the grade of an answer that has brought the judge itself into trouble."""
        what = " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_TOLD]
        return self._error("unsupported", f"it cannot be judged: the judge fails with {what}", 0)

    # --- the text -------------------------------------------------------------------------------

    def _read(self) -> Grade | None:
        try:
            data = self._data = _bytes_of(self.answer)
        except OSError as error:
            return self._error("missing-file", f"cannot read it: {error.strerror}", 0)
        if len(data) > _MAX_BYTES:
            return self._error("syntax", f"{len(data):,} bytes are too many for an answer", 0)
        try:
            self._source = importlib.util.decode_source(data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(data, str(self.answer), "exec", dont_inherit=True)
        except SyntaxError as error:
            return self._error("syntax", f"this is no Python: {error.msg}", error.lineno or 0)
        except ValueError as error:  # null bytes, bytes that are no UTF-8
            return self._error("syntax", f"this is no Python: {error}", 0)
        except (RecursionError, MemoryError):
            return self._error("syntax", "this is nested too deeply", 0)
        return None

    def _look_whether_it_changed(self) -> Grade | None:
        """Refuse a grade of which nobody knows to which text it belongs: a check reads the file again."""
        try:
            if not self._data or self.answer.read_bytes() == self._data:
                return None
        except OSError:
            pass
        return self._error("missing-file", "it was changed while it was graded; grade it again", 0)

    def _look_at_kept_parts(self) -> Grade | None:
        faults = changes_of_kept_parts(self.exercise.source, self._source, self.exercise.may_change)
        if not faults:
            return None
        line, sentence = faults[0]
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        return self._rejected("harness-changed", f"{sentence}{more}, and was to be kept", line)

    def _look_at_imports(self) -> Grade | None:
        for node in ast.walk(ast.parse(self._source)):
            match node:
                case ast.Import(names=names):
                    modules = [alias.name for alias in names]
                case ast.ImportFrom(module=str(module), level=0):
                    modules = [module]
                case _:
                    continue
            for module in modules:
                if not _exists(module.partition(".")[0]):
                    return self._error("import", f"there is no module `{module}`", node.lineno)
        return None

    def _look_at_reach(self) -> Grade | None:
        faults = reaches(self.exercise.source, self._source, self.exercise.may_change)
        if not faults:
            return None
        line, sentence = faults[0]
        grade = self._rejected("harness-changed", sentence, line)
        return replace(grade, claim="An answer must keep to what its task needs.")

    # --- the interleavings ----------------------------------------------------------------------

    def _explore(self) -> Grade | None:
        """Check it with the arguments that `main` has, and with others; return what is wrong."""
        with tempfile.TemporaryDirectory(prefix="cookbook-") as folder:
            # So that no file beside the answer stands for a standard module.
            entry = Entry(self.answer, root=Path(folder))
            machines: list[JudgedMachine] = []
            return (
                self._look_for_worse_than_polls(entry)
                or self._check(entry, Budget(MAX_EXECUTIONS, self._left()), machines)
                or self._check_other_calls(entry)
                or self._look_at_tasks(entry, machines[0])
            )

    def _look_for_worse_than_polls(self, entry: Entry) -> Grade | None:
        """Where it is forbidden to wait by looking, look for other faults first: they teach more."""
        if not self.exercise.forbids_polling:
            return None
        budget = Budget(_MAX_OTHER_EXECUTIONS, self._left())
        return _if_known(self._check(entry, budget, [], may_poll=True))

    def _check_other_calls(self, entry: Entry) -> Grade | None:
        """Call `main` with other arguments; some interleavings show whether the answer knew the first."""
        for call in self.exercise.other_calls:
            payload: Any = _Call(call)  # used like a Payload
            other = replace(entry, module=_OTHER_NAME, function=call, payload=payload)
            budget = Budget(_MAX_OTHER_EXECUTIONS, self._left())
            if found := _if_known(self._check(other, budget, [], call)):
                return found
        return None

    def _check(
        self,
        entry: Entry,
        budget: Budget,
        machines: list[JudgedMachine],
        call: str = "",
        *,
        may_poll: bool = False,
    ) -> Grade | None:
        """Explore the program; return what is wrong, None if all was explored and nothing is."""
        judge = Judge(
            kept_names(self.exercise.source, self.exercise.may_change),
            forbids_polling=self.exercise.forbids_polling and not may_poll,
            calls=None if call else self._calls(),
        )

        def new_machine(*arguments: Any, **options: Any) -> JudgedMachine:  # noqa: ANN401 - Machine's
            machine = JudgedMachine(*arguments, judge=judge, **options)
            machines.append(machine)
            return machine

        try:
            report = check_entry(
                entry,
                target=self.answer.name,
                budget=budget,
                max_steps=MAX_STEPS,
                races=self.exercise.races,
                max_stall_s=MAX_STALL_S,
                on_look=self.on_look,
                on_progress=self.on_progress,
                new_machine=new_machine,
            )
        except UsageError as error:  # the file went away, or was written, in between
            return self._error("missing-file", str(error), 0)
        if not call:
            self._report = report
        if report.verdict == "pass":
            return None
        if report.verdict == "unknown":
            return self._undecided(report)
        return self._failed(report, entry, partial(JudgedMachine, judge=judge), call)

    def _calls(self) -> Calls | None:
        name, _, times = self.exercise.facts.get("Calls", "").partition(" ")
        is_elsewhere = self.exercise.facts.get("Elsewhere") == name
        return Calls(name, int(times), is_elsewhere) if name else None

    def _undecided(self, report: CheckReport) -> Grade:
        failure = report.failures[0] if report.failures else None
        if failure is None:
            message = (
                f"stopped at the limit of {report.unexplored}, with nothing found, and not everything "
                "explored: that proves nothing. Make it simpler"
            )
        else:
            message = (
                "it goes on and on: is there a loop that never ends? That cannot be proven right"
            )
        _, line = place(failure.location if failure else "")
        return self._grade("unknown", "budget", message, line)

    def _failed(
        self,
        report: CheckReport,
        entry: Entry,
        new_machine: Callable[..., JudgedMachine],
        call: str,
    ) -> Grade:
        failure = report.failures[0]
        story = None
        if failure.schedule:
            try:
                story, _, _ = replay_entry(
                    entry, failure.schedule, max_steps=MAX_STEPS, new_machine=new_machine
                )
            except CookbookError:  # the file was written meanwhile
                story = None
        kind, message = kind_and_message(failure)
        if kind == "assertion" and (promise := asserted(self._source, failure, self.answer)):
            message = f"`{promise}` does not hold" + (f": {message}" if message else "")
        if call:
            message = f"{message} (when it is called as `{call}`)"
        verdict = "error" if kind in {"unsupported", "import"} else "fail"
        grade = self._grade(verdict, kind, message, line_to_blame(failure, story, self.answer))
        if kind == "busy-wait" and story is not None:
            story = until_it_repeats(story, grade.line)
        schedule = "" if call else failure.schedule
        return replace(grade, report=report, story=story, schedule=schedule)

    def _look_at_tasks(self, entry: Entry, machine: JudgedMachine) -> Grade | None:
        place = self.exercise.facts.get("Together", "")
        overlap = Overlap(entry, place, max_steps=MAX_STEPS)
        if not overlap.exists(machine.grain(), lambda: self._left() <= _LEAST_S):
            what = f"no two tasks are ever in `{place}`" if place else "no two tasks are under way"
            message = f"{what} at the same time: the concurrency is gone"
            return self._rejected("not-concurrent", message, 0)
        return None

    # --- for real -------------------------------------------------------------------------------

    def _run(self) -> Grade | None:
        if not self.exercise.needs_real_run:
            return None
        name = self.exercise.path.name
        run = run_for_real(name, self._source, self.mark, max(min(MAX_RUN_S, self._left()), 1.0))
        if not run.kind:
            return None
        grade = self._rejected(run.kind, run.message, run.line)
        return replace(grade, output=run.output)

    # --- grades ---------------------------------------------------------------------------------

    def _left(self) -> float:
        return max(self.max_seconds - (time.monotonic() - self._began), _LEAST_S)

    def _passed(self) -> Grade:
        return self._grade("pass", "", "", 0)

    def _rejected(self, kind: str, message: str, line: int) -> Grade:
        return self._grade("fail", kind, message, line)

    def _error(self, kind: str, message: str, line: int) -> Grade:
        return self._grade("error", kind, message, line)

    def _claim(self, kind: str) -> str:
        if kind == "harness-changed":
            return f"You may change {self.exercise.what_may_change}, and nothing else."
        return _CLAIMS.get(kind, self.exercise.must_hold)

    def _grade(self, verdict: Any, kind: str, message: str, line: int) -> Grade:  # noqa: ANN401 - Verdict
        report = self._report
        return Grade(
            exercise=self.exercise.id,
            verdict=verdict,
            claim=self._claim(kind),
            kind=kind,
            message=_printable(message),
            file=str(self.answer),
            line=line,
            executions=report.executions if report else 0,
            is_exhaustive=report.exhaustive if report else False,
            seconds=time.monotonic() - self._began,
            report=report,
        )


_LEAST_S = 0.05
_OTHER_NAME = "exercise"
"""What the answer's module is called when `main` is called with other arguments: not `__main__`."""
_CLAIMS = {
    "syntax": "The file is Python.",
    "import": "What is imported is there.",
    "missing-file": "The file is there.",
    "not-run": "The work is done where it is to be done, and main() runs to its end.",
    "not-concurrent": "The work is done at the same time.",
    "busy-wait": "Nobody keeps a processor busy while he waits.",
    "budget": "It can be proven within the limits of time and size.",
    "unsupported": "It uses nothing but what a check can control.",
}
"""What failed, where it is not what the exercise itself promises."""


class _Call:
    """Calls `main` with other arguments, in each execution."""

    def __init__(self, call: str) -> None:
        self._code = compile(call, "<another call of main>", "eval")

    def make(self, program: Any) -> Callable[[], object]:  # noqa: ANN401 - a Program
        """Return what makes the call in the execution's own module."""
        space = vars(program.modules[_OTHER_NAME])
        return lambda: eval(self._code, space)  # noqa: S307 - the text is the exercise's own


def _if_known(grade: Grade | None) -> Grade | None:
    return None if grade is None or grade.verdict == "unknown" else grade


def _exists(module: str) -> bool:
    if module in sys.stdlib_module_names:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _bytes_of(path: Path) -> bytes:
    if path.exists() and not path.is_file():  # to read a pipe would wait
        raise OSError(errno.EINVAL, "it is no regular file")
    return path.read_bytes()


def _printable(text: str) -> str:
    """Return a text of the learner's so that it is shown, and not obeyed, by a terminal."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)

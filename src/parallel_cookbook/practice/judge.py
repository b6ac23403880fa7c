"""Executes an answer under check, and sees to it that its exercise's promise is really put to the test.

A check finds what goes wrong. A grade has to know besides that what is to be judged took place: that
`main()` came to its end, and that no assertion of the exercise's own failed and was caught. So the answer is
compiled with calls of the judge at these places, which are no scheduling points and shift no line; its
schedules are those of the plain program.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.asserts import EXPLAIN
from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.fault import Fault
from parallel_cookbook.check.polling import Poll
from parallel_cookbook.kernel import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parallel_cookbook.check import Entry
    from parallel_cookbook.check.cycles import Round
    from parallel_cookbook.check.execution import Execution
    from parallel_cookbook.kernel import Chooser, Operation, Task

MAIN = "main"
POLLS = "somebody waits here by looking again and again"
NOT_RUN = "main() did not come to its end, so that nothing was put to the test"
STRAY = (
    "a process that was started runs main(), too: the file's last lines are executed there as well"
)
MISCOUNT, HERE = "is to be called", "it was called in the first one"
"""Parts of the messages of faults of these kinds."""
_BEGIN, _END, _FAILED, _COUNT = "begin", "end", "failed", "count"
ENTER, LEAVE = "enter", "leave"


@dataclass(frozen=True, slots=True)
class Calls:
    """How often a kept function is to be called in each execution: that is where the work is done."""

    name: str
    times: int
    is_elsewhere: bool = False
    """Whether all of them must be made by processes that were started."""


class Judge:
    """What is asked of each execution of an answer besides what a check finds."""

    def __init__(
        self,
        kept: Iterable[str],
        *,
        visited: str = "",
        on_visit: Callable[[str], None] = lambda _what: None,
        needs_end: bool = True,
        forbids_polling: bool = False,
        calls: Calls | None = None,
    ) -> None:
        self.kept = frozenset(kept)
        """The functions and classes whose assertions count, even if somebody catches them;
        "Class.method" where not all of a class is kept."""
        self.visited = visited
        """A kept function or method, of whose calls `on_visit` is told: ENTER and LEAVE."""
        self.on_visit = on_visit
        self.needs_end = needs_end
        self.forbids_polling = forbids_polling
        self.calls = calls


class JudgedMachine(Machine):
    """A machine whose executions also fail if the promise was not put to the test."""

    def __init__(self, entry: Entry, *, judge: Judge, **options: Any) -> None:  # noqa: ANN401 - Machine's
        super().__init__(entry, **options)
        self.judge = judge
        self.polls_at = ""
        """Where a task of this execution has waited by looking again and again, as `file:line`, or empty."""
        self._ends = 0
        self._calls = self._calls_here = 0
        """Of the function that is counted: in all processes, and in the first."""
        self._has_stray = False
        """Whether a process that was started has begun with `main`."""
        self._exit_at = ""
        self._caught: list[Fault] = []
        self.program.explain_asserts(_Calls(self))  # type: ignore[arg-type] # it is called the same way

    def execute(self, chooser: Chooser, repeats: int | None = None) -> Execution:
        """Execute the program once, and add to its faults what only the judge has seen."""
        self._ends, self._exit_at, self._caught, self.polls_at = 0, "", [], ""
        self._has_stray = False
        self._calls = self._calls_here = 0
        if self.judge.forbids_polling and self.kernel.on_point is None:
            self.kernel.on_point = self._look_for_polls
        execution = super().execute(chooser, repeats)
        faults = execution.faults
        if not any(fault.kind == "assertion" for fault in faults):
            faults += self._caught
        if not faults:
            faults += self._faults_of_judge(execution.ending)
        return execution

    def _faults_of_judge(self, ending: Ending) -> Iterator[Fault]:
        judge = self.judge
        if judge.forbids_polling and self.polls_at:
            yield Fault("livelock", POLLS, "", self.polls_at)
        if ending is not Ending.FINISHED:
            return
        if judge.needs_end and self._ends != 1:
            yield Fault("exception", NOT_RUN, "", self._exit_at)
        elif judge.needs_end and self._has_stray:
            yield Fault("exception", STRAY, "", "")
        elif judge.calls is not None:
            yield from self._miscounts(judge.calls)

    def _miscounts(self, calls: Calls) -> Iterator[Fault]:
        times = "once" if calls.times == 1 else f"{calls.times} times"
        asked = f"`{calls.name}` {MISCOUNT} {times}"
        if calls.is_elsewhere:
            asked += " in other processes"
        if calls.is_elsewhere and self._calls_here:
            yield Fault("exception", f"{asked}, and {HERE}", "", "")
        elif self._calls != calls.times:
            done = "once" if self._calls == 1 else f"{self._calls} times"
            yield Fault("exception", f"{asked}, and was called {done}", "", "")

    # --- called by the program ------------------------------------------------------------------

    def call(self, what: str, line: int, *message: object) -> str:
        """Note that the program has come to a place that concerns the judge; return an assert's message."""
        if self.kernel.is_unwinding:
            return ""
        if what == _FAILED:
            text = "".join(str(part) for part in message)
            whole = f"AssertionError: {text}" if text else "AssertionError"
            task = self.kernel.running.name
            self._caught.append(Fault("assertion", whole, task, f"{self.entry.file}:{line}"))
            return text
        is_first = self.kernel.running.group is self.kernel.root
        if what == _END:
            self._ends += is_first
        elif what == _BEGIN:
            self._has_stray |= not is_first
        elif what == _COUNT:
            self._calls += 1
            self._calls_here += is_first
        else:
            self.judge.on_visit(what)
        return ""

    # --- inside ---------------------------------------------------------------------------------

    def _on_uncaught(self, task: Task, error: BaseException) -> None:
        if isinstance(error, SystemExit) and task.index == 0:
            self._exit_at = self._location(error.__traceback__)
        super()._on_uncaught(task, error)

    def _on_round(self, found: Round) -> None:
        if not self.polls_at and found.loops:
            place = self.sites[found.loops[0][1]]
            self.polls_at = f"{place.file}:{place.line}"
        super()._on_round(found)

    def _look_for_polls(self, _task: Task, operation: Operation) -> None:
        if self.polls_at or not isinstance(operation, Poll):
            return
        frame = sys._getframe(1)  # noqa: SLF001 - to find the program's own line
        files = self.program.module_of_file
        while frame.f_back is not None and frame.f_code.co_filename not in files:
            frame = frame.f_back
        self.polls_at = f"{frame.f_code.co_filename}:{frame.f_lineno}"


class _Calls(ast.NodeVisitor):
    """Puts the calls of the judge into a program, in place of what an `AssertExplainer` does."""

    def __init__(self, machine: JudgedMachine) -> None:
        self._judge = machine.judge
        self.explain = machine.call

    def prepare(self, tree: ast.Module) -> None:
        """Put the calls into `tree`."""
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._prepare_function(node, node.name)
                if node.name == MAIN:
                    node.body = [
                        _call(_BEGIN, node.body[0]),
                        *node.body,
                        _call(_END, node.body[-1]),
                    ]
            elif isinstance(node, ast.ClassDef):
                for member in node.body:
                    if isinstance(member, ast.FunctionDef):
                        self._prepare_function(member, f"{node.name}.{member.name}")

    def _prepare_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> None:
        if name in self._judge.kept or name.partition(".")[0] in self._judge.kept:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Assert):
                    given = [] if inner.msg is None else [inner.msg]
                    inner.msg = _call(_FAILED, inner, *given).value
        if self._judge.calls is not None and name == self._judge.calls.name:
            node.body.insert(0, _call(_COUNT, node.body[0]))
        if name == self._judge.visited:
            first, last = node.body[0], node.body[-1]
            around = ast.Try(body=node.body, handlers=[], orelse=[], finalbody=[_call(LEAVE, last)])
            node.body = [_call(ENTER, first), ast.copy_location(around, first)]


def _call(what: str, original: ast.stmt, *given: ast.expr) -> ast.Expr:
    """Return a call of the judge that has the position of `original`."""
    arguments = [ast.Constant(value=what), ast.Constant(value=original.lineno), *given]
    call = ast.Expr(ast.Call(ast.Name(id=EXPLAIN, ctx=ast.Load()), arguments, keywords=[]))
    for node in ast.walk(call):
        if isinstance(node, ast.expr | ast.stmt) and not hasattr(node, "lineno"):
            ast.copy_location(node, original)
    return call

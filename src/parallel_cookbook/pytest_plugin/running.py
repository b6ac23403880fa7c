"""Explore a marked test, and fail it as pytest users expect."""

from __future__ import annotations

import bdb
import importlib
import shlex
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from parallel_cookbook.check import DEFAULT_MAX_STEPS, Budget, Failure, check_entry
from parallel_cookbook.check.function import entry_at, replay
from parallel_cookbook.errors import CookbookError, UnsupportedError
from parallel_cookbook.library import counterexample, forbid_nesting
from parallel_cookbook.pytest_plugin import COUNTEREXAMPLE, InterleavingsWarning, record
from parallel_cookbook.pytest_plugin.fixtures import home_of_test, plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.check import CheckReport, Entry
    from parallel_cookbook.check.function import Replayed

_SHARE_OF_TIMEOUT = 0.8
"""How much of a test's time-out the search may use; the rest is for shrinking and the report."""


def run(item: pytest.Function, options: dict[str, Any]) -> None:
    """Return if the test holds under every interleaving; else raise what pytest is to report.

    Raises what the test raised in the shortest counterexample, with its traceback; Failed, Skipped
    where nothing was raised: a deadlock, a search that did not get to its end, a refusal.
    """
    __tracebackhide__ = True
    error = refusal = None
    try:
        forbid_nesting()
        entry = _entry(item)
        schedule = item.config.getoption("cookbook_replay")
        if schedule is None:
            error = _explore(item, entry, options)
        else:
            error = _replay(item, entry, schedule, options)
    except CookbookError as raised:
        refusal = str(raised)
    # Outside of the handler, so that nothing is said to have happened "during handling".
    if refusal is not None:
        error = pytest.fail.Exception(refusal, pytrace=False)
    if isinstance(error, pytest.fail.Exception) and not error.pytrace:
        _raise(error)
    if error is not None:
        raise error


def _raise(error: BaseException) -> NoReturn:
    """Raise what is shown without a traceback: pytest wants one frame that is not hidden."""
    raise error


def _entry(item: pytest.Function) -> Entry:
    body, parts = plan(item)
    return entry_at(home_of_test(item), item.originalname, body, parts)


def _explore(item: pytest.Function, entry: Entry, options: dict[str, Any]) -> BaseException | None:
    """Explore the test; return what its counterexample raised, None if there is none."""
    with _no_breakpoints():
        report = check_entry(
            entry,
            target=item.nodeid,
            strategy=options.get("strategy", "auto"),
            seed=options.get("seed", 0),
            budget=Budget(options.get("max_executions"), _seconds(options)),
            max_steps=options.get("max_steps", DEFAULT_MAX_STEPS),
            races=options.get("races", "warn"),
            include=options.get("include", ()),
        )
    error = None
    if report.failures and report.verdict != "unknown":
        error = _failed(item, entry, report.failures[0], options)
    if not isinstance(error, pytest.skip.Exception):
        record(item, report.executions, report.verdict)
    if error is not None:
        return error
    if report.verdict == "unknown":
        _give_up(report, options["unknown"])
    for warning in report.warnings:
        item.warn(InterleavingsWarning(f"{warning.kind}: {warning.message}"))
    return None


def _seconds(options: dict[str, Any]) -> float | None:
    """Return how long to search: not until the alarm of pytest-timeout, which would tell nothing."""
    limit: float | None = options["max_seconds"] or None
    left = signal.getitimer(signal.ITIMER_REAL)[0] if hasattr(signal, "getitimer") else 0.0
    if left:
        limit = min(limit or left, round(left * _SHARE_OF_TIMEOUT, 1))
    return limit


def _replay(
    item: pytest.Function, entry: Entry, schedule: str, options: dict[str, Any]
) -> BaseException | None:
    """Execute the test under one schedule; return what it raised."""
    with _breakpoints_of(item):
        done = _replayed(item, entry, schedule, options)
    if any(isinstance(error, bdb.BdbQuit) for _, error in done.errors):
        pytest.exit("Quitting debugger")
    record(item, 1, "replayed")
    if not done.faults:
        return None
    fault = done.faults[0]
    failure = Failure(
        fault.kind, fault.message, fault.task, fault.location, done.story.preemptions, schedule
    )
    return _shown(item, failure, done)


def _failed(
    item: pytest.Function, entry: Entry, failure: Failure, options: dict[str, Any]
) -> BaseException | None:
    """Return what the test is to raise for a failure."""
    if not failure.schedule or failure.kind == "unsupported":
        return pytest.fail.Exception(f"{failure.kind}: {failure.message}", pytrace=False)
    with _no_breakpoints():
        done = _replayed(item, entry, failure.schedule, options)
    return _shown(item, failure, done)


def _replayed(
    item: pytest.Function, entry: Entry, schedule: str, options: dict[str, Any]
) -> Replayed:
    def compare(operator: str, left: object, right: object) -> list[str] | None:
        """Ask pytest and its plugins how two values differ."""
        for lines in item.ihook.pytest_assertrepr_compare(
            config=item.config, op=operator, left=left, right=right
        ):
            if lines:
                return [str(line) for line in lines]
        return None

    done = replay(
        entry,
        schedule,
        include=options.get("include", ()),
        max_steps=options.get("max_steps", DEFAULT_MAX_STEPS),
        compare=compare,
    )
    if done.stdout:
        item.add_report_section("call", "stdout", done.stdout)
    return done


def _shown(item: pytest.Function, failure: Failure, done: Replayed) -> BaseException:
    """Keep the counterexample for the report; return what the test is to raise."""
    terminal = item.config.get_terminal_writer()
    # Colours would end up in the XML file too.
    has_colour = terminal.hasmarkup and not item.config.getoption("xmlpath", None)
    node = shlex.quote(item.nodeid)
    item.stash[COUNTEREXAMPLE] = counterexample(
        failure,
        done,
        lambda schedule: f"pytest {node} --cookbook-replay {schedule}",
        terminal.fullwidth,
        has_colour=has_colour,
    )
    if failure.kind in {"assertion", "exception"}:
        for task, error in done.errors:
            if task == failure.task:
                return error
    where = f" in {failure.task}" if failure.task else ""
    return pytest.fail.Exception(f"{failure.kind}{where}: {failure.message}", pytrace=False)


def _give_up(report: CheckReport, unknown: str) -> None:
    """Fail or skip a test of which nothing is known for certain."""
    covered = f"{report.executions:,} interleavings are explored, none goes wrong"
    limit = report.unexplored or "; ".join(failure.message for failure in report.failures)
    text = f"{covered}, but not all are explored; stopped at: {limit}"
    if unknown == "fail":
        advice = 'allow more, let the test do less, or mark it with unknown="skip" or "pass"'
        pytest.fail(f"{text}; {advice}", pytrace=False)
    if unknown == "skip":
        pytest.skip(text)


@contextmanager
def _breakpoints_of(item: pytest.Item) -> Iterator[None]:
    """Let `breakpoint()` in the test open the debugger.

    pytest's own way would hand the program's output over to pytest when the debugger goes on, and let
    what the debugger prints be a step of the program.
    """
    capture: Any = item.config.pluginmanager.getplugin("capturemanager")
    module, name = item.config.getoption("usepdb_cls", None) or ("pdb", "Pdb")

    def stop(*_: object, **__: object) -> None:
        output = sys.stdout
        if capture is not None:
            capture.suspend_global_capture(in_=True)
        sys.stdout = sys.__stdout__
        print()  # noqa: T201 - pytest has left the cursor behind the file's name
        debugger = getattr(importlib.import_module(module), name)()
        sys.stdout = output
        debugger.use_rawinput = False  # input() would print the prompt as the program's output
        debugger.set_trace(sys._getframe(1))  # noqa: SLF001 - the program's own frame

    before, sys.breakpointhook = sys.breakpointhook, stop
    tracer = sys.gettrace()
    try:
        yield
    finally:
        sys.breakpointhook = before
        sys.settrace(tracer)
        if capture is not None and capture.is_globally_capturing():
            capture.resume_global_capture()


@contextmanager
def _no_breakpoints() -> Iterator[None]:
    """Refuse `breakpoint()` where it would stop in each of thousands of executions."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise UnsupportedError(
            "breakpoint() would stop in every execution: replay one with --cookbook-replay"
        )

    before, sys.breakpointhook = sys.breakpointhook, refuse
    try:
        yield
    finally:
        sys.breakpointhook = before

"""Run CPython's own tests of the synchronisation primitives on the simulation.

The tests are loaded from the running interpreter's test package; nothing is copied. `threading`,
`_thread`, `queue` and `time` are the simulated modules for them; what is built on these
(`concurrent.futures`, `sched`, the test support) is executed once more, with the simulated modules as
its imports. Each test method is the main flow of one execution, under a fair strategy: nobody waits for
a time-out as long as anybody can do something else, and of those who wait, the first deadline is met
first.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import importlib.util
import io
import logging
import random
import signal
import sys
import unittest
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from parallel_cookbook.kernel import Ending, Kernel, Killed, Task
from parallel_cookbook.simulation import SIMULATED, fresh_module, shut_down
from parallel_cookbook.simulation.clock import Timed, clock_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

REBUILT = {
    "_threading_local",
    "concurrent",
    "sched",
    "test",
    "test.lock_tests",
    "test.support",
    "test.support.threading_helper",
    "test.test_concurrent_futures",
    "test.test_concurrent_futures.executor",
    "test.test_concurrent_futures.util",
    "test.test_concurrent_futures.test_as_completed",
    "test.test_concurrent_futures.test_future",
    "test.test_concurrent_futures.test_init",
    "test.test_concurrent_futures.test_shutdown",
    "test.test_concurrent_futures.test_thread_pool",
    "test.test_concurrent_futures.test_wait",
    "test.test_queue",
    "test.test_sched",
    "test.test_thread",
    "test.test_threading",
    "test.test_threading_local",
}
"""Modules that are executed anew for each test, because they use the simulated ones."""

MAX_SECONDS = 60
"""One that takes longer is stuck in something that the simulation does not know."""

ROOTS = {"multiprocessing"} | {name.partition(".")[0] for name in (*SIMULATED, *REBUILT)}

_real_import = builtins.__import__


class FairChooser:
    """Plays fair: who was blocked goes first, then anybody, and last those who wait for a time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._now_ns = 0
        self._deadlines: dict[tuple[int, int], int] = {}
        self._blocked: set[tuple[int, int]] = set()
        """Steps that were blocked once. Such a one goes first, so that no waiter is passed over."""

    def choose(self, kernel: Kernel) -> Task | None:
        """Return who goes on."""
        # No execution here repeats another. What a long one keeps for that would fill the memory: sets
        # of events, each as large as the execution is long.
        kernel.record.trail.clear()
        kernel.record.pasts.clear()
        clock = clock_of(kernel)
        clock.now_ns = self._now_ns = max(self._now_ns, clock.now_ns)
        ready: list[Task] = []
        woken: list[Task] = []
        first: tuple[int, int, Task, int] | None = None
        for task in kernel.tasks:
            operation = task.operation
            if operation is None:
                continue
            key = (task.index, task.steps)
            if not operation.is_enabled():
                self._blocked.add(key)
            elif not isinstance(operation, Timed) or (
                operation.ready is not None and operation.ready(operation.target.state)
            ):
                (woken if key in self._blocked else ready).append(task)
            else:
                self._blocked.add(key)
                deadline = self._deadlines.setdefault(key, self._now_ns + operation.duration_ns)
                if first is None or (deadline, task.index) < first[:2]:
                    first = (deadline, task.index, task, operation.duration_ns)
        if woken or ready:
            return self._random.choice(woken or ready)
        if first is None:
            return None
        deadline, _, task, duration_ns = first
        # The operation itself will move the clock on by its duration.
        self._now_ns = max(self._now_ns, deadline)
        clock.now_ns = self._now_ns - duration_ns
        return task


class World:
    """The modules of one execution."""

    real = frozenset({"signal", "concurrent.futures.process"})
    """Modules that are not simulated here: some tests set themselves a real alarm, in case they hang, and
    what the tests of pools share looks at a private name of the pools of processes.
    """

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = {}
        self.blocked: set[str] = set()
        self._builtins = dict(vars(builtins))
        self._builtins["__import__"] = self._import

    def module(self, name: str) -> ModuleType:
        """Return the module `name`, made for this execution if it has to be."""
        if name in self.modules:
            return self.modules[name]
        if name in SIMULATED and name not in self.real:
            module = self.modules[name] = fresh_module(name)
            if name == "concurrent.futures":
                # The tests derive classes for pools of processes from it, which are not run.
                vars(module)["ProcessPoolExecutor"] = None
        elif name in REBUILT:
            module = self._rebuild(name)
        elif name == "test.support.import_helper":
            module = self.modules[name] = ModuleType(name)
            vars(module).update(vars(importlib.import_module(name)))
            module.import_fresh_module = self._import_fresh  # type: ignore[attr-defined]
            module.import_module = self._import_one  # type: ignore[attr-defined]
        elif name == "test.support.script_helper":
            module = self.modules[name] = ModuleType(name)
            for function in vars(importlib.import_module(name)):
                setattr(module, function, _no_process)
        else:
            return importlib.import_module(name)
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(self.module(parent), last, module)
        return module

    def _import_one(self, name: str, *_args: object, **_kwargs: object) -> ModuleType:
        try:
            self._import(name)
            return self.module(name)
        except ImportError as error:
            raise unittest.SkipTest(str(error)) from error

    def _import_fresh(
        self,
        name: str,
        fresh: Sequence[str] = (),
        blocked: Sequence[str] = (),
        *,
        deprecated: bool = False,
    ) -> ModuleType:
        """Stand for the function that gives a test the C and the Python version of a module.

        The Python version is CPython's own source, on the simulated primitives.
        """
        del fresh, deprecated
        if not blocked:
            return self.module(name)
        other = World()
        other.modules = dict(self.modules)
        other.blocked = set(blocked)
        return other._rebuild(name)

    def _rebuild(self, name: str) -> ModuleType:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        module = self.modules[name] = ModuleType(name)
        code = _code(name)
        vars(module).update(
            __file__=spec.origin,
            __spec__=spec,
            __builtins__=self._builtins,
            __package__=name if spec.submodule_search_locations else spec.parent,
        )
        if spec.submodule_search_locations is not None:
            module.__path__ = list(spec.submodule_search_locations)
        exec(code, vars(module))  # noqa: S102 - what importing does
        return module

    def _import(
        self,
        name: str,
        globals: dict[str, object] | None = None,  # noqa: A002 - as __import__
        locals: dict[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level:
            package = str((globals or {})["__package__"])
            name = importlib.util.resolve_name("." * level + name, package)
        if name in self.blocked:
            raise ImportError(name)
        if name.partition(".")[0] not in ROOTS:
            return _real_import(name, globals, locals, fromlist or (), 0)
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            module = self.module(".".join(parts[:end]))
            if end > 1:
                setattr(self.module(".".join(parts[: end - 1])), parts[end - 1], module)
        if not fromlist:
            return self.module(parts[0])
        for item in fromlist:
            inner = f"{name}.{item}"
            if item != "*" and not hasattr(module, item):
                with contextlib.suppress(ModuleNotFoundError):
                    setattr(module, item, self.module(inner))
        return module


@cache
def _code(name: str) -> CodeType:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    # Not the spec's own loader, which under pytest rewrites the asserts of what is called test_….
    code = SourceFileLoader(name, spec.origin).get_code(name)
    assert isinstance(code, CodeType)
    return code


class StuckError(BaseException):
    """The test blocks for real, or loops without a step."""


def _no_process(*_args: object, **_kwargs: object) -> None:
    raise unittest.SkipTest("runs a script in a process of its own")


def give_up(_signal: int, frame: FrameType | None) -> None:
    """Handle the alarm that rings when a test takes too long."""
    where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "nowhere"
    raise StuckError(where)


@dataclass(frozen=True)
class Verdict:
    """How one test method ended."""

    name: str
    status: str
    """passed, skipped (by CPython's own decorators) or failed."""
    detail: str = ""


def names_of_tests(module: str) -> list[str]:
    """Return the names of all test methods in one of CPython's test modules, as Class.method."""
    names: list[str] = []

    def collect() -> None:
        loader = unittest.TestLoader()
        found = World().module(module)
        for key, value in vars(found).items():
            if isinstance(value, type) and issubclass(value, unittest.TestCase):
                names.extend(f"{key}.{method}" for method in loader.getTestCaseNames(value))

    execute(collect, 0)
    return sorted(set(names))


def execute(
    main: Callable[[], object], seed: int, max_steps: int = 1_000_000
) -> tuple[Ending, Kernel]:
    """Perform one execution under a fair strategy; raise what `main` raises."""
    kernel = Kernel(FairChooser(seed))
    kernel.max_steps = max_steps
    kernel.on_uncaught = lambda _task, _error: None
    trouble: list[BaseException] = []

    def guarded() -> None:
        try:
            main()
        except Killed:
            raise
        except BaseException as error:  # noqa: BLE001 - raised again outside
            trouble.append(error)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ending = kernel.run(guarded)
    if trouble:
        raise trouble[0]
    return ending, kernel


def run_test(module: str, name: str, seed: int) -> Verdict:
    """Run one test method of CPython's as one execution."""
    result = unittest.TestResult()
    trouble: list[str] = []

    def main() -> None:
        case_name, _, method = name.partition(".")
        found = World().module(module)
        try:
            case = getattr(found, case_name)(method)
            case.setUpClass()
            case(result)
            case.doClassCleanups()
        except unittest.SkipTest as reason:
            result.skipped.append((None, str(reason)))  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - a verdict
            trouble.append(repr(error))
        result.stopTest(case)
        shut_down()

    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        # Many tests collect garbage, and wait for it: theirs alone. Some look at what is logged.
        gc.collect()
        gc.freeze()
        handlers, logging.root.handlers = logging.root.handlers, []
        previous = signal.signal(signal.SIGALRM, give_up)
        signal.alarm(MAX_SECONDS)
        try:
            ending, kernel = execute(main, seed)
        except StuckError as error:
            return Verdict(name, "failed", f"stuck: {error}")
        finally:
            signal.alarm(0)
            logging.root.handlers = handlers
            signal.signal(signal.SIGALRM, previous)
    for _, text in (*result.failures, *result.errors):
        trouble.append(text)
    if trouble:
        return Verdict(name, "failed", trouble[0].strip())
    if result.skipped:
        return Verdict(name, "skipped", result.skipped[0][1])
    if ending is not Ending.FINISHED:
        blocked = [f"{task}: {task.operation}" for task in kernel.tasks if task.operation]
        return Verdict(name, "failed", f"{ending.value}: {'; '.join(blocked)}")
    if not result.testsRun:
        return Verdict(name, "failed", "nothing was run")
    return Verdict(name, "passed")


def verdicts(module: str, seed: int, without: set[str]) -> Iterator[Verdict]:
    """Run all test methods of a module but those named in `without`."""
    for name in names_of_tests(module):
        if name not in without:
            yield run_test(module, name, seed)


if __name__ == "__main__":
    for verdict in verdicts(sys.argv[1], 0, set(sys.argv[2:])):
        last = (
            verdict.detail.strip().splitlines()[-1:]
            if verdict.status == "failed"
            else [verdict.detail]
        )
        print(verdict.status, verdict.name, *last, flush=True)  # noqa: T201

"""Run CPython's own tests of `multiprocessing` on the simulation.

As `primitives_runner.py` does for threads; here each process has a set of modules of its own, in which
the tests are executed anew, as the child processes of the real ones import them anew.
"""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import signal
import sys
import unittest
from types import ModuleType
from typing import TYPE_CHECKING

import primitives_runner
from parallel_cookbook.kernel import Ending, Kernel, active_kernel
from parallel_cookbook.simulation import shut_down, shut_down_processes
from parallel_cookbook.simulation.processes.os import os_module
from primitives_runner import Verdict, World, execute, give_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BASE = "test._test_multiprocessing"
MODULE = "test.of_processes"
"""The module that the tests are installed in, as CPython does for each start method."""
MAX_SECONDS = 30

primitives_runner.REBUILT.add(BASE)


class ProcessWorld(World):
    """The modules of one process of one execution."""

    real = frozenset()

    def prepare(self) -> None:
        """Execute no main file: the tests are imported by those who need them."""

    def module(self, name: str) -> ModuleType:
        """Return the module `name`, made for this process if it has to be."""
        if name != MODULE or name in self.modules:
            return super().module(name)
        module = self.modules[name] = ModuleType(name)
        self.module(BASE).install_tests_in_module_dict(vars(module), "spawn")
        return module

    def find(self, name: str) -> ModuleType | None:
        """Return the process's own module of that name, None if all share it."""
        known = self.modules.get(name)
        if known is not None:
            return known
        return self.module(name) if name.partition(".")[0] in {"multiprocessing", "test"} else None

    def _import(
        self,
        name: str,
        globals: dict[str, object] | None = None,  # noqa: A002 - as __import__
        locals: dict[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if name == "os" and not level:
            if "os" not in self.modules:
                self.modules["os"] = os_module()
            return self.modules["os"]
        return super()._import(name, globals, locals, fromlist, level)


class _Loader:
    """Gives each process its modules."""

    @staticmethod
    def new_space() -> ProcessWorld:
        return ProcessWorld()


def _in_first_process(main: Callable[[ModuleType], object]) -> Callable[[], object]:
    def run() -> object:
        kernel = active_kernel()
        kernel.loader = _Loader
        space = kernel.running.group.space = ProcessWorld()
        return main(space.module(MODULE))

    return run


def names_of_tests() -> list[str]:
    """Return the names of all test methods that are about processes, as Class.method."""
    names: list[str] = []

    def collect(module: ModuleType) -> None:
        loader = unittest.TestLoader()
        for key, value in vars(module).items():
            is_case = isinstance(value, type) and issubclass(value, unittest.TestCase)
            if is_case and not key.startswith(("WithThreads", "WithManager")):
                names.extend(f"{key}.{method}" for method in loader.getTestCaseNames(value))

    execute(_in_first_process(collect), 0)
    return sorted(set(names))


def run_test(name: str, seed: int) -> Verdict:
    """Run one test method of CPython's as one execution."""
    result = unittest.TestResult()
    trouble: list[str] = []

    def main(module: ModuleType) -> None:
        case_name, _, method = name.partition(".")
        try:
            case = getattr(module, case_name)(method)
            case.setUpClass()
            case(result)
            case.doClassCleanups()
        except unittest.SkipTest as reason:
            result.skipped.append((None, str(reason)))  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - a verdict
            trouble.append(repr(error))
        shut_down()
        shut_down_processes()

    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        gc.collect()
        handlers, logging.root.handlers = logging.root.handlers, []
        previous = signal.signal(signal.SIGALRM, give_up)
        signal.alarm(MAX_SECONDS)
        try:
            ending, kernel = execute(_in_first_process(main), seed)
        except primitives_runner.StuckError as error:
            return Verdict(name, "failed", f"stuck: {error}")
        finally:
            signal.alarm(0)
            logging.root.handlers = handlers
            signal.signal(signal.SIGALRM, previous)
    trouble += [text for _, text in (*result.failures, *result.errors)]
    return _verdict(name, result, trouble, ending, kernel)


def _verdict(
    name: str, result: unittest.TestResult, trouble: list[str], ending: Ending, kernel: Kernel
) -> Verdict:
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


if __name__ == "__main__":
    for test in names_of_tests():
        if len(sys.argv) > 1 and sys.argv[1] not in test:
            continue
        verdict = run_test(test, 0)
        last = verdict.detail.strip().splitlines()[-1:] if verdict.detail else []
        print(verdict.status, verdict.name, *last, flush=True)  # noqa: T201

"""Which of CPython's own tests of the primitives are run on the simulation, and which do not pass, and why.

The modules are the running interpreter's, loaded from its `test` package. Each test method is one
execution under a fair strategy, for several seeds. Every test that does not pass is listed in `EXCEPTED`
with its reason.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec

from primitives_runner import Verdict, names_of_tests, run_test

CANDIDATES = [
    "test.test_thread",
    "test.test_threading",
    "test.test_threading_local",
    "test.test_queue",
    "test.test_sched",
    "test.test_concurrent_futures.test_thread_pool",
    "test.test_concurrent_futures.test_wait",
    "test.test_concurrent_futures.test_as_completed",
    "test.test_concurrent_futures.test_future",
    "test.test_concurrent_futures.test_init",
    "test.test_concurrent_futures.test_shutdown",
]
# Some installations come without some of the tests.
MODULES = [
    name
    for name in CANDIDATES
    if find_spec(name.rpartition(".")[0]) is not None and find_spec(name) is not None
]
SEEDS = (0, 1)


@dataclass(frozen=True)
class Excepted:
    """Tests that do not pass, or are not run at all."""

    module: str
    tests: str
    reason: str
    is_run: bool = True
    """Whether it can be run: one that blocks for real, or forks, is not."""
    since: tuple[int, int] = (3, 11)
    until: tuple[int, int] = (4, 0)


PRIVATE = "looks at a private name of Lib/threading.py"
SIGNALS = "signals are not simulated: interrupt_main is refused"
FORK = "forks a real process"
LARGE = "polls for tens of thousands of items in 50 threads: takes minutes"
TRACE = "trace and profile functions are kept, and not called"

EXCEPTED = [
    Excepted("test.test_thread", "TestForkInThread.test_forkinthread", FORK, is_run=False),
    Excepted("test.test_threading", "EventTests.test_at_fork_reinit", PRIVATE),
    Excepted("test.test_threading", "InterruptMainTests.test_interrupt_main_*", SIGNALS),
    Excepted(
        "test.test_threading",
        "InterruptMainTests.test_can_interrupt_tight_loops",
        "loops without a step until a real signal comes",
        is_run=False,
    ),
    Excepted(
        "test.test_threading",
        "ThreadTests.test_PyThreadState_SetAsyncExc",
        "raises an exception in another thread by the C interface",
        is_run=False,
    ),
    Excepted("test.test_threading", "ThreadTests.test_foreign_thread", PRIVATE),
    Excepted(
        "test.test_threading",
        "ThreadTests.test_ident_of_no_threading_threads",
        PRIVATE,
        until=(3, 13),
    ),
    Excepted("test.test_threading", "ThreadTests.test_limbo_cleanup", PRIVATE),
    Excepted("test.test_threading", "ThreadTests.test_name", PRIVATE),
    Excepted("test.test_threading", "ThreadTests.test_shutdown_locks", PRIVATE, until=(3, 13)),
    Excepted("test.test_threading", "ThreadTests.test_tstate_lock", PRIVATE, until=(3, 13)),
    Excepted("test.test_threading", "ThreadTests.test_is_alive_after_fork", FORK, is_run=False),
    Excepted("test.test_threading", "ThreadJoinOnShutdown.*_after_fork", FORK, is_run=False),
    Excepted("test.test_threading", "ThreadTests.test_get*_all_threads", TRACE, since=(3, 12)),
    Excepted(
        "test.test_threading_local",
        "PyThreadingLocalTest.test_local_refs",
        "needs Thread objects to go when their threads end; the kernel keeps them until the execution ends",
    ),
    Excepted(
        "test.test_concurrent_futures.test_thread_pool",
        "ThreadPoolExecutorTest.test_idle_thread_reuse",
        "counts on a worker being idle again before the next submit",
    ),
    Excepted(
        "test.test_concurrent_futures.test_thread_pool",
        "ThreadPoolExecutorTest.test_hang_global_shutdown_lock",
        "is about pools of processes",
    ),
    Excepted(
        "test.test_concurrent_futures.test_future",
        "FutureTests.test_exception_with_success",
        "looks at a private name of Lib/concurrent/futures/_base.py",
    ),
    Excepted("test.test_queue", "*SimpleQueueTest.test_many_threads*", LARGE, is_run=False),
    Excepted(
        "test.test_queue",
        "CSimpleQueueTest.test_reentrancy",
        "counts on a put in C: the collector can run inside ours, which calls put again",
    ),
]


def exception_for(module: str, test: str) -> Excepted | None:
    """Return the entry that lists this test, in this version of Python."""
    for entry in EXCEPTED:
        if (
            fnmatchcase(module, entry.module)
            and fnmatchcase(test, entry.tests)
            and entry.since <= sys.version_info[:2] < entry.until
        ):
            return entry
    return None


@cache
def all_tests() -> list[tuple[str, str]]:
    """Return all of CPython's tests that are about the simulated modules: module and name."""
    found = []
    for module in MODULES:
        # Pools of processes are not simulated here.
        others = ("ProcessPool", "FailingInitializerResources")
        names = names_of_tests(module)
        found += [(module, name) for name in names if not name.startswith(others)]
    return found


def judge(module: str, name: str) -> Verdict:
    """Run a test with each seed; return the first verdict that is not a pass."""
    verdict = Verdict(name, "failed", "no seed")
    for seed in SEEDS:
        verdict = run_test(module, name, seed)
        if verdict.status != "passed":
            return verdict
    return verdict

"""CPython's own tests of `multiprocessing` pass on the simulation.

They are the running interpreter's, loaded from its `test` package and run as `test_primitives.py` runs those
for threads; those that are about threads and managers (`multiprocessing.dummy`, proxies) are not among them.
Every test that does not pass is listed in `EXCEPTED` with its reason; one that passes must not be.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec

import pytest

BASE = "test._test_multiprocessing"
if find_spec("test") is None or find_spec(BASE) is None:
    pytest.skip("this installation comes without CPython's tests", allow_module_level=True)

from processes_runner import names_of_tests, run_test  # noqa: E402 - only where they are


@dataclass(frozen=True)
class Excepted:
    """Tests that do not pass, or are not run at all."""

    tests: str
    reason: str
    is_run: bool = True
    """Whether it can be run: one that blocks for real is not."""
    since: tuple[int, int] = (3, 11)
    until: tuple[int, int] = (4, 0)


REFERENCES = "counts on references to go at a certain moment"
BLOCKS = "managers of blocks of shared memory are not simulated"
SIGNALS = "signals other than SIGTERM and SIGKILL are refused"
SOCKETS = "sockets, listeners and what is sent through them are refused"
PRIVATE = "looks at private names of Lib/multiprocessing"
FORK = "is about fork or forkserver: every start is a spawn here"
TRACKER = "is about the process that tracks resources, which is not there"
OTHERS = "is about a module that is not simulated, and would be tested itself"
SYSTEM = "is about file descriptors of the system"

EXCEPTED = [
    Excepted(
        "TestPoolNotLeakOnFailure.*", "gives a pool processes that are none of multiprocessing's"
    ),
    Excepted("*TestPool.test_make_pool", PRIVATE),
    Excepted("*TestPoolWorkerLifetime.test_pool_worker_lifetime", PRIVATE),
    Excepted("*TestPool.test_release_task_refs", REFERENCES),
    Excepted("*TestPool.test_resource_warning", "a pool that is dropped gives no warning"),
    Excepted("TestSyncManagerTypes.*", "waits for children with os.waitpid, which is refused"),
    Excepted("*TestManagerRestart.*", SOCKETS),
    Excepted("TestManagerExceptions.test_dispatch", SOCKETS, since=(3, 13)),
    Excepted("TestManagerExceptions.test_queue_get", REFERENCES, since=(3, 13)),
    Excepted("ChallengeResponseTest.*", SOCKETS, since=(3, 12)),
    Excepted(
        "*TestAtExit.test_atexit", "atexit calls nothing: it would at the end of us", since=(3, 13)
    ),
    Excepted("*TestSharedMemory.test_shared_memory_SharedMemoryManager_basics", BLOCKS),
    Excepted("*TestSharedMemory.test_shared_memory_SharedMemoryServer*", BLOCKS, is_run=False),
    Excepted("*TestFinalize.*", OTHERS, is_run=False),
    Excepted("*TestLogging.*", OTHERS, is_run=False),
    Excepted("*Listener*", SOCKETS, is_run=False),
    Excepted("OtherTest.*", SOCKETS),
    Excepted("TestWait.test_wait_socket*", SOCKETS, is_run=False),
    Excepted("TestTimeouts.test_timeout", SOCKETS),
    Excepted("TestInvalidFamily.test_invalid_family", SOCKETS),
    Excepted("*TestPicklingConnections.test_pickling", SOCKETS),
    Excepted("*TestConnection.test_*fd_transfer", SYSTEM),
    Excepted("TestCloseFds.test_closefd", SYSTEM),
    Excepted("TestInvalidHandle.test_invalid_handles", SYSTEM),
    Excepted("TestIgnoreEINTR.*", SIGNALS),
    Excepted("*TestPollEintr.test_poll_eintr", SIGNALS),
    Excepted("*TestProcess.test_kill", SIGNALS),
    Excepted("*TestProcess.test_terminate", SIGNALS),
    Excepted("*TestCondition.test_wait_result", SIGNALS),
    Excepted("TestResourceTracker.test_resource_tracker", TRACKER),
    Excepted("TestResourceTracker.test_resource_tracker_sig*", TRACKER),
    Excepted("TestSimpleQueue.test_closed", PRIVATE),
    Excepted("*TestHeap.*", PRIVATE),
    Excepted("*TestSharedMemory.test_shared_memory_basics", PRIVATE),
    Excepted("*TestSharedMemory.test_shared_memory_recreate", PRIVATE),
    Excepted("TestStartMethod.test_context", FORK),
    Excepted("TestStartMethod.test_context_check_module_types", FORK),
    Excepted("TestStartMethod.test_get_all", FORK),
    Excepted("TestStartMethod.test_mixed_startmethod", FORK),
    Excepted("TestStartMethod.test_set_get", FORK),
]


def exception_for(test: str) -> Excepted | None:
    """Return the entry that lists this test, in this version of Python."""
    for entry in EXCEPTED:
        if fnmatchcase(test, entry.tests) and entry.since <= sys.version_info[:2] < entry.until:
            return entry
    return None


@cache
def all_tests() -> list[str]:
    """Return the names of all of CPython's tests that are about processes."""
    return names_of_tests()


@pytest.mark.parametrize("name", all_tests())
def test_cpythons_own_test(name: str) -> None:
    """It passes on the simulation, or is listed with a reason."""
    entry = exception_for(name)
    if entry is not None and not entry.is_run:
        pytest.skip(entry.reason)
    verdict = run_test(name, 0)
    if verdict.status == "skipped":
        pytest.skip(verdict.detail)
    if entry is not None:
        assert verdict.status == "failed", "it passes now: take it off the list"
        pytest.skip(entry.reason)
    assert verdict.status == "passed", verdict.detail


def test_each_exception_is_about_a_test_that_exists() -> None:
    """An entry that matches nothing is taken off the list."""
    for entry in EXCEPTED:
        if entry.since <= sys.version_info[:2] < entry.until:
            assert any(exception_for(test) is entry for test in all_tests()), entry

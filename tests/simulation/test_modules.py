"""What a program finds in its modules, and what is left of an execution."""

from __future__ import annotations

import importlib
import pickle
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.kernel import Ending, Kernel
from parallel_cookbook.simulation import SIMULATED, fresh_module
from parallel_cookbook.strategies.dfs import Dfs

if TYPE_CHECKING:
    from collections.abc import Callable


def run(main: Callable[[], object]) -> Ending:
    """Perform one execution."""
    return Kernel(Dfs()).run(main)


@pytest.mark.parametrize("name", ["_thread", "queue", "threading", "time"])
def test_each_public_name_is_there(name: str) -> None:
    """A program finds whatever it finds in the real module."""
    real = importlib.import_module(name)
    public = {key for key in getattr(real, "__all__", dir(real)) if not key.startswith("_")}
    missing: set[str] = set()

    def main() -> None:
        module = fresh_module(name)
        missing.update(key for key in public if not hasattr(module, key))

    run(main)
    assert not missing


def test_what_a_program_sets_in_a_module_is_gone_in_the_next_execution() -> None:
    """Each execution has modules of its own."""
    seen = []

    def main() -> None:
        module = fresh_module("threading")
        seen.append(hasattr(module, "mark"))
        vars(module)["mark"] = 1

    run(main)
    run(main)
    assert seen == [False, False]


def test_an_unknown_module_is_a_key_error() -> None:
    """It says which."""
    with pytest.raises(KeyError, match="socket"):
        run(lambda: fresh_module("socket"))
    assert "socket" not in SIMULATED


def test_outside_of_an_execution_nothing_can_be_made() -> None:
    """A primitive needs a kernel."""
    with pytest.raises(RuntimeError, match="no execution is running"):
        fresh_module("threading")


def test_a_deadlock_unwinds_with_blocks_and_finally_clauses() -> None:
    """What releases does nothing then, and does not hide what ends the tasks."""
    left: list[str] = []

    def main() -> None:
        threading = fresh_module("threading")
        queue = fresh_module("queue").Queue()
        lock, condition = threading.Lock(), threading.Condition()
        semaphore, event = threading.Semaphore(), threading.Event()

        def work() -> None:
            with lock, semaphore, condition:
                try:
                    condition.wait()
                finally:
                    condition.notify_all()
                    event.set()
                    queue.task_done()
                    left.append("work")

        thread = threading.Thread(target=work)
        thread.start()
        try:
            thread.join()
        finally:
            left.append("main")

    assert run(main) is Ending.DEADLOCK
    assert sorted(left) == ["main", "work"]


def test_locks_cannot_be_pickled() -> None:
    """As the real ones: the message names the real type."""

    def main() -> None:
        threading = fresh_module("threading")
        for lock, name in ((threading.Lock(), "lock"), (threading.RLock(), "RLock")):
            with pytest.raises(TypeError, match=f"cannot pickle '_thread.{name}' object"):
                pickle.dumps(lock)

    run(main)


def test_functions_of_c_bind_to_nothing() -> None:
    """They can be attributes of a class, as the real ones."""
    made = []

    def main() -> None:
        threading, time = fresh_module("threading"), fresh_module("time")

        class Worker:
            make_lock = threading.Lock
            wait = time.sleep
            number = threading.get_ident

        worker = Worker()
        worker.wait(1)
        made.append((worker.make_lock().locked(), worker.number() == threading.get_ident()))

    run(main)
    assert made == [(False, True)]

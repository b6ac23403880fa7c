"""Random programs on all primitives: DFS and DPOR find the same outcomes and deadlocks.

The judge of targets and modes: an operation that touches something it does not announce, or that is said
to commute and does not, makes the searches disagree on some program.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any

import pytest

from exploring import Modules, explore
from parallel_cookbook.simulation import fresh_module
from parallel_cookbook.strategies.dfs import Dfs
from parallel_cookbook.strategies.dpor import Dpor

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_EXECUTIONS = 4_000


class Things:
    """One of each primitive, and what can be done to it."""

    def __init__(self, m: Modules) -> None:
        threading, queues, futures = m.threading, m.queue, fresh_module("concurrent.futures")
        self.time = m.time
        self.lock, self.rlock = threading.Lock(), threading.RLock()
        self.condition = threading.Condition()
        self.plain = threading.Condition(self.lock)
        self.semaphore = threading.Semaphore(1)
        self.bounded = threading.BoundedSemaphore(1)
        self.event = threading.Event()
        self.barrier = threading.Barrier(2)
        self.queue, self.simple = queues.Queue(1), queues.SimpleQueue()
        self.future = futures.Future()
        self.other = threading.Thread(target=self.event.set)
        self.threading, self.futures = threading, futures

    def with_condition(self, do: str, *args: object) -> object:
        """Do something with the condition that has an RLock."""
        with self.condition:
            return getattr(self.condition, do)(*args)

    def with_plain(self, do: str, *args: object) -> object:
        """Do something with the condition on the plain lock."""
        with self.plain:
            return getattr(self.plain, do)(*args)


ACTIONS: dict[str, list[Callable[[Things], Any]]] = {
    "lock": [
        lambda t: t.lock.acquire(),
        lambda t: t.lock.acquire(blocking=False),
        lambda t: t.lock.acquire(timeout=1),
        lambda t: t.lock.release(),
        lambda t: t.lock.release(),
        lambda t: t.lock.locked(),
    ],
    "rlock": [
        lambda t: t.rlock.acquire(),
        lambda t: t.rlock.acquire(blocking=False),
        lambda t: t.rlock.acquire(timeout=1),
        lambda t: t.rlock.release(),
        lambda t: t.rlock.release(),
    ],
    "condition": [
        lambda t: t.with_condition("wait"),
        lambda t: t.with_condition("wait", 1),
        lambda t: t.with_condition("notify"),
        lambda t: t.with_condition("notify", 2),
        lambda t: t.with_condition("notify_all"),
    ],
    "plain": [
        lambda t: t.with_plain("wait", 1),
        lambda t: t.with_plain("wait"),
        lambda t: t.plain.notify(),
        lambda t: t.with_plain("notify_all"),
        lambda t: t.lock.acquire(),
        lambda t: t.lock.release(),
    ],
    "semaphore": [
        lambda t: t.semaphore.acquire(),
        lambda t: t.semaphore.acquire(timeout=1),
        lambda t: t.semaphore.acquire(blocking=False),
        lambda t: t.semaphore.release(),
        lambda t: t.semaphore.release(2),
        lambda t: t.semaphore._value,
    ],
    "bounded": [
        lambda t: t.bounded.acquire(),
        lambda t: t.bounded.acquire(timeout=1),
        lambda t: t.bounded.release(),
        lambda t: t.bounded.release(),
    ],
    "event": [
        lambda t: t.event.wait(),
        lambda t: t.event.wait(1),
        lambda t: t.event.set(),
        lambda t: t.event.clear(),
        lambda t: t.event.is_set(),
    ],
    "time": [
        lambda t: t.event.wait(1),
        lambda t: t.event.set(),
        lambda t: t.time.monotonic_ns() // 1_000_000_000,
        lambda t: t.time.sleep(2),
    ],
    "barrier": [
        lambda t: t.barrier.wait(),
        lambda t: t.barrier.wait(),
        lambda t: t.barrier.wait(1),
        lambda t: t.barrier.reset(),
        lambda t: t.barrier.abort(),
        lambda t: t.barrier.n_waiting,
        lambda t: t.barrier.broken,
    ],
    "queue": [
        lambda t: t.queue.put(1),
        lambda t: t.queue.put(2, timeout=1),
        lambda t: t.queue.put_nowait(3),
        lambda t: t.queue.get(),
        lambda t: t.queue.get(timeout=1),
        lambda t: t.queue.get_nowait(),
        lambda t: t.queue.task_done(),
        lambda t: t.queue.join(),
        lambda t: t.queue.qsize(),
    ],
    "simple": [
        lambda t: t.simple.put(1),
        lambda t: t.simple.put(2),
        lambda t: t.simple.get(),
        lambda t: t.simple.get(timeout=1),
        lambda t: t.simple.empty(),
    ],
    "future": [
        lambda t: t.future.cancel(),
        lambda t: t.future.set_running_or_notify_cancel(),
        lambda t: t.future.set_result(1),
        lambda t: t.future.result(),
        lambda t: t.future.result(1),
        lambda t: t.future.done(),
        lambda t: len(t.futures.wait([t.future], return_when="FIRST_COMPLETED").done),
        lambda t: t.future.add_done_callback(lambda _future: t.event.set()),
        lambda t: t.event.is_set(),
    ],
    "thread": [
        lambda t: t.other.start(),
        lambda t: t.other.join(),
        lambda t: t.other.join(1),
        lambda t: t.other.is_alive(),
        lambda t: t.threading.active_count(),
        lambda t: t.event.is_set(),
    ],
}
if sys.version_info >= (3, 13):
    ACTIONS["queue"] += [
        lambda t: t.queue.shutdown(),
        lambda t: t.queue.shutdown(immediate=True),
    ]


def random_program(kind: str, seed: int) -> Callable[[Modules], object]:
    """Return a program of two or three tasks that do one to three things each."""
    generator = random.Random(f"{kind} {seed}")
    tasks = generator.choice((2, 2, 3))
    plans = [
        [generator.choice(ACTIONS[kind]) for _ in range(generator.randint(1, 5 - tasks))]
        for _ in range(tasks)
    ]

    def program(m: Modules) -> object:
        things = Things(m)

        def follow(plan: list[Callable[[Things], Any]]) -> object:
            results = []
            for action in plan:
                try:
                    results.append(action(things))
                except Exception as error:  # noqa: BLE001 - part of the outcome
                    results.append(type(error).__name__)
            return results

        return m.together(*[lambda plan=plan: follow(plan) for plan in plans])

    return program


@pytest.mark.parametrize("kind", ACTIONS)
def test_dfs_and_dpor_agree_on_random_programs(kind: str) -> None:
    """The same outcomes and deadlocks, wherever DFS comes to an end."""
    compared = 0
    for seed in range(20):
        plain = explore(random_program(kind, seed), Dfs(), MAX_EXECUTIONS)
        reduced = explore(random_program(kind, seed), Dpor(), MAX_EXECUTIONS)
        if plain.complete:
            compared += 1
            assert plain.outcomes == reduced.outcomes, f"{kind} {seed}"
            assert reduced.executions <= plain.executions, f"{kind} {seed}"
    assert compared > 5

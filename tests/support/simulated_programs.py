"""Random programs on the simulated `threading` and `queue`, from the generator of `random_programs`."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING, Any

import kernel_primitives as kp
from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation import fresh_module, shut_down
from random_programs import Program, Run, random_program

if TYPE_CHECKING:
    from types import ModuleType

SIMULATED_FAMILIES = (
    "variables",
    "locks",
    "plain locks",
    "rlock",
    "semaphores",
    "events",
    "conditions",
    "barrier",
    "queues",
)
"""All families but the one that acts on several targets at once."""


@dataclasses.dataclass(frozen=True)
class SimulatedProgram(Program):
    """The same program on the simulation."""

    def __call__(self) -> SimulatedRun:
        """Return the main function for one execution."""
        return SimulatedRun(self)


class _Lock:
    def __init__(self, lock: Any) -> None:  # noqa: ANN401 - the simulation's
        self.real = lock
        self.acquire = lock.acquire
        self.release = lock.release

    def try_acquire(self) -> bool:
        return bool(self.real.acquire(blocking=False))

    def is_locked(self) -> bool:
        return bool(self.real.locked())


class _Condition:
    def __init__(self, condition: Any) -> None:  # noqa: ANN401
        self._condition = condition
        self.notify = condition.notify

    def wait(self) -> None:
        self._condition.wait()

    wait_in_two_steps = wait_until_woken = wait

    def wait_or_expire(self) -> bool:
        return bool(self._condition.wait(1))


class _Queue:
    def __init__(self, module: ModuleType, capacity: int) -> None:
        self._module = module
        self._queue = module.Queue(capacity)
        self.put = self._queue.put
        self.get = self._queue.get

    @property
    def items(self) -> list[int]:
        return list(self._queue.queue)

    def try_put(self, item: int) -> bool:
        try:
            self._queue.put_nowait(item)
        except self._module.Full:
            return False
        return True

    def try_get(self) -> int | None:
        try:
            return int(self._queue.get_nowait())
        except self._module.Empty:
            return None


class SimulatedRun(Run):
    """One execution on the simulation."""

    def __call__(self) -> None:
        """Make the objects, and run task 0."""
        program = self.program
        kernel = active_kernel()
        threading, queue = fresh_module("threading"), fresh_module("queue")
        self.variables = [kp.Variable(0, name) for name in "xy"]
        self.locks: Any = [_Lock(threading.Lock()) for _ in "AB"]
        self.rlock = threading.RLock()
        self.semaphores: Any = [_Lock(threading.Semaphore(program.semaphore)) for _ in range(2)]
        self.events = [threading.Event() for _ in range(2)]
        self.conditions: Any = [_Condition(threading.Condition(lock.real)) for lock in self.locks]
        self.barrier = threading.Barrier(program.parties)
        self.queues: Any = [_Queue(queue, program.capacity) for _ in range(2)]
        self.threads = [
            threading.Thread(target=self._task, args=(number,), daemon=number in program.daemons)
            for number in range(len(program.bodies))
        ]
        self.kernel = kernel
        self._task(0)
        shut_down()

    def _do_start(self, _: int, other: int) -> None:
        self.threads[other].start()

    def _do_join(self, _: int, other: int) -> None:
        self.threads[other].join()


def simulated(program: Program) -> SimulatedProgram:
    """Return the same program on the simulation."""
    fields = {field.name: getattr(program, field.name) for field in dataclasses.fields(program)}
    return SimulatedProgram(**fields)


def random_simulated_program(seed: str) -> SimulatedProgram:
    """Return a random program on one or two kinds of primitives, most with shared variables."""
    source = random.Random(seed)
    families = tuple(source.sample(SIMULATED_FAMILIES, source.choice((1, 1, 2))))
    if source.random() < 0.6:
        families = (*families, "variables")
    return simulated(random_program(seed, 4, families))

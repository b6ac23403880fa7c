"""`multiprocessing.synchronize` for a program under check: each public name of the real module."""

from parallel_cookbook.simulation.processes.conditions import Barrier, Condition, Event
from parallel_cookbook.simulation.processes.semlocks import (
    SEM_VALUE_MAX,
    BoundedSemaphore,
    Lock,
    RLock,
    Semaphore,
    SemLock,
)

__all__ = [
    "SEM_VALUE_MAX",
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Event",
    "Lock",
    "RLock",
    "SemLock",
    "Semaphore",
]

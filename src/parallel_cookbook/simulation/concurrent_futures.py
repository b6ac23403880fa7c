"""`concurrent.futures`, its `_base` and its `thread`, for a program under check: pools.

See `simulation/futures.py` and `simulation/pools.py`; `processes/executor.py` for pools of processes.
"""

from __future__ import annotations

from concurrent.futures import _base as _real
from concurrent.futures.thread import BrokenThreadPool
from typing import Final

from parallel_cookbook.simulation.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    LOGGER,
    BrokenExecutor,
    CancelledError,
    DoneAndNotDoneFutures,
    Future,
    InvalidStateError,
    as_completed,
    wait,
)
from parallel_cookbook.simulation.pools import Executor, ThreadPoolExecutor
from parallel_cookbook.simulation.processes.executor import BrokenProcessPool, ProcessPoolExecutor

TimeoutError: Final = _real.TimeoutError  # noqa: A001 - CPython's name

PENDING, RUNNING = _real.PENDING, _real.RUNNING
CANCELLED, CANCELLED_AND_NOTIFIED = _real.CANCELLED, _real.CANCELLED_AND_NOTIFIED
FINISHED = _real.FINISHED

__all__ = [
    "ALL_COMPLETED",
    "CANCELLED",
    "CANCELLED_AND_NOTIFIED",
    "FINISHED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "LOGGER",
    "PENDING",
    "RUNNING",
    "BrokenExecutor",
    "BrokenProcessPool",
    "BrokenThreadPool",
    "CancelledError",
    "DoneAndNotDoneFutures",
    "Executor",
    "Future",
    "InvalidStateError",
    "ProcessPoolExecutor",
    "ThreadPoolExecutor",
    "TimeoutError",
    "as_completed",
    "wait",
]

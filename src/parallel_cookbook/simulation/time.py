"""`time` for a program under check: a virtual now, and sleeps that cost nothing.

Guarantees: to sleep is one step, which never blocks; to look at any of the clocks is one step, which
conflicts with each sleep and each time-out that can expire. The clocks advance by what is slept, and a
little with each look. Conversions and formats are the real module's. See `simulation/clock.py`.
"""

from __future__ import annotations

import time as _real
from typing import Any

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.builtin import builtin
from parallel_cookbook.simulation.clock import NANOSECONDS, clock_of
from parallel_cookbook.simulation.clock import sleep as _sleep


@builtin
def sleep(_module: str, seconds: float, /) -> None:
    """Let virtual time pass. One step.

    Raises what the real function raises for this argument.
    """
    if not (type(seconds) in (int, float) and 0 <= seconds < 1 << 32):
        _check_sleep(seconds)
    _sleep(active_kernel(), seconds)


def _check_sleep(seconds: Any) -> None:  # noqa: ANN401
    """Raise the real function's error for a bad duration, without sleeping for a good one."""
    if seconds < 0:
        _real.sleep(-1)
    _real.sleep(seconds if isinstance(seconds, str) or not hasattr(seconds, "__index__") else 0)


@builtin
def monotonic_ns(_module: str) -> int:
    """Return the nanoseconds since the execution began. One step."""
    kernel = active_kernel()
    return clock_of(kernel).read(kernel)


@builtin
def monotonic(_module: str) -> float:
    """Return the seconds since the execution began. One step."""
    return monotonic_ns() / NANOSECONDS


@builtin
def time_ns(_module: str) -> int:
    """Return the nanoseconds since 1970. One step."""
    kernel = active_kernel()
    return clock_of(kernel).read_wall(kernel)


@builtin
def time(_module: str) -> float:
    """Return the seconds since 1970. One step."""
    return time_ns() / NANOSECONDS


perf_counter = process_time = thread_time = monotonic
perf_counter_ns = process_time_ns = thread_time_ns = monotonic_ns


@builtin
def clock_gettime_ns(_module: str, clock: int, /) -> int:
    """Return what the clock of that number says. One step."""
    _real.clock_gettime_ns(clock)
    return time_ns() if clock == _real.CLOCK_REALTIME else monotonic_ns()


@builtin
def clock_gettime(_module: str, clock: int, /) -> float:
    """Return what the clock of that number says, in seconds. One step."""
    return clock_gettime_ns(clock) / NANOSECONDS


@builtin
def localtime(_module: str, seconds: float | None = None, /) -> _real.struct_time:
    """Convert seconds since 1970, by default now, to local time."""
    return _real.localtime(time() if seconds is None else seconds)


@builtin
def gmtime(_module: str, seconds: float | None = None, /) -> _real.struct_time:
    """Convert seconds since 1970, by default now, to UTC."""
    return _real.gmtime(time() if seconds is None else seconds)


@builtin
def ctime(_module: str, seconds: float | None = None, /) -> str:
    """Write out seconds since 1970, by default now, as local time."""
    return _real.ctime(time() if seconds is None else seconds)


@builtin
def asctime(_module: str, moment: Any = None, /) -> str:  # noqa: ANN401
    """Write out a moment, by default now."""
    return _real.asctime(localtime() if moment is None else moment)


@builtin
def strftime(_module: str, form: str, moment: Any = None, /) -> str:  # noqa: ANN401
    """Write out a moment, by default now, in the given form."""
    return _real.strftime(form, localtime() if moment is None else moment)


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Take all else from the real module: conversions, constants, types."""
    return getattr(_real, name)

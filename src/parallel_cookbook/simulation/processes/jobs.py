"""What a pool was asked for: jobs, each of some parts, and what comes of them.

Guarantees: a part is one task of the pool's workers. Functions, arguments and results are pickled, and fail
as in life: at `get()`. A result is delivered in one step of its worker; to wait for it is one step. It is
unpickled when it is first asked for.

What CPython does: Lib/multiprocessing/pool.py.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import itertools
from multiprocessing import TimeoutError  # noqa: A004 - CPython's name
from multiprocessing.pool import (  # type: ignore[attr-defined]  # not in the stubs
    ExceptionWithTraceback,
    MaybeEncodingError,
)
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.processes.crew import Outcome, Task, pickled

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel.operation import Target
    from parallel_cookbook.simulation.processes.crew import Crew

# Whatever the program computes, of any type.
# ruff: noqa: ANN401


def is_done(state: int) -> bool:
    """Whether the place of a result is filled."""
    return state > 0


class Work:
    """What a worker calls: a function on one tuple of arguments, or on each of a chunk."""

    def __init__(self, function: Any, calls: Any, kwargs: Any, kind: str) -> None:
        self.function = function
        self.calls = calls
        self.kwargs = kwargs
        self.kind = kind

    def __call__(self, dumps: Callable[[Any], Any]) -> Outcome:
        """Make the calls; return what came of them, pickled, as CPython's workers do."""
        result: Any
        try:
            is_good, result = True, self.result()
        except Exception as error:  # noqa: BLE001 - whatever the program raises
            is_good, result = False, error
            if dumps is pickled:
                result = ExceptionWithTraceback(error, error.__traceback__)
        try:
            return is_good, dumps(result)
        except Exception as error:  # noqa: BLE001 - whatever pickling raises
            return False, dumps(MaybeEncodingError(error, result))

    def result(self) -> Any:
        """Return the result of the one call, or a list of those of all."""
        if self.kind == "apply":
            return self.function(*self.calls, **self.kwargs)
        if self.kind == "star":
            return [self.function(*args) for args in self.calls]
        return [self.function(item) for item in self.calls]


class Part(Task):
    """One chunk of a job."""

    def __init__(self, job: Job, number: int, work: Work | None) -> None:
        self.job = job
        self.number = number
        self.work = work
        self.place = active_kernel().new_target("result")
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None

    def pickled(self) -> BaseException | None:
        """Pickle the work; return what that has raised, if anything."""
        try:
            self.data = self.job.crew.dumps(self.work)
        except Exception as error:  # noqa: BLE001 - whatever pickling raises
            return error
        finally:
            self.work = None
        return None

    def fail(self, error: BaseException) -> None:
        """Take an error for its outcome, in the process that has submitted it."""
        self.error = error
        self.place.state = 1
        self.job.note(self, is_good=False)

    def targets(self, is_good: bool) -> tuple[Target, ...]:
        """Return what a delivery writes."""
        return self.job.targets_of(self, is_good=is_good)

    def deliver(self, outcome: Outcome) -> None:
        """Take what came of it; who calls back takes it instead, if there is anything to call."""
        self.outcome = outcome
        if self.job.callbacks is not None:
            self.job.crew.follow_ups().add(self.call_back)
        else:
            self.place.state = 1
        self.job.note(self, is_good=outcome[0])

    def call_back(self) -> None:
        """Call back, if it is the last part of the job, and finish it then."""
        job = self.job
        assert job.callbacks is not None  # noqa: S101 - or nobody would call
        job.arrived += 1
        if job.arrived == len(job.parts):
            job.call_back()
        active_kernel().point(Operation("finish", self.place))
        self.place.state = 1

    def value(self) -> Any:
        """Return the result, or raise what the call has raised."""
        if self.error is None and self.outcome is not None:
            is_good, data = self.outcome
            loaded = self.job.crew.loads(data)
            if is_good:
                return loaded
            self.error = loaded
        assert self.error is not None  # noqa: S101 - it has an outcome
        raise self.error


class Job:
    """What a pool was asked for at once: some parts, and what they come to."""

    def __init__(self, crew: Crew, works: list[Work], callbacks: Any = None) -> None:
        kernel = self._kernel = active_kernel()
        self.crew = crew
        self.failures = kernel.new_target("failures")
        self.arrivals: Target | None = None
        self.is_ordered = False
        self.failed: Part | None = None
        """The part that was the first to fail."""
        self.order: list[Part] = []
        """The parts in the order in which they have come."""
        self.arrived = 0
        self.callbacks = callbacks if callbacks and any(callbacks) else None
        self.parts = [Part(self, number, work) for number, work in enumerate(works)]
        if self.callbacks is not None:
            crew.follow_ups()

    def targets_of(self, part: Part, *, is_good: bool) -> tuple[Target, ...]:
        """Return what the delivery of a part writes."""
        more: tuple[Target, ...] = () if is_good or self.is_ordered else (self.failures,)
        if self.arrivals is not None:
            more += (self.arrivals,)
        if self.callbacks is not None:
            more += (self.crew.follow_ups().target,)
            return more
        return (part.place, *more)

    def submit(self) -> None:
        """Let the workers have the parts. One step."""
        ready: list[Task] = []
        for part in self.parts:
            error = part.pickled()
            if error is None:
                ready.append(part)
            else:
                part.fail(error)
        if self.callbacks is not None:
            for part in self.parts:
                if part not in ready:
                    part.place.state = 0
                    self.crew.follow_ups().add(part.call_back)
        if ready:
            self.crew.submit(ready)

    def note(self, part: Part, *, is_good: bool) -> None:
        """Note that an outcome has come, in the step that brings it."""
        self.order.append(part)
        if not is_good and self.failed is None:
            self.failed = part
        if self.arrivals is not None:
            self.arrivals.state += 1

    def call_back(self) -> None:
        """Call what is to be called with the result, or with the exception."""
        raise NotImplementedError


class AsyncResult(Job):
    """What will come of `apply_async`; see `multiprocessing.pool.AsyncResult`."""

    __module__ = "multiprocessing.pool"

    _known: tuple[bool, Any] | None = None

    def ready(self) -> bool:
        """Whether it has come. One step."""
        if not self.parts:
            return True
        first, *others = (part.place for part in self.parts)
        more = tuple((place, Mode.READ, None) for place in others)
        self._kernel.point(Operation("look at", first, Mode.READ, None, more))
        return self._is_complete()

    def _is_complete(self, _state: int = 0) -> bool:
        return all(part.place.state for part in self.parts)

    def successful(self) -> bool:
        """Whether nothing was raised. Raises ValueError if it has not come. One step."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        return self.failed is None

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has come, or for `timeout` seconds. One step."""
        if not self.parts:
            return
        first, *others = (part.place for part in self.parts)
        if timeout is None:
            more = tuple((place, Mode.READ, is_done) for place in others)
            self._kernel.point(Operation("wait for", first, Mode.READ, is_done, more))
            return
        operation = timed(
            self._kernel, "wait for", first, Mode.READ, self._is_complete, max(timeout, 0)
        )
        for place in others:
            operation = operation.extended((place, Mode.READ, None))
        self._kernel.point(operation)
        if not self._is_complete():
            expire(self._kernel, operation)

    def get(self, timeout: float | None = None) -> Any:
        """Wait for the result and return it, or raise what was raised. One step.

        Raises `multiprocessing.TimeoutError` if it does not come within `timeout` seconds.
        """
        self.wait(timeout)
        if not self._is_complete():
            raise TimeoutError
        is_good, value = self._outcome()
        if is_good:
            return value
        raise value

    def _outcome(self) -> tuple[bool, Any]:
        """Return whether it went well, and the result or the exception: the same object each time."""
        if self._known is None:
            try:
                if self.failed is not None:
                    self.failed.value()
                self._known = (True, self._value())
            except Exception as error:  # noqa: BLE001 - whatever the call has raised
                self._known = (False, error)
        return self._known

    def _value(self) -> Any:
        return self.parts[0].value()

    def call_back(self) -> None:
        """Call the callback or the error_callback."""
        assert self.callbacks is not None  # noqa: S101 - or nobody would call
        is_good, value = self._outcome()
        function = self.callbacks[0 if is_good else 1]
        if function:
            function(value)


ApplyResult = AsyncResult


class MapResult(AsyncResult):
    """What will come of `map_async`; see `multiprocessing.pool.MapResult`."""

    __module__ = "multiprocessing.pool"

    def _value(self) -> Any:
        return list(itertools.chain.from_iterable(part.value() for part in self.parts))

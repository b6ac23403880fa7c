"""Future, wait and as_completed of `concurrent.futures`.

Guarantees: each method of a Future is one step, and so is waiting for all of several. To wait for the
first of several is two steps, to look at them and to wait; then each that finishes tells the waiter in a
step of its own. Callbacks run after the step that finishes the future, in the task that took it.

Targets: one for each future, whose state is one of the five below; one for each waiter, whose state is
the number of futures that it has been told of and not taken.

What CPython does: Lib/concurrent/futures/_base.py.
"""

from __future__ import annotations

import types
from concurrent.futures import _base as _real
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parallel_cookbook.kernel import Target

FIRST_COMPLETED = _real.FIRST_COMPLETED
FIRST_EXCEPTION = _real.FIRST_EXCEPTION
ALL_COMPLETED = _real.ALL_COMPLETED
CancelledError = _real.CancelledError
InvalidStateError = _real.InvalidStateError
BrokenExecutor = _real.BrokenExecutor
DoneAndNotDoneFutures: Any = _real.DoneAndNotDoneFutures
LOGGER = _real.LOGGER

PENDING, RUNNING, CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED = range(5)
_NAMES = ("PENDING", "RUNNING", "CANCELLED", "CANCELLED_AND_NOTIFIED", "FINISHED")
_DESCRIPTIONS = ("pending", "running", "cancelled", "cancelled", "finished")


def _is_done(state: int) -> bool:
    return state >= CANCELLED


def _is_finished(state: int) -> bool:
    return state >= CANCELLED_AND_NOTIFIED


def _is_positive(state: int) -> bool:
    return state > 0


class Future:
    """What will come of a call; see `concurrent.futures.Future`."""

    __module__ = "concurrent.futures._base"

    def __init__(self) -> None:
        kernel = self._kernel = active_kernel()
        self._target = kernel.new_target("future")
        self._result: Any = None
        self._exception: BaseException | None = None
        self._waiters: list[_Waiter] = []
        self._done_callbacks: list[Callable[[Future], object]] = []

    def __hash__(self) -> int:
        # Not by address: a program that goes through a set of futures does the same each time.
        return self._target.uid

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def _state(self) -> str:
        return _NAMES[self._target.state]

    @_state.setter
    def _state(self, name: str) -> None:
        self._target.state = _NAMES.index(name)

    def __repr__(self) -> str:
        state = self._target.state
        text = f"<{type(self).__name__} at {id(self):#x} state={_DESCRIPTIONS[state]}"
        if state != FINISHED:
            return f"{text}>"
        if self._exception:
            return f"{text} raised {type(self._exception).__name__}>"
        return f"{text} returned {type(self._result).__name__}>"

    # --- for who waits --------------------------------------------------------------------------

    def cancel(self) -> bool:
        """Cancel it unless it runs or has finished; return whether it is cancelled. One step."""
        kernel, target = self._kernel, self._target
        if kernel.is_unwinding:
            return False
        kernel.point(Operation("cancel", target))
        if target.state in (RUNNING, FINISHED):
            return False
        if target.state == PENDING:
            target.state = CANCELLED
            self._invoke_callbacks()
        return True

    def _look(self) -> int:
        self._kernel.point(Operation("look at", self._target, Mode.READ))
        return self._target.state

    def cancelled(self) -> bool:
        """Whether it was cancelled. One step."""
        return self._look() in (CANCELLED, CANCELLED_AND_NOTIFIED)

    def running(self) -> bool:
        """Whether it runs. One step."""
        return self._look() == RUNNING

    def done(self) -> bool:
        """Whether it has finished or was cancelled. One step."""
        return self._look() >= CANCELLED

    def _wait(self, timeout: float | None) -> None:
        """Wait until it is done, or for `timeout` seconds."""
        kernel, target = self._kernel, self._target
        if timeout is None:
            kernel.point(Operation("wait for", target, Mode.READ, _is_done))
        else:
            operation = timed(kernel, "wait for", target, Mode.READ, _is_done, timeout)
            kernel.point(operation)
            if not _is_done(target.state):
                expire(kernel, operation)
                raise TimeoutError
        if target.state != FINISHED:
            raise CancelledError

    def result(self, timeout: float | None = None) -> Any:  # noqa: ANN401
        """Wait for the result and return it, or raise what the call has raised. One step.

        Raises CancelledError if it was cancelled, TimeoutError if it is not done within `timeout` seconds.
        """
        self._wait(timeout)
        if self._exception is not None:
            try:
                raise self._exception
            finally:
                # As CPython does: the traceback refers to this frame, which refers to the future.
                del self
        return self._result

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end; return what the call has raised, None if nothing. One step.

        Raises CancelledError if it was cancelled, TimeoutError if it is not done within `timeout` seconds.
        """
        self._wait(timeout)
        return self._exception

    def add_done_callback(self, fn: Callable[[Future], object]) -> None:
        """Have `fn` called with the future when it is done, at once if it is. One step."""
        self._kernel.point(Operation("add callback to", self._target))
        if not _is_done(self._target.state):
            self._done_callbacks.append(fn)
            return
        self._call_back(fn)

    def _call_back(self, fn: Callable[[Future], object]) -> None:
        try:
            fn(self)
        except Exception:
            LOGGER.exception("exception calling callback for %r", self)

    def _invoke_callbacks(self) -> None:
        for fn in self._done_callbacks:
            self._call_back(fn)

    # --- for who does the work ------------------------------------------------------------------

    def set_running_or_notify_cancel(self) -> bool:
        """Mark it as running; return whether it was not cancelled. One step."""
        target = self._target
        self._kernel.point(Operation("start work on", target))
        if target.state == PENDING:
            target.state = RUNNING
            return True
        if target.state == CANCELLED:
            target.state = CANCELLED_AND_NOTIFIED
            self._tell_waiters()
            return False
        LOGGER.critical("Future %s in unexpected state: %s", id(self), self._state)
        raise RuntimeError("Future in unexpected state")

    def set_result(self, result: Any) -> None:  # noqa: ANN401
        """Finish it with a result. One step, and one for each waiter."""
        self._finish(result, None)

    def set_exception(self, exception: BaseException | None) -> None:
        """Finish it with an exception. One step, and one for each waiter."""
        self._finish(None, exception)

    def _finish(self, result: Any, exception: BaseException | None) -> None:  # noqa: ANN401
        target = self._target
        if self._kernel.is_unwinding:
            return
        self._kernel.point(Operation("finish", target))
        if _is_done(target.state):
            raise InvalidStateError(f"{self._state}: {self!r}")
        self._result = result
        self._exception = exception
        target.state = FINISHED
        self._tell_waiters()
        self._invoke_callbacks()

    def _tell_waiters(self) -> None:
        for waiter in list(self._waiters):
            waiter.tell(self)

    __class_getitem__ = classmethod(types.GenericAlias)  # type: ignore[var-annotated]


class _Waiter:
    """Who waits for the first of several futures."""

    def __init__(self, futures: list[Future]) -> None:
        """Look at the futures, and wait with those that have not finished. One step."""
        kernel = self._kernel = active_kernel()
        self._target: Target = kernel.new_target("waiter")
        self._told: list[Future] = []
        self.is_over = False
        """Whether nobody listens any more. It changes no outcome, only what is kept alive."""
        parts = tuple((future._target, Mode.READ, None) for future in futures)  # noqa: SLF001
        kernel.point(Operation("wait for", self._target, Mode.WRITE, None, parts))
        self.finished = [future for future in futures if _is_finished(future._target.state)]  # noqa: SLF001
        self.pending = [future for future in futures if future not in self.finished]
        for future in self.pending:
            future._waiters.append(self)  # noqa: SLF001

    def tell(self, future: Future) -> None:
        """Learn that `future` has finished. One step."""
        self._kernel.point(Operation("tell", self._target))
        if self.is_over:
            return
        self._told.append(future)
        self._target.state += 1

    def end(self) -> None:
        """Listen no more, and forget the futures."""
        self.is_over = True
        self.pending = []

    def take(self, timeout: float | None) -> list[Future]:
        """Wait until told of at least one more; return them, none after `timeout` seconds. One step."""
        kernel, target = self._kernel, self._target
        if timeout is None:
            kernel.point(Operation("wait for", target, Mode.WRITE, _is_positive))
        else:
            operation = timed(kernel, "wait for", target, Mode.WRITE, _is_positive, timeout)
            kernel.point(operation)
            if not target.state:
                expire(kernel, operation)
        told, self._told = self._told, []
        target.state = 0
        self.pending = [future for future in self.pending if future not in told]
        return told


def _without_repetitions(futures: Iterable[Future]) -> list[Future]:
    return list(dict.fromkeys(futures))


def wait(
    fs: Iterable[Future], timeout: float | None = None, return_when: str = ALL_COMPLETED
) -> Any:  # noqa: ANN401 - CPython's own named tuple
    """Wait for all of the futures, or the first, or the first that fails, or for `timeout` seconds.

    Returns the set of those that have finished and the set of the others.
    """
    futures = _without_repetitions(fs)
    if return_when not in (ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION):
        raise ValueError(f"Invalid return condition: {return_when!r}")
    if not futures:
        return DoneAndNotDoneFutures(set(), set())
    if return_when == ALL_COMPLETED:
        _wait_for_all(futures, timeout)
        done = {future for future in futures if _is_finished(future._target.state)}  # noqa: SLF001
        return DoneAndNotDoneFutures(done, set(futures) - done)
    waiter = _Waiter(futures)
    done = set(waiter.finished)

    def is_enough(finished: Iterable[Future]) -> bool:
        if return_when == FIRST_COMPLETED:
            return any(True for _ in finished)
        return any(future._exception is not None for future in finished)  # noqa: SLF001

    enough = is_enough(done)
    while not enough and waiter.pending:
        told = waiter.take(timeout)
        done.update(told)
        enough = not told or is_enough(told)
    waiter.end()
    return DoneAndNotDoneFutures(done, set(futures) - done)


def _wait_for_all(futures: list[Future], timeout: float | None) -> None:
    """Wait until all have finished, or for `timeout` seconds. One step."""
    kernel = active_kernel()
    targets = [future._target for future in futures]  # noqa: SLF001
    if timeout is None:
        more = tuple((target, Mode.READ, _is_finished) for target in targets[1:])
        kernel.point(Operation("wait for", targets[0], Mode.READ, _is_finished, more))
        return

    def all_are(_state: int) -> bool:
        return all(_is_finished(target.state) for target in targets)

    operation = timed(kernel, "wait for", targets[0], Mode.READ, all_are, timeout)
    for target in targets[1:]:
        operation = operation.extended((target, Mode.READ, None))
    kernel.point(operation)
    if not all_are(0):
        expire(kernel, operation)


def as_completed(fs: Iterable[Future], timeout: float | None = None) -> Iterator[Future]:
    """Yield the futures as they finish; raise TimeoutError if that takes more than `timeout` seconds."""
    waiter = _Waiter(_without_repetitions(fs))
    del fs
    total = len(waiter.finished) + len(waiter.pending)
    try:
        # Nothing refers to a future that has been handed out.
        while waiter.finished:
            yield waiter.finished.pop(0)
        while waiter.pending:
            told = waiter.take(timeout)
            if not told:
                raise TimeoutError(f"{len(waiter.pending)} (of {total}) futures unfinished")
            while told:
                yield told.pop(0)
    finally:
        waiter.end()

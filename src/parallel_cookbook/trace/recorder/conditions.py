"""Record conditions, semaphores, events and barriers of threads.

Those that the library makes for itself (a queue's, a thread's) are left alone.
"""

from __future__ import annotations

from _thread import get_ident
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import (
    ACQUIRE,
    BARRIER,
    CLEAR,
    IN_VAIN,
    NOTIFY,
    RELEASE,
    SET,
    WAIT,
)
from parallel_cookbook.trace.recorder.locks import Lock, RLock, make_rlock
from parallel_cookbook.trace.recorder.patching import replaces
from parallel_cookbook.trace.recorder.places import getframe, place, place_above, seek
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.things import Local, new_thing
from parallel_cookbook.trace.recorder.waiting import inside, made_by_program, mark, thing_of, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Barrier, Condition, Event, Semaphore
    from typing import Any

    Function = Callable[..., Any]

__tracebackhide__ = True
_RECORDED = (Lock, RLock)
"""The types of locks that the program's conditions have, and no condition of the library's."""


@replaces("threading", "Condition.__init__")
def _make_condition(original: Function) -> Function:
    def __init__(self: Condition, lock: Any = None) -> None:
        site = made_by_program(self, getframe(1))
        if site and lock is None:
            lock = make_rlock(site, suffix=".lock")
        original(self, lock)
        if site:
            vars(self)["_cookbook_thing"] = Local(new_thing("condition", site))

    return __init__


@replaces("threading", "Condition.__enter__")
def _enter_condition(original: Function) -> Function:
    def __enter__(self: Any) -> Any:
        lock = self._lock
        if type(lock) in _RECORDED:
            return lock.take(place(getframe(1)))
        return original(self)

    return __enter__


@replaces("threading", "Condition.__exit__")
def _exit_condition(original: Function) -> Function:
    def __exit__(self: Any, *arguments: Any) -> Any:
        lock = self._lock
        if type(lock) in _RECORDED:
            lock.let_go(place(getframe(1)))
            return None
        return original(self, *arguments)

    return __exit__


@replaces("threading", "Condition.wait")
def _wait_for_condition(original: Function) -> Function:
    def wait_(self: Condition, timeout: float | None = None) -> bool:
        thing = thing_of(self)
        if not thing:
            return bool(original(self, timeout))
        site = place_above(getframe(1))
        return bool(
            wait(
                *(WAIT, thing, site, original, self, timeout),
                is_endless=timeout is None,
                succeeded=bool,
            )
        )

    return wait_


@replaces("threading", "Condition.notify")
def _notify(original: Function) -> Function:
    def notify(self: Condition, n: int = 1) -> None:
        thing = thing_of(self)
        site = thing and place(getframe(1))
        if site:
            moment = monotonic_ns()
            original(self, n)
            tape.write(NOTIFY, thing, site, n, 0, moment)
        else:
            original(self, n)

    return notify


@replaces("threading", "Condition.notify_all")
def _notify_all(original: Function) -> Function:
    def notify_all(self: Condition) -> None:
        thing = thing_of(self)
        moment = monotonic_ns()
        original(self)
        if thing:
            tape.write(NOTIFY, thing, place_above(getframe(1)), -1, 0, moment)

    return notify_all


@replaces("threading", "Semaphore.__init__", "BoundedSemaphore.__init__")
def _make_semaphore(original: Function) -> Function:
    def __init__(self: Semaphore, value: int = 1) -> None:
        original(self, value)
        if not thing_of(self):
            mark(self, "semaphore", getframe(1), value)

    return __init__


@replaces("threading", "Semaphore.acquire", "Semaphore.__enter__")
def _acquire_semaphore(original: Function) -> Function:
    def acquire(self: Any, blocking: bool = True, timeout: float | None = None) -> bool:
        thing = thing_of(self)
        if not thing:
            return bool(original(self, blocking, timeout))
        site = seek(getframe(1))
        if timeout is None:
            if original(self, False):
                tape.write(ACQUIRE, thing, site, self._value)
                return True
            if not blocking:
                tape.write(ACQUIRE, thing, site, 0, IN_VAIN)
                return False
        return bool(
            wait(
                *(ACQUIRE, thing, site, original, self, blocking, timeout),
                is_endless=blocking and timeout is None,
                succeeded=bool,
                measure=lambda _: self._value,
            )
        )

    return acquire


@replaces("threading", "Semaphore.release", "BoundedSemaphore.release")
def _release_semaphore(original: Function) -> Function:
    def release(self: Any, n: int = 1) -> None:
        thing = thing_of(self)
        moment = monotonic_ns()
        original(self, n)
        frame = getframe(1)
        if thing and frame.f_code.co_name != "__exit__":  # which tells of it itself
            tape.write(RELEASE, thing, seek(frame), self._value, 0, moment)

    return release


@replaces("threading", "Semaphore.__exit__")
def _exit_semaphore(original: Function) -> Function:
    def __exit__(self: Any, *arguments: Any) -> None:
        thing = thing_of(self)
        moment = monotonic_ns()
        original(self, *arguments)
        if thing:
            tape.write(RELEASE, thing, place_above(getframe(1)), self._value, 0, moment)

    return __exit__


@replaces("threading", "Event.__init__")
def _make_event(original: Function) -> Function:
    def __init__(self: Event) -> None:
        original(self)
        mark(self, "event", getframe(1))

    return __init__


@replaces("threading", "Event.wait")
def _wait_for_event(original: Function) -> Function:
    def wait_(self: Event, timeout: float | None = None) -> bool:
        thing = thing_of(self)
        if not thing and (get_ident() in inside or self.is_set()):
            return bool(original(self, timeout))
        # The library's own, waited for outside of a recorded operation: a Timer, an iterator of results.
        site = place_above(getframe(1))
        return bool(
            wait(
                *(WAIT, thing, site, original, self, timeout),
                is_endless=timeout is None,
                succeeded=bool,
            )
        )

    return wait_


@replaces("threading", "Event.set")
def _set_event(original: Function) -> Function:
    def set_(self: Event) -> None:
        moment = monotonic_ns()
        original(self)
        thing = thing_of(self)
        if thing:
            tape.write(SET, thing, place_above(getframe(1)), 0, 0, moment)

    return set_


@replaces("threading", "Event.clear")
def _clear_event(original: Function) -> Function:
    def clear(self: Event) -> None:
        original(self)
        thing = thing_of(self)
        if thing:
            tape.write(CLEAR, thing, place_above(getframe(1)))

    return clear


@replaces("threading", "Barrier.__init__")
def _make_barrier(original: Function) -> Function:
    def __init__(self: Barrier, parties: int, *arguments: Any, **options: Any) -> None:
        original(self, parties, *arguments, **options)
        mark(self, "barrier", getframe(1), parties)

    return __init__


@replaces("threading", "Barrier.wait")
def _wait_at_barrier(original: Function) -> Function:
    def wait_(self: Barrier, timeout: float | None = None) -> int:
        thing = thing_of(self)
        site = place_above(getframe(1))
        return int(
            wait(
                *(BARRIER, thing, site, original, self, timeout),
                is_endless=timeout is None and vars(self).get("_timeout") is None,
                measure=int,
            )
        )

    return wait_

"""Record what processes share: locks, semaphores, conditions, events, Values.

Each has a key, so that all processes' records of it come together: the name of its semaphore, which a
spawned child is given, or, where it has none because children are forked, one of ours, which they inherit.
"""

from __future__ import annotations

from _thread import get_ident
from itertools import count
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import (
    ACQUIRE,
    CLEAR,
    IN_VAIN,
    NOTIFY,
    RELEASE,
    REQUEST,
    SET,
    WAIT,
)
from parallel_cookbook.trace.recorder.patching import replaces
from parallel_cookbook.trace.recorder.places import getframe, place, place_above
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.things import Local, define_thing, next_thing
from parallel_cookbook.trace.recorder.waiting import as_a_whole, inside, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Function = Callable[..., Any]

__tracebackhide__ = True
_next_key = count().__next__
_KINDS = {
    "Lock": "lock",
    "RLock": "rlock",
    "Semaphore": "semaphore",
    "BoundedSemaphore": "semaphore",
    "Condition": "condition",
    "Event": "event",
    "Barrier": "barrier",
}


def key_of(semaphore: Any) -> str:
    """Return what names a SemLock in all processes."""
    known = vars(semaphore).get("_cookbook_key")
    if known is None:
        name = getattr(semaphore._semlock, "name", None)
        known = name or f"{tape.stem}/{_next_key()}"
        vars(semaphore)["_cookbook_key"] = known
    return str(known)


def shared_thing(
    self: Any, semaphore: Any, kind: str = "", site: int = 0, capacity: int = 0, suffix: str = ""
) -> int:
    """Return the number of something shared that `semaphore` belongs to; define it at first."""
    words = vars(self)
    thing = words.get("_cookbook_thing")
    if not thing:
        kind = kind or _kind_of(self)
        words["_cookbook_thing"] = thing = Local(next_thing())
        define_thing(thing, kind, site, capacity, f"{kind}:{key_of(semaphore)}", suffix)
    return int(thing)


def _kind_of(self: Any) -> str:
    for base in type(self).__mro__:
        if base.__name__ in _KINDS:
            return _KINDS[base.__name__]
    return "lock"


@replaces("multiprocessing.synchronize", "SemLock.__init__")
def _make_semaphore(original: Function) -> Function:
    def __init__(self: Any, kind: int, value: int, maxvalue: int, *, ctx: Any) -> None:
        original(self, kind, value, maxvalue, ctx=ctx)
        key_of(self)
        site = get_ident() not in inside and place_above(getframe(1))
        if site:
            shared_thing(self, self, "", site, value if _kind_of(self) == "semaphore" else 0)

    return __init__


@replaces("multiprocessing.synchronize", "SemLock._make_methods")
def _make_methods(_original: Function) -> Function:
    def _make_methods(self: Any) -> None:
        """Leave `acquire` and `release` to the class, where ours are."""

    return _make_methods


def _take(self: Any, frame: Any, block: bool, timeout: float | None) -> bool:
    semlock = self._semlock
    site = place(frame)
    if not site:
        return bool(semlock.acquire(block, timeout))
    thing = shared_thing(self, self)
    return take_at(self, thing, site, block, timeout)


def take_at(
    self: Any, thing: int, site: int, block: bool = True, timeout: float | None = None
) -> bool:
    """Acquire a SemLock for the program's line `site`."""
    semlock = self._semlock
    if semlock.acquire(False):
        tape.write(ACQUIRE, thing, site, _level(self))
        return True
    if not block:
        tape.write(ACQUIRE, thing, site, 0, IN_VAIN)
        return False
    began = monotonic_ns()
    request = REQUEST if timeout is None else REQUEST | IN_VAIN
    tape.write(ACQUIRE, thing, site, 0, request, began)
    got = False
    try:
        got = semlock.acquire(block, timeout)
    finally:
        level = _level(self) if got else 0
        tape.write_long(ACQUIRE, began, thing, site, level, 0 if got else IN_VAIN)
    return bool(got)


def let_go_at(self: Any, thing: int, site: int) -> None:
    """Release a SemLock for the program's line `site`."""
    moment = monotonic_ns()
    self._semlock.release()
    tape.write(RELEASE, thing, site, _level(self), 0, moment)


def _level(self: Any) -> int:
    """How deep a lock is held, how many places of a semaphore are left."""
    if _kind_of(self) != "semaphore":
        return int(self._semlock._count())
    try:
        return int(self._semlock._get_value())
    except NotImplementedError:  # macOS
        return -1


@replaces("multiprocessing.synchronize", "SemLock.__enter__")
def _enter(_original: Function) -> Function:
    def __enter__(self: Any) -> bool:
        return _take(self, getframe(1), True, None)

    return __enter__


@replaces("multiprocessing.synchronize", "SemLock.__exit__")
def _exit(_original: Function) -> Function:
    def __exit__(self: Any, *_arguments: Any) -> None:
        site = place(getframe(1))
        if site:
            let_go_at(self, shared_thing(self, self), site)
        else:
            self._semlock.release()

    return __exit__


def _acquire(self: Any, block: bool = True, timeout: float | None = None) -> bool:
    return _take(self, getframe(1), block, timeout)


def _release(self: Any) -> None:
    site = place(getframe(1))
    if site:
        let_go_at(self, shared_thing(self, self), site)
    else:
        self._semlock.release()


@replaces("multiprocessing.synchronize", "SemLock")
def _semlock(original: Any) -> Any:
    """Give the class the methods that its instances had for themselves."""
    original.acquire = _acquire
    original.release = _release
    return original


@replaces("multiprocessing.synchronize", "Condition.__init__")
def _make_condition(original: Function) -> Function:
    def __init__(self: Any, lock: Any = None, *, ctx: Any) -> None:
        with as_a_whole() as is_whole:
            original(self, lock, ctx=ctx)
        site = is_whole and place_above(getframe(1))
        if site:
            if lock is None:
                shared_thing(self._lock, self._lock, "", site, suffix=".lock")
            shared_thing(self, self._sleeping_count, "condition", site)

    return __init__


@replaces("multiprocessing.synchronize", "Condition.__enter__")
def _enter_condition(original: Function) -> Function:
    def __enter__(self: Any) -> Any:
        site = place(getframe(1))
        if site:
            return take_at(self._lock, shared_thing(self._lock, self._lock), site)
        return original(self)

    return __enter__


@replaces("multiprocessing.synchronize", "Condition.__exit__")
def _exit_condition(original: Function) -> Function:
    def __exit__(self: Any, *arguments: Any) -> Any:
        site = place(getframe(1))
        if site:
            let_go_at(self._lock, shared_thing(self._lock, self._lock), site)
            return None
        return original(self, *arguments)

    return __exit__


@replaces("multiprocessing.synchronize", "Condition.wait")
def _wait_for_condition(original: Function) -> Function:
    def wait_(self: Any, timeout: float | None = None) -> bool:
        caller = getframe(1)
        site = place(caller)
        if not site and caller.f_code.co_name == "wait_for" and get_ident() not in inside:
            site = place_above(caller)
        if not site or not self._lock._semlock._is_mine():
            return bool(original(self, timeout))
        lock = shared_thing(self._lock, self._lock)
        thing = shared_thing(self, self._sleeping_count, "condition")
        level = self._lock._semlock._count()
        tape.write(RELEASE, lock, site, 0)
        try:
            return bool(wait(WAIT, thing, site, original, self, timeout, succeeded=bool))
        finally:
            tape.write(ACQUIRE, lock, site, level)

    return wait_


@replaces("multiprocessing.synchronize", "Condition.notify")
def _notify(original: Function) -> Function:
    def notify(self: Any, n: int = 1) -> None:
        site = place(getframe(1))
        moment = monotonic_ns()
        original(self, n)
        if site:
            thing = shared_thing(self, self._sleeping_count, "condition")
            tape.write(NOTIFY, thing, site, n, 0, moment)

    return notify


@replaces("multiprocessing.synchronize", "Condition.notify_all")
def _notify_all(original: Function) -> Function:
    def notify_all(self: Any) -> None:
        site = place(getframe(1))
        moment = monotonic_ns()
        original(self)
        if site:
            thing = shared_thing(self, self._sleeping_count, "condition")
            tape.write(NOTIFY, thing, site, -1, 0, moment)

    return notify_all


@replaces("multiprocessing.synchronize", "Event.__init__")
def _make_event(original: Function) -> Function:
    def __init__(self: Any, *, ctx: Any) -> None:
        with as_a_whole() as is_whole:
            original(self, ctx=ctx)
        site = is_whole and place_above(getframe(1))
        if site:
            shared_thing(self, self._flag, "event", site)

    return __init__


@replaces("multiprocessing.synchronize", "Event.wait")
def _wait_for_event(original: Function) -> Function:
    def wait_(self: Any, timeout: float | None = None) -> bool:
        site = place(getframe(1))
        if not site:
            return bool(original(self, timeout))
        thing = shared_thing(self, self._flag, "event")
        return bool(wait(WAIT, thing, site, original, self, timeout, succeeded=bool))

    return wait_


@replaces("multiprocessing.synchronize", "Event.set")
def _set_event(original: Function) -> Function:
    def set_(self: Any) -> None:
        site = place(getframe(1))
        moment = monotonic_ns()
        original(self)
        if site:
            tape.write(SET, shared_thing(self, self._flag, "event"), site, 0, 0, moment)

    return set_


@replaces("multiprocessing.synchronize", "Event.clear")
def _clear_event(original: Function) -> Function:
    def clear(self: Any) -> None:
        site = place(getframe(1))
        original(self)
        if site:
            tape.write(CLEAR, shared_thing(self, self._flag, "event"), site)

    return clear


@replaces("multiprocessing.synchronize", "Barrier.__setstate__")
def _restore_barrier(original: Function) -> Function:
    def __setstate__(self: Any, state: Any) -> None:
        original(self, state)
        shared_thing(self, self._cond._sleeping_count, "barrier", 0, self._parties)

    return __setstate__


@replaces("multiprocessing.synchronize", "Barrier.__init__")
def _make_barrier(original: Function) -> Function:
    def __init__(self: Any, parties: int, *arguments: Any, **options: Any) -> None:
        with as_a_whole():
            original(self, parties, *arguments, **options)
        vars(self).pop("_cookbook_thing", None)
        site = place_above(getframe(1))
        shared_thing(self, self._cond._sleeping_count, "barrier", site, parties)

    return __init__

"""Stand in for `threading.Lock` and `threading.RLock`: the same to the program, but recorded.

Guarantees: what the program asks of a lock, the real lock inside does; an acquire that need not wait is one
record, made after it; one that waits is a request before and a record after it. A release is recorded
with the moment before it. So by their moments, no two tasks ever seem to hold a lock at once.

Only what the program makes is recorded: the standard library gets real locks.

Cost: about half a microsecond for each acquire and release; the methods are written out for that reason.
"""

from __future__ import annotations

import _thread
from _thread import get_ident
from struct import error
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import ACQUIRE, IN_VAIN, RECORD, RELEASE, REQUEST
from parallel_cookbook.trace.recorder.places import find_site, getframe, place, place_above, seek
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.things import new_thing
from parallel_cookbook.trace.recorder.waiting import moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, NoReturn

__tracebackhide__ = True
_pack = RECORD.pack_into
_RealLock = _thread.allocate_lock
_RealRLock = _thread.RLock


class LikeReal(type):
    """Lets real locks be instances, too: a program may ask for `type(Lock())`."""

    _real: type

    def __instancecheck__(cls, instance: object) -> bool:
        return type.__instancecheck__(cls, instance) or isinstance(instance, cls._real)


class Lock(metaclass=LikeReal):
    """`threading.Lock`."""

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("type '_thread.lock' is not an acceptable base type")

    __slots__ = ("__weakref__", "_acquire", "_lock", "_release", "_thing")
    _acquire: Callable[..., bool]
    _lock: Any
    _release: Callable[[], None]
    _thing: int
    _real = _thread.LockType

    def __new__(cls) -> Any:
        site = place(getframe(1))
        return make_lock(site) if site else _RealLock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        if timeout == -1 and self._acquire(False):
            if site:
                try:
                    _pack(
                        tape.view,
                        tape.claim(),
                        monotonic_ns(),
                        get_ident(),
                        site,
                        self._thing,
                        1,
                        0,
                        ACQUIRE,
                    )
                except error:
                    tape.write(ACQUIRE, self._thing, site, 1)
            return True
        return self._wait(site, blocking, timeout)

    def __enter__(self) -> bool:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        if self._acquire(False):
            if site:
                try:
                    _pack(
                        tape.view,
                        tape.claim(),
                        monotonic_ns(),
                        get_ident(),
                        site,
                        self._thing,
                        1,
                        0,
                        ACQUIRE,
                    )
                except error:
                    tape.write(ACQUIRE, self._thing, site, 1)
            return True
        return self._wait(site, True, -1)

    def release(self) -> None:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        moment = monotonic_ns()
        self._release()
        if site:
            try:
                _pack(
                    tape.view, tape.claim(), moment, get_ident(), site, self._thing, 0, 0, RELEASE
                )
            except error:
                tape.write(RELEASE, self._thing, site, 0, 0, moment)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        moment = monotonic_ns()
        self._release()
        if site:
            try:
                _pack(
                    tape.view, tape.claim(), moment, get_ident(), site, self._thing, 0, 0, RELEASE
                )
            except error:
                tape.write(RELEASE, self._thing, site, 0, 0, moment)

    def _wait(self, site: int, blocking: bool, timeout: float) -> bool:
        """Acquire what is taken; also with arguments that the real lock will refuse."""
        if not site:
            return self._acquire(blocking, timeout)
        began = monotonic_ns()
        if blocking:
            request = REQUEST if timeout == -1 else REQUEST | IN_VAIN
            tape.write(ACQUIRE, self._thing, site, 0, request, began)
        got = False
        try:
            got = self._acquire(blocking, timeout)
        finally:
            tape.write_long(
                ACQUIRE, began, self._thing, site, 1 if got else 0, 0 if got else IN_VAIN
            )
        return got

    def take(self, site: int) -> bool:
        """Acquire it from `site`; for a Condition."""
        if self._acquire(False):
            if site:
                tape.write(ACQUIRE, self._thing, site, 1)
            return True
        return self._wait(site, True, -1)

    def let_go(self, site: int) -> None:
        """Release it from `site`; for a Condition."""
        moment = monotonic_ns()
        self._release()
        if site:
            tape.write(RELEASE, self._thing, site, 0, 0, moment)

    def locked(self) -> bool:
        return bool(self._lock.locked())

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def _release_save(self) -> None:
        """Release it for Condition.wait; see conditions."""
        site = place_above(getframe(1))
        moment = monotonic_ns()
        self._release()
        tape.write(RELEASE, self._thing, site, 0, 0, moment)

    def _acquire_restore(self, _saved: object) -> None:
        """Take it again after Condition.wait."""
        site = place_above(getframe(1))
        moments[get_ident()] = monotonic_ns()
        if self._acquire(False):
            tape.write(ACQUIRE, self._thing, site, 1)
        else:
            self._wait(site, True, -1)

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle '_thread.lock' object")

    def __repr__(self) -> str:
        return repr(self._lock)


class RLock(metaclass=LikeReal):
    """`threading.RLock`."""

    __slots__ = ("__weakref__", "_acquire", "_depth", "_lock", "_release", "_thing")
    _acquire: Callable[..., bool]
    _depth: int
    _lock: Any
    _release: Callable[[], None]
    _thing: int
    _real = _RealRLock
    _factory: Callable[..., Any] = _RealRLock
    """What `threading.RLock` was: since 3.13 it warns of arguments."""

    def __new__(cls, *arguments: object, **options: object) -> Any:
        site = place(getframe(1))
        if not site or arguments or options:  # it is for the real one to refuse them
            return cls._factory(*arguments, **options)
        return make_rlock(site)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        if timeout == -1 and self._acquire(False):
            self._depth = depth = self._depth + 1  # only its owner changes it
            if site:
                try:
                    _pack(
                        tape.view,
                        tape.claim(),
                        monotonic_ns(),
                        get_ident(),
                        site,
                        self._thing,
                        depth,
                        0,
                        ACQUIRE,
                    )
                except error:
                    tape.write(ACQUIRE, self._thing, site, depth)
            return True
        return self._wait(site, blocking, timeout)

    def __enter__(self) -> bool:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        if self._acquire(False):
            self._depth = depth = self._depth + 1
            if site:
                try:
                    _pack(
                        tape.view,
                        tape.claim(),
                        monotonic_ns(),
                        get_ident(),
                        site,
                        self._thing,
                        depth,
                        0,
                        ACQUIRE,
                    )
                except error:
                    tape.write(ACQUIRE, self._thing, site, depth)
            return True
        return self._wait(site, True, -1)

    def release(self) -> None:
        frame = getframe(1)
        self.let_go(find_site(id(frame.f_code) + frame.f_lasti) or seek(frame))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        frame = getframe(1)
        self.let_go(find_site(id(frame.f_code) + frame.f_lasti) or seek(frame))

    def take(self, site: int) -> bool:
        """Acquire it from `site`; for a Condition."""
        if self._acquire(False):
            self._depth = depth = self._depth + 1
            if site:
                tape.write(ACQUIRE, self._thing, site, depth)
            return True
        return self._wait(site, True, -1)

    def let_go(self, site: int) -> None:
        """Release it from `site`."""
        moment = monotonic_ns()
        if not self._lock._is_owned():
            self._release()  # raises
        self._depth = depth = self._depth - 1
        self._release()
        if site:
            try:
                _pack(
                    tape.view,
                    tape.claim(),
                    moment,
                    get_ident(),
                    site,
                    self._thing,
                    depth,
                    0,
                    RELEASE,
                )
            except error:
                tape.write(RELEASE, self._thing, site, depth, 0, moment)

    def _wait(self, site: int, blocking: bool, timeout: float) -> bool:
        """Acquire what another task has; also with arguments that the real lock will refuse."""
        began = monotonic_ns()
        if site and blocking:
            request = REQUEST if timeout == -1 else REQUEST | IN_VAIN
            tape.write(ACQUIRE, self._thing, site, 0, request, began)
        got, depth = False, 0
        try:
            got = self._acquire(blocking, timeout)
            if got:
                self._depth = depth = self._depth + 1
        finally:
            if site:
                tape.write_long(ACQUIRE, began, self._thing, site, depth, 0 if got else IN_VAIN)
        return got

    def _is_owned(self) -> bool:
        return bool(self._lock._is_owned())

    def _recursion_count(self) -> int:
        return self._depth if self._is_owned() else 0

    def locked(self) -> bool:
        return self._depth > 0

    def _release_save(self) -> int:
        """Release it however deep, for Condition.wait."""
        site = place_above(getframe(1))
        moment = monotonic_ns()
        depth, self._depth = self._depth, 0
        self._lock._release_save()
        tape.write(RELEASE, self._thing, site, 0, 0, moment)
        return depth

    def _acquire_restore(self, saved: int) -> None:
        """Take it again after Condition.wait, as deep as before."""
        site = place_above(getframe(1))
        moments[get_ident()] = began = monotonic_ns()
        if not self._acquire(False):
            tape.write(ACQUIRE, self._thing, site, 0, REQUEST, began)
            self._acquire()
        self._depth = depth = saved
        for _ in range(depth - 1):
            self._acquire()
        tape.write_long(ACQUIRE, began, self._thing, site, depth)

    def _at_fork_reinit(self) -> None:
        self._depth = 0
        self._lock._at_fork_reinit()

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle '_thread.RLock' object")

    def __repr__(self) -> str:
        return repr(self._lock)


def make_lock(site: int) -> Lock:
    """Return a new recorded lock that was made at `site`."""
    lock = object.__new__(Lock)
    lock._lock = real = _RealLock()
    lock._acquire = real.acquire
    lock._release = real.release
    lock._thing = new_thing("lock", site)
    return lock


def make_rlock(site: int, suffix: str = "") -> RLock:
    """Return a new recorded RLock that was made at `site`; `suffix` ends its label."""
    lock = object.__new__(RLock)
    lock._lock = real = _RealRLock()
    lock._acquire = real.acquire
    lock._release = real.release
    lock._depth = 0
    lock._thing = new_thing("rlock", site, suffix=suffix)
    return lock

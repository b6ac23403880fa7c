"""Stand in for `threading.Lock` and `threading.RLock`: the same to the program, but recorded.

Guarantees: what the program asks of a lock, the real lock inside does; an acquire that need not wait is one
record, made after it; one that waits is a request before and a record after it. A release is recorded
with the moment before it. So by their moments, no two tasks ever seem to hold a lock at once.

Only what the program makes is recorded: the standard library gets real locks.

Cost: about half a microsecond for each acquire and release; the methods are written out for that reason.

What recording adds while a lock is held must not make the program's threads wait for each other. Without a
recorder, Python changes threads at certain instructions only, hardly ever between a lock's acquire and the
body of its `with`. Here it may do so, and once two threads wait for a lock in turns, they go on like that:
who is woken has the lock but not yet the interpreter. So as little as possible is done between
acquire and release, and who finds a lock taken looks first whether its holder was stopped in what we
add (`_is_kept_by_us`): then it lets that one go on before it waits in earnest.
"""

from __future__ import annotations

import _thread
import sys
from _thread import get_ident
from struct import error
from time import monotonic_ns, sleep

from parallel_cookbook.trace.recorder.layout import ACQUIRE, IN_VAIN, RECORD, RELEASE, REQUEST
from parallel_cookbook.trace.recorder.places import (
    NOWHERE,
    find_site,
    getframe,
    place,
    place_above,
    seek,
)
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
_STEPS_ASIDE_S = (20e-6, 40e-6, 80e-6, 160e-6, 320e-6, 640e-6, *[1e-3] * 14)
"""How long a holder that was stopped in our code is let go on, until its lock is waited for all the same.

On a busy machine it may not get a processor at once.
"""


class LikeReal(type):
    """Lets real locks be instances, too: a program may ask for `type(Lock())`."""

    _real: type

    def __instancecheck__(cls, instance: object) -> bool:
        return type.__instancecheck__(cls, instance) or isinstance(instance, cls._real)


class Lock(metaclass=LikeReal):
    """`threading.Lock`."""

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("type '_thread.lock' is not an acceptable base type")

    __slots__ = ("__weakref__", "_acquire", "_holder", "_lock", "_release", "_thing", "_waiters")
    _acquire: Callable[..., bool]
    _holder: int
    _lock: Any
    _release: Callable[[], None]
    _thing: int
    _waiters: int
    _real = _thread.LockType

    def __new__(cls) -> Any:
        site = place(getframe(1))
        return make_lock(site) if site else _RealLock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        ident = get_ident()
        if timeout == -1 and self._acquire(False):
            if site:
                try:
                    _pack(
                        tape.view,
                        tape.claim(),
                        monotonic_ns(),
                        ident,
                        site,
                        self._thing,
                        1,
                        0,
                        ACQUIRE,
                    )
                except error:
                    tape.write(ACQUIRE, self._thing, site, 1)
            self._holder = ident
            return True
        return self._wait(site, blocking, timeout)

    def __enter__(self) -> bool:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        ident = get_ident()
        if self._acquire(False):
            if site:
                try:
                    _pack(
                        tape.view,
                        tape.claim(),
                        monotonic_ns(),
                        ident,
                        site,
                        self._thing,
                        1,
                        0,
                        ACQUIRE,
                    )
                except error:
                    tape.write(ACQUIRE, self._thing, site, 1)
            self._holder = ident
            return True
        return self._wait(site, True, -1)

    def release(self) -> None:
        self._holder = 0
        moment = monotonic_ns()
        self._release()
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
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
        self._holder = 0
        moment = monotonic_ns()
        self._release()
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        if site:
            try:
                _pack(
                    tape.view, tape.claim(), moment, get_ident(), site, self._thing, 0, 0, RELEASE
                )
            except error:
                tape.write(RELEASE, self._thing, site, 0, 0, moment)

    def _wait(self, site: int, blocking: bool, timeout: float) -> bool:
        """Acquire what is taken; also with arguments that the real lock will refuse."""
        if not site:  # a look that a Condition takes
            return self._acquire(blocking, timeout)
        began = monotonic_ns()
        got = False
        try:
            if blocking and timeout == -1:
                got = _acquire_soon(self)
            if not got:
                got = _acquire_in_earnest(self, site, blocking, timeout, began)
        finally:
            tape.write_long(
                ACQUIRE, began, self._thing, site, 1 if got else 0, 0 if got else IN_VAIN
            )
        if got:
            self._holder = get_ident()
        return got

    def take(self, site: int) -> bool:
        """Acquire it from `site`; for a Condition."""
        if self._acquire(False):
            if site:
                tape.write(ACQUIRE, self._thing, site, 1)
            self._holder = get_ident()
            return True
        return self._wait(site, True, -1)

    def let_go(self, site: int) -> None:
        """Release it from `site`; for a Condition."""
        self._holder = 0
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
        self._holder = 0
        moment = monotonic_ns()
        self._release()
        tape.write(RELEASE, self._thing, site, 0, 0, moment)

    def _acquire_restore(self, _saved: object) -> None:
        """Take it again after Condition.wait."""
        site = place_above(getframe(1))
        moments[get_ident()] = monotonic_ns()
        if self._acquire(False):
            tape.write(ACQUIRE, self._thing, site, 1)
            self._holder = get_ident()
        else:
            self._wait(site, True, -1)

    def _at_fork_reinit(self) -> None:
        self._holder = self._waiters = 0
        self._lock._at_fork_reinit()

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle '_thread.lock' object")

    def __repr__(self) -> str:
        return repr(self._lock)


class RLock(metaclass=LikeReal):
    """`threading.RLock`."""

    __slots__ = (
        "__weakref__",
        "_acquire",
        "_depth",
        "_holder",
        "_lock",
        "_release",
        "_thing",
        "_waiters",
    )
    _acquire: Callable[..., bool]
    _depth: int
    _holder: int
    _lock: Any
    _release: Callable[[], None]
    _thing: int
    _waiters: int
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
        ident = get_ident()
        if timeout == -1 and self._acquire(False):
            self._depth = depth = self._depth + 1  # only its owner changes it
            if site:
                try:
                    _pack(
                        tape.view,
                        tape.claim(),
                        monotonic_ns(),
                        ident,
                        site,
                        self._thing,
                        depth,
                        0,
                        ACQUIRE,
                    )
                except error:
                    tape.write(ACQUIRE, self._thing, site, depth)
            self._holder = ident
            return True
        return self._wait(site, blocking, timeout)

    def __enter__(self) -> bool:
        frame = getframe(1)
        site = find_site(id(frame.f_code) + frame.f_lasti) or seek(frame)
        ident = get_ident()
        if self._acquire(False):
            self._depth = depth = self._depth + 1
            if site:
                try:
                    _pack(
                        tape.view,
                        tape.claim(),
                        monotonic_ns(),
                        ident,
                        site,
                        self._thing,
                        depth,
                        0,
                        ACQUIRE,
                    )
                except error:
                    tape.write(ACQUIRE, self._thing, site, depth)
            self._holder = ident
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
            self._holder = get_ident()
            return True
        return self._wait(site, True, -1)

    def let_go(self, site: int) -> None:
        """Release it from `site`."""
        moment = monotonic_ns()
        if not self._lock._is_owned():
            self._release()  # raises
        self._holder = 0
        self._depth = depth = self._depth - 1
        self._release()
        if depth:
            self._holder = get_ident()
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
        got, depth = False, 0
        try:
            if blocking and timeout == -1:
                got = _acquire_soon(self)
            if not got:
                got = _acquire_in_earnest(self, site, blocking, timeout, began)
            if got:
                self._depth = depth = self._depth + 1
        finally:
            if site:
                tape.write_long(ACQUIRE, began, self._thing, site, depth, 0 if got else IN_VAIN)
        if got:
            self._holder = get_ident()
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
        self._holder = 0
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
            _acquire_in_earnest(self, site or NOWHERE, True, -1, began)
        self._depth = depth = saved
        for _ in range(depth - 1):
            self._acquire()
        tape.write_long(ACQUIRE, began, self._thing, site, depth)
        self._holder = get_ident()

    def _at_fork_reinit(self) -> None:
        self._depth = self._holder = self._waiters = 0
        self._lock._at_fork_reinit()

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle '_thread.RLock' object")

    def __repr__(self) -> str:
        return repr(self._lock)


def _acquire_soon(lock: Lock | RLock) -> bool:
    """Acquire a taken lock if that takes no more than to let its holder leave our code."""
    for pause in _STEPS_ASIDE_S:
        if not _is_kept_by_us(lock):
            return False
        sleep(pause)
        if lock._acquire(False):
            return True
    return False


def _is_kept_by_us(lock: Lock | RLock) -> bool:
    """Whether the lock's holder was stopped in what recording adds.

    The holder is known from the end of its acquire to the beginning of its release. Who waits in earnest
    may get the lock and not yet have the interpreter: that is so without a recorder, too.
    """
    if not lock._holder:
        return not lock._waiters
    frame = sys._current_frames().get(lock._holder)
    return frame is not None and frame.f_code in _OURS


def _acquire_in_earnest(
    lock: Lock | RLock, site: int, blocking: bool, timeout: float, began: int
) -> bool:
    """Let the real lock wait, once it is written that it does."""
    if site and blocking:
        request = REQUEST if timeout == -1 else REQUEST | IN_VAIN
        tape.write(ACQUIRE, lock._thing, site, 0, request, began)
    lock._waiters += 1
    try:
        return lock._acquire(blocking, timeout)
    finally:
        lock._waiters -= 1


_OURS = {
    function.__code__
    for kind in (Lock, RLock)
    for function in (kind.acquire, kind.__enter__, kind.release, kind.__exit__, kind.let_go)
}
"""Where a thread that has a lock never waits, except for the interpreter."""


def make_lock(site: int) -> Lock:
    """Return a new recorded lock that was made at `site`."""
    lock = object.__new__(Lock)
    lock._lock = real = _RealLock()
    lock._acquire = real.acquire
    lock._release = real.release
    lock._holder = lock._waiters = 0
    lock._thing = new_thing("lock", site)
    return lock


def make_rlock(site: int, suffix: str = "") -> RLock:
    """Return a new recorded RLock that was made at `site`; `suffix` ends its label."""
    lock = object.__new__(RLock)
    lock._lock = real = _RealRLock()
    lock._acquire = real.acquire
    lock._release = real.release
    lock._depth = lock._holder = lock._waiters = 0
    lock._thing = new_thing("rlock", site, suffix=suffix)
    return lock

"""Record calls of a manager's objects: each is a message to its process, and the caller waits for the answer.

Every call goes through `BaseProxy._callmethod`. What it does to a manager's lock, queue, event or barrier is
recorded as what it does to any other one; every other call as a call, with the name of the method.

All processes know an object by the manager's address and the name that the manager gave it. The manager gives
a name again when its object is gone: then what bears it later goes by the label of the first.
"""

from __future__ import annotations

from _thread import get_ident
from itertools import count
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import (
    ACQUIRE,
    BARRIER,
    CALL,
    CLEAR,
    GET,
    PUT,
    QUEUE_JOIN,
    RELEASE,
    SET,
    TASK_DONE,
    WAIT,
)
from parallel_cookbook.trace.recorder.patching import replaces
from parallel_cookbook.trace.recorder.places import getframe, place_above
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.things import Local, define_thing, next_thing
from parallel_cookbook.trace.recorder.waiting import inside, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Function = Callable[..., Any]

__tracebackhide__ = True
_KINDS = {
    "Lock": "lock",
    "RLock": "rlock",
    "Semaphore": "semaphore",
    "BoundedSemaphore": "semaphore",
    "Queue": "queue",
    "JoinableQueue": "queue",
    "Event": "event",
    "Barrier": "barrier",
}
"""By the name under which `SyncManager` has it, if it is the standard library's own."""
_WAITS = {
    ("lock", "acquire"): ACQUIRE,
    ("rlock", "acquire"): ACQUIRE,
    ("semaphore", "acquire"): ACQUIRE,
    ("queue", "put"): PUT,
    ("queue", "get"): GET,
    ("queue", "join"): QUEUE_JOIN,
    ("event", "wait"): WAIT,
    ("barrier", "wait"): BARRIER,
}
"""What a call may wait for, beside the answer."""
_DEEDS = {
    ("lock", "release"): RELEASE,
    ("rlock", "release"): RELEASE,
    ("semaphore", "release"): RELEASE,
    ("queue", "task_done"): TASK_DONE,
    ("event", "set"): SET,
    ("event", "clear"): CLEAR,
}
"""What lets others go on: noted with the moment before the call, which is recorded as a call, too."""
_VALUES = {ACQUIRE: 1, PUT: -1, GET: -1}
_TIMEOUT_AT = {"acquire": 1, "get": 1, "put": 2, "wait": 0}
_BLOCKING_AT = {"acquire": 0, "get": 0, "put": 1}
_numbers = count()
_methods: dict[str, int] = {}
"""The numbers of the methods' names, which are written down once."""


@replaces("multiprocessing.managers", "Server.serve_forever")
def _serve(original: Function) -> Function:
    def serve_forever(self: Any) -> None:
        if getframe(1).f_code.co_name == "_run_server":  # not the program, which may serve as well
            tape.name(serves=True)
        original(self)

    return serve_forever


@replaces("multiprocessing.managers", "BaseProxy.__init__")
def _make(original: Function) -> Function:
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        # One that came from another process, or was inherited, has no manager.
        site = self._manager is not None and place_above(getframe(1))
        if site:
            _thing(self, site)

    return __init__


@replaces("multiprocessing.managers", "BaseProxy._callmethod")
def _call(original: Function) -> Function:
    def _callmethod(self: Any, methodname: str, *arguments: Any, **options: Any) -> Any:
        site = place_above(getframe(1))
        if not site or get_ident() in inside:
            return original(self, methodname, *arguments, **options)
        thing, operation = _thing(self), (_kind(self), methodname)
        if operation in _WAITS:
            kind = _WAITS[operation]
            return wait(
                *(kind, thing, site, lambda: original(self, methodname, *arguments, **options)),
                is_endless=_is_endless(methodname, *arguments, **options),
                succeeded=lambda result: result is not False or kind in {PUT, GET},
                measure=lambda result: _VALUES.get(kind, result if kind == BARRIER else 0),
            )
        if operation in _DEEDS:
            tape.write(_DEEDS[operation], thing, site, 0, 0, monotonic_ns())
        return wait(
            *(CALL, thing, site, lambda: original(self, methodname, *arguments, **options)),
            value=_number(methodname),
        )

    return _callmethod


def _is_endless(method: str, args: Any = (), kwds: Any = None) -> bool:
    """Whether a call waits without a time-out, as far as its arguments tell."""
    if type(args) is not tuple or (kwds is not None and type(kwds) is not dict):
        return True  # the manager will refuse them
    given = {**dict(enumerate(args)), **(kwds or {})}
    timeout = given.get("timeout", given.get(_TIMEOUT_AT.get(method, "")))
    may_block = given.get("block", given.get(_BLOCKING_AT.get(method, ""), True))
    return may_block is not False and (
        timeout is None or (type(timeout) in {int, float} and timeout == -1)
    )


def _kind(proxy: Any) -> str:
    """Return what kind of thing a proxy stands for; "proxy" for what is not known."""
    is_known = type(proxy).__module__ == "multiprocessing.managers"
    return _KINDS.get(proxy._token.typeid, "proxy") if is_known else "proxy"


def _thing(proxy: Any, site: int = 0) -> int:
    """Return the number of what a proxy stands for; define it at first."""
    words = vars(proxy)
    thing = words.get("_cookbook_thing")
    if not thing:
        token = proxy._token
        words["_cookbook_thing"] = thing = Local(next_thing())
        key = f"proxy:{token.address!r}/{token.typeid}/{token.id}"
        define_thing(thing, _kind(proxy), site, 0, key)
    return int(thing)


def _number(method: str) -> int:
    """Return the number of a method's name."""
    number = _methods.get(method)
    if number is None:
        _methods[method] = number = next(_numbers)
        tape.name(callee=number, method=method)
    return number

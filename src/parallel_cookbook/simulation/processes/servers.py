"""The server of a manager: a process that owns objects, and carries out calls for others.

Guarantees: arguments, results and exceptions are pickled, and unpickled on the other side; names are
looked up in the modules of the server's process there. What a call costs depends on what it is made to:

- A list, dict, Namespace, Value or Array: one step on that object, a look if it changes nothing. Real
  servers hold the interpreter's lock meanwhile, so that no other call comes between.
- A lock, queue or the like: a look at the door, then the steps of that primitive, in the calling task.
  The real server has a thread for each task that calls, so that only the caller waits.
- An object of the program's own type: a thread of the server does it, one for each task that calls. Calls
  of two tasks can come between one another anywhere, and data races between them are found.

Whoever shuts the server down meets all calls at its door. That a call still waits then is refused: the
real one would end with EOFError, in the midst of what it does.

What CPython does: Lib/multiprocessing/managers.py, class Server.
"""

from __future__ import annotations

import contextlib
import pickle
from traceback import format_exc
from types import MethodType
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.processes.managed import (
    DATA,
    KNOWN,
    Entry,
    Token,
    Value,
    error_of,
    public_methods,
)
from parallel_cookbook.simulation.processes.memory import ALL
from parallel_cookbook.simulation.processes.pickling import ForkingPickler
from parallel_cookbook.simulation.processes.spawning import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.kernel import Group, Kernel, Target, Task
    from parallel_cookbook.kernel.operation import Need
    from parallel_cookbook.simulation.processes.spawning import Popen

# Whatever a manager holds, and whatever its methods take.
# ruff: noqa: ANN401

_OPEN, _CLOSED = 0, 1
_IDLE, _ASKED, _ANSWERED = 0, 1, 2

_LOOKS = frozenset(
    ("__add__", "__contains__", "__getattribute__", "__getitem__", "__iter__", "__len__", "__mul__")
    + ("__repr__", "__reversed__", "__rmul__", "__str__", "#GETVALUE", "copy", "count", "get")
    + ("index", "items", "keys", "values")
)
"""What can be called without a change to the objects that the server makes by itself."""

_READS = frozenset({"__contains__", "__getattribute__", "__getitem__", "get"})
"""Calls that read one item or attribute."""
_WRITES = frozenset({"__delattr__", "__delitem__", "__setattr__", "__setitem__", "set"})
"""Calls that write one."""
_KEYS = (str, int, bytes, float, type(None))

_FALLBACKS: dict[str, Callable[[Any], Any]] = {
    "__str__": str,
    "__repr__": repr,
    "#GETVALUE": lambda obj: obj,
}
"""What can be asked of each object, exposed or not."""

_VIEWS: tuple[Any, ...] = (type({}.keys()), type({}.values()), type({}.items()))


class _Referent:
    """An object that the server owns."""

    def __init__(self, obj: Any, entry: Entry, target: Target) -> None:
        self.obj = obj
        self.exposed = set(public_methods(obj) if entry.exposed is None else entry.exposed)
        self.exposed |= set(entry.types_of_results or ())
        self.types_of_results = entry.types_of_results or {}
        self.is_own = entry.known is None
        """Whether the program's own code is called."""
        self.is_data = entry.known is not None and KNOWN[entry.known] in DATA
        """Whether its methods are indivisible."""
        self.entry = entry
        self.target = target


def _is_state(wanted: int) -> Need:
    return lambda state: state == wanted


_is_closed, _is_asked, _is_answered = (_is_state(s) for s in (_CLOSED, _ASKED, _ANSWERED))


class Server:
    """What all processes know of a manager's process; pickled as its number."""

    def __init__(self, kernel: Kernel, address: Any) -> None:
        self.address = address
        self._kernel = kernel
        self._door = kernel.new_target("manager", _OPEN)
        self._process: Popen
        self._group: Group
        self._registry: dict[str, Entry] = {}
        self._referents: dict[str, _Referent] = {}
        self._lines: dict[Task, _Line] = {}
        self._known_callers: set[Task] = set()
        """Who has called it before: they have a connection."""
        self._calls: dict[Task, list[_Referent | None]] = {}
        """Who is in a call, of which objects: one call may be made inside of another."""

    # --- its life -------------------------------------------------------------------------------

    def is_process(self, process: Popen) -> None:
        """Note down which process it is."""
        self._process, self._group = process, process.group

    def open(self, registry: dict[str, Entry]) -> None:
        """Be ready for calls: in the server's own process."""
        self._registry = registry

    def wait_for_end(self) -> None:
        """Wait until it is shut down: in the server's own process."""
        self._kernel.point(Operation("serve", self._door, Mode.READ, _is_closed))

    def shut_down(self) -> None:
        """Let its process end. One step, which meets every call."""
        kernel = self._kernel
        kernel.point(Operation("shut down", self._door))
        if any(task.done.state != ENDED for task in self._calls):
            kernel.refuse("shutdown of a manager in which a call still waits")
        self._door.state = _CLOSED

    # --- calls ----------------------------------------------------------------------------------

    def create(self, typeid: str, args: Any, kwargs: Any) -> tuple[str, tuple[str, ...]]:
        """Make an object of a registered type; return its id and what can be called of it."""
        request = bytes(ForkingPickler.dumps((args, kwargs)))
        self._look_at_door()
        entry = self._registry[typeid]
        kind, result = self._in_call(lambda: self._make(typeid, request), None, entry.known is None)
        self._kernel.on_answer("", (*args, *kwargs.values()), None)
        if kind == "#RETURN":
            return result  # type: ignore[no-any-return]  # what _make has pickled
        raise error_of(kind, result)

    def call(self, ident: str, method: str, args: Any, kwargs: Any) -> tuple[str, Any]:
        """Call a method; return what kind of answer came, and the answer."""
        request = bytes(ForkingPickler.dumps((args, kwargs)))
        referent = self._referents[ident]
        if referent.is_data:
            mode = Mode.READ if method in _LOOKS else Mode.WRITE
            kind = "call" if mode else "look at"
            known = self._kernel.running.sync
            self._check_door(Operation(kind, referent.target, mode, None, self._door_parts()))
            self._tell_access(referent, method, args, known)
        else:
            self._look_at_door()
            self._refuse_ghosts(referent)
        work = lambda: self._answer(referent, method, request)  # noqa: E731 - two lines where it is used
        answer = self._in_call(work, referent, referent.is_own)
        self._kernel.on_answer(method, (*args, *kwargs.values()), answer[1])
        return answer

    def _tell_access(self, referent: _Referent, method: str, args: Any, known: int) -> None:
        """Tell who looks for races of a call that reads or writes one item or attribute.

        known: what the caller knew before the call.
        """
        if self._kernel.is_repeating or method not in _READS | _WRITES:
            return
        key = "value" if isinstance(referent.obj, Value) else ("", *args[:1])[-1]
        if isinstance(key, _KEYS):
            is_write = method in _WRITES
            self._kernel.on_shared_access(referent.target, key, ALL, is_write, known)

    def _refuse_ghosts(self, referent: _Referent) -> None:
        """Refuse to go on if who was killed has left a call of this object unfinished.

        The thread of the real server goes on with that call, and takes the lock or the item for nobody.
        """
        for task, referents in self._calls.items():
            if task.done.state == ENDED and referent in referents and not referent.is_own:
                self._kernel.refuse(f"what {task.name} waited for in a manager when it was killed")

    def methods_of(self, ident: str) -> tuple[str, ...]:
        """Return what can be called of an object."""
        return tuple(self._referents[ident].exposed)

    def _door_parts(self) -> tuple[tuple[Target, Mode, Need | None], ...]:
        door = (self._door, Mode.READ, None)
        if self._kernel.are_kills_points:
            return door, (self._process.task.done, Mode.READ, None)
        return (door,)

    def _look_at_door(self) -> None:
        self._check_door(Operation("look at", self._door, Mode.READ, None, self._door_parts()[1:]))

    def _check_door(self, operation: Operation) -> None:
        """Perform a step of a call. Raises what a real caller finds if the server has ended."""
        kernel = self._kernel
        kernel.point(operation)
        me = kernel.running
        has_died = self._process.task.done.state == ENDED
        if self._door.state == _CLOSED or has_died:
            if me in self._known_callers:
                raise BrokenPipeError(32, "Broken pipe")
            if has_died and self._door.state == _OPEN:
                raise ConnectionRefusedError(111, "Connection refused")
            raise FileNotFoundError(2, "No such file or directory")
        self._known_callers.add(me)

    def _in_call(
        self, work: Callable[[], bytes | None], referent: _Referent | None, is_own: bool
    ) -> tuple[str, Any]:
        """Do the server's part of a call, wherever it is done; return the answer, unpickled."""
        me = self._kernel.running
        self._calls.setdefault(me, []).append(referent)
        try:
            is_elsewhere = is_own and me.group is not self._group
            answer = self._line_of(me).ask(work) if is_elsewhere else work()
        finally:
            self._calls[me].pop()
            if not self._calls[me]:
                del self._calls[me]
        if answer is None:
            raise EOFError
        return pickle.loads(answer)  # type: ignore[no-any-return]  # noqa: S301 - our own

    def _line_of(self, caller: Task) -> _Line:
        line = self._lines.get(caller)
        if line is None:
            line = self._lines[caller] = _Line(self._kernel, self._group, caller)
        return line

    # --- inside the server ----------------------------------------------------------------------

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        """Have the running task see the modules of the server's process."""
        me = self._kernel.running
        own, me.group = me.group, self._group
        try:
            yield
        finally:
            me.group = own

    def _make(self, typeid: str, request: bytes) -> bytes | None:
        try:
            with self._inside():
                args, kwargs = pickle.loads(request)  # noqa: S301 - our own
            entry = self._registry[typeid]
            ident = self._enter(entry.new(*args, **kwargs), typeid, entry)
            message: Any = ("#RETURN", (ident, tuple(self._referents[ident].exposed)))
        except SystemExit:
            return None
        except Exception:  # noqa: BLE001 - whatever the program raises
            message = ("#TRACEBACK", format_exc())
        return self._pickled(message)

    def _enter(self, obj: Any, typeid: str, entry: Entry, target: Target | None = None) -> str:
        """Own an object; return its id, which it may have already."""
        for ident, referent in self._referents.items():
            if referent.obj is obj:
                return ident
        kernel = self._kernel
        ident = f"{kernel.new_uid():x}"
        target = target or kernel.new_target(f"managed {typeid}")
        self._referents[ident] = _Referent(obj, entry, target)
        return ident

    def _answer(self, referent: _Referent, method: str, request: bytes) -> bytes | None:
        """Call a method, and return the message that says what came of it; None: it has hung up."""
        try:
            if referent.is_data:
                with self._inside():
                    message = self._message(referent, method, request)
            else:
                message = self._message(referent, method, request)
        except SystemExit:
            return None
        except Exception:  # noqa: BLE001 - whatever the program raises
            message = ("#TRACEBACK", format_exc())
        return self._pickled(message)

    def _message(self, referent: _Referent, method: str, request: bytes) -> tuple[str, Any]:
        with self._inside():
            args, kwargs = pickle.loads(request)  # noqa: S301 - our own
        obj = referent.obj
        if method not in referent.exposed or not hasattr(obj, method):
            if referent.is_own:
                self._kernel.point(Operation("call", referent.target))
            return "#RETURN", _FALLBACKS[method](obj)
        function = getattr(obj, method)
        if referent.is_own and not isinstance(function, MethodType):
            # Built in: its accesses are not announced by themselves.
            self._kernel.point(Operation("call", referent.target))
        try:
            result = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - handed to the caller
            return "#ERROR", error
        typeid = referent.types_of_results.get(method)
        if typeid:
            entry = self._registry[typeid]._replace(known=referent.entry.known)
            ident = self._enter(result, typeid, entry, referent.target)
            exposed = tuple(self._referents[ident].exposed)
            return "#PROXY", (exposed, Token(typeid, self.address, ident))
        return "#RETURN", [*result] if isinstance(result, _VIEWS) else result

    def _pickled(self, message: tuple[str, Any]) -> bytes:
        with self._inside():
            try:
                return bytes(ForkingPickler.dumps(message))
            except Exception:  # noqa: BLE001 - whatever the program's object raises
                return bytes(ForkingPickler.dumps(("#UNSERIALIZABLE", format_exc())))


class _Line:
    """A thread of the server, and the one task that it works for."""

    def __init__(self, kernel: Kernel, group: Group, caller: Task) -> None:
        self._kernel = kernel
        self._target = kernel.new_target("connection", _IDLE)
        self._work: Callable[[], bytes | None]
        self._answer: bytes | None = None
        thread = kernel.new_task(caller.name, self._serve, group)
        thread.is_helper = True
        # It shares the memory of the other threads of the server.
        kernel.is_alone = group.is_alone = False
        kernel.settle(kernel.start_operation(thread))
        kernel.launch(thread)

    def ask(self, work: Callable[[], bytes | None]) -> bytes | None:
        """Have the thread do this; return what it returns."""
        kernel, target = self._kernel, self._target
        self._work = work
        kernel.settle(Operation("ask", target))  # the thread can only wait for it
        target.state = _ASKED
        kernel.point(Operation("receive", target, Mode.WRITE, _is_answered))
        target.state = _IDLE
        return self._answer

    def _serve(self) -> None:
        kernel, target = self._kernel, self._target
        while True:
            kernel.point(Operation("serve", target, Mode.WRITE, _is_asked))
            self._answer = self._work()
            kernel.settle(Operation("answer", target))  # the caller can only wait for it
            target.state = _ANSWERED


def server_at(address: Any) -> Server:
    """Return the server of the manager at an address."""
    return servers(active_kernel())[address]


def servers(kernel: Kernel) -> dict[Any, Server]:
    """Return all servers of the present execution, by address."""
    return kernel.state.setdefault("managers", {})  # type: ignore[no-any-return]

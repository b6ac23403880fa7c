"""`multiprocessing.managers` for a program under check: managers, their proxies, types of the program's own.

Guarantees: a manager is a process of its own, in which the main file is executed as in any other; types
that the program registers are pickled for it when it starts. What is in it, what a call costs: servers.py.

Refused, when they are used: `connect` and `get_server`, because what is at the other end of an address is
not under control; pools in a manager; a Barrier with an action in a manager.

Refused, too: to go on with a lock or a queue for which a task has waited that was killed meanwhile. The
thread of a real server goes on waiting, and takes the lock or the item for nobody.

Simplified: an object stays until its manager ends, whether or not a proxy is left; a manager whose object
was forgotten ends with the process that has started it.

What CPython does: Lib/multiprocessing/managers.py.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

from multiprocessing.context import ProcessError as _ProcessError
from typing import TYPE_CHECKING, Any, NoReturn, Self

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation import threading as _threading
from parallel_cookbook.simulation.processes import context as _context
from parallel_cookbook.simulation.processes import servers as _servers
from parallel_cookbook.simulation.processes.connection import Pipe
from parallel_cookbook.simulation.processes.managed import (
    KNOWN,
    Array,
    Entry,
    Namespace,
    RemoteError,  # noqa: F401 - a name of the real module
    Token,
    Value,
)
from parallel_cookbook.simulation.processes.proxies import (
    AcquirerProxy,
    ArrayProxy,
    AutoProxy,
    BarrierProxy,
    BaseListProxy,  # noqa: F401 - a name of the real module
    BaseProxy,
    ConditionProxy,
    DictProxy,
    EventProxy,
    IteratorProxy,
    ListProxy,
    MakeProxyType,  # noqa: F401 - a name of the real module
    NamespaceProxy,
    ValueProxy,
)
from parallel_cookbook.simulation.processes.servers import Server
from parallel_cookbook.simulation.processes.spawning import add_finalizer
from parallel_cookbook.simulation.processes.world import own_state, share, shared
from parallel_cookbook.simulation.queue import Queue as _Queue
from parallel_cookbook.simulation.refused import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

# Whatever a manager holds, and whatever its methods take.
# ruff: noqa: ANN401

__all__ = ["BaseManager", "BaseProxy", "SyncManager", "Token"]

_INITIAL, _STARTED, _SHUT_DOWN = 0, 1, 2
_COMPLAINTS = {_STARTED: "Already started server", _SHUT_DOWN: "Manager has shut down"}


class BaseManager:
    """Starts a process that owns objects; see `multiprocessing.managers.BaseManager`."""

    __module__ = "multiprocessing.managers"

    _registry: dict[str, tuple[Any, ...]] = {}  # noqa: RUF012 - each class has its own, as CPython's
    shutdown: Callable[[], None]
    """End the process; there is no such method before `start`."""

    def __init__(
        self,
        address: Any = None,
        authkey: bytes | None = None,
        serializer: str = "pickle",
        ctx: Any = None,
        *,
        shutdown_timeout: float = 1.0,  # noqa: ARG002 - it always ends
    ) -> None:
        self._address = address
        self._authkey = authkey
        self._serializer = serializer
        self._ctx: Any = ctx or _context._default_context.get_context()  # noqa: SLF001 - of this package
        self._state = _INITIAL
        self._process: Any = None
        self._server: Server

    # --- its life -------------------------------------------------------------------------------

    def start(self, initializer: Any = None, initargs: Any = ()) -> None:
        """Start the process, and wait until it is ready.

        Raises ProcessError the second time, EOFError if the process has died before it was ready.
        """
        if self._state != _INITIAL:
            raise _ProcessError(_COMPLAINTS[self._state])
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        kernel = active_kernel()
        reader, writer = Pipe(duplex=False)
        address = self._address
        if address is None:
            address = f"/tmp/pymp-{own_state(kernel).pid}/listener-{kernel.new_uid()}"  # noqa: S108 - no file
        server = self._server = Server(kernel, address)
        _servers.servers(kernel)[address] = server
        args = (share(server), _entries(self._registry), writer, initializer, initargs)
        process = self._process = self._ctx.Process(target=_serve, args=args)
        ident = ":".join(str(number) for number in process._identity)  # noqa: SLF001
        process.name = f"{type(self).__name__}-{ident}"
        process.start()
        server.is_process(process._popen)  # noqa: SLF001
        process._popen.is_daemon = True  # noqa: SLF001 - it is shut down at the end, whoever forgets it
        writer.close()
        self._address = reader.recv()
        reader.close()
        self._state = _STARTED
        self.shutdown = self._shut_down
        add_finalizer(0, self._shut_down)

    def _shut_down(self) -> None:
        if self._state != _STARTED:
            return
        self._state = _SHUT_DOWN
        if self._process is not None and self._process.is_alive():
            self._server.shut_down()
            self._process.join()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the process has ended, or for `timeout` seconds."""
        if self._process is not None:
            self._process.join(timeout)
            if not self._process.is_alive():
                self._process = None

    def connect(self) -> NoReturn:
        """Refuse: what is at the other end of the address is not under control."""
        refuse("multiprocessing.managers.BaseManager.connect")

    def get_server(self) -> NoReturn:
        """Refuse: its callers are not under control."""
        refuse("multiprocessing.managers.BaseManager.get_server")

    @property
    def address(self) -> Any:
        """Where the process is to be reached."""
        return self._address

    def __enter__(self) -> Self:
        if self._state == _INITIAL:
            self.start()
        if self._state == _SHUT_DOWN:
            raise _ProcessError(_COMPLAINTS[self._state])
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "Pickling an AuthenticationString object is disallowed for security reasons"
        )

    # --- what it makes --------------------------------------------------------------------------

    def _create(self, typeid: str, /, *args: Any, **kwargs: Any) -> tuple[Token, tuple[str, ...]]:
        assert self._state == _STARTED, "server not yet started"  # noqa: S101 - as CPython
        ident, exposed = self._server.create(typeid, args, kwargs)
        return Token(typeid, self._address, ident), exposed

    @classmethod
    def register(  # noqa: PLR0917 - CPython's
        cls,
        typeid: str,
        callable: Any = None,  # noqa: A002 - CPython's name
        proxytype: Any = None,
        exposed: Any = None,
        method_to_typeid: dict[str, str] | None = None,
        create_method: bool = True,
    ) -> None:
        """Let managers of this class own objects of one more type."""
        if "_registry" not in vars(cls):
            cls._registry = cls._registry.copy()
        proxytype = proxytype or AutoProxy
        exposed = exposed or getattr(proxytype, "_exposed_", None)
        method_to_typeid = method_to_typeid or getattr(proxytype, "_method_to_typeid_", None)
        for key, value in (method_to_typeid or {}).items():
            assert type(key) is str, f"{key!r} is not a string"  # noqa: S101 - as CPython
            assert type(value) is str, f"{value!r} is not a string"  # noqa: S101
        cls._registry[typeid] = (callable, exposed, method_to_typeid, proxytype)
        if not create_method:
            return

        def create(self: BaseManager, /, *args: Any, **kwargs: Any) -> Any:
            token, exposed = self._create(typeid, *args, **kwargs)
            return proxytype(
                token, self._serializer, manager=self, authkey=self._authkey, exposed=exposed
            )

        create.__name__ = typeid
        setattr(cls, typeid, create)


def _entries(registry: dict[str, tuple[Any, ...]]) -> dict[str, Entry]:
    """Return what the server is to know of the registered types."""
    entries = {}
    for typeid, (make, exposed, types_of_results, _) in registry.items():
        known = next((n for n, one in enumerate(KNOWN) if one is make), None)
        mine = make if known is None else None
        names = None if exposed is None else tuple(exposed)
        entries[typeid] = Entry(known, mine, names, types_of_results)
    return entries


def _serve(
    number: int, registry: dict[str, Entry], writer: Any, initializer: Any, initargs: Any
) -> None:
    """Be the process of a manager."""
    if initializer is not None:
        initializer(*initargs)
    server: Server = shared(number)
    server.open(registry)
    writer.send(server.address)
    writer.close()
    server.wait_for_end()


class SyncManager(BaseManager):
    """Owns containers, locks and queues; see `multiprocessing.Manager`."""

    __module__ = "multiprocessing.managers"

    def Pool(self, *_args: Any, **_kwargs: Any) -> NoReturn:  # noqa: N802 - CPython's name
        """Refuse: the processes of a manager are not simulated."""
        refuse("multiprocessing.managers.SyncManager.Pool")

    def Barrier(self, parties: int, action: Any = None, timeout: float | None = None) -> Any:  # noqa: N802
        """Return the proxy of a new barrier; one with an action is refused."""
        if action is not None:
            refuse("multiprocessing.managers.SyncManager.Barrier with an action")
        token, exposed = self._create("Barrier", parties, None, timeout)
        return BarrierProxy(token, self._serializer, self, self._authkey, exposed)


SyncManager.register("Queue", _Queue)
SyncManager.register("JoinableQueue", _Queue)
SyncManager.register("Event", _threading.Event, EventProxy)
SyncManager.register("Lock", _threading.Lock, AcquirerProxy)
SyncManager.register("RLock", _threading.RLock, AcquirerProxy)
SyncManager.register("Semaphore", _threading.Semaphore, AcquirerProxy)
SyncManager.register("BoundedSemaphore", _threading.BoundedSemaphore, AcquirerProxy)
SyncManager.register("Condition", _threading.Condition, ConditionProxy)
SyncManager.register("Barrier", _threading.Barrier, BarrierProxy, create_method=False)
SyncManager.register("list", list, ListProxy)
SyncManager.register("dict", dict, DictProxy)
SyncManager.register("Value", Value, ValueProxy)
SyncManager.register("Array", Array, ArrayProxy)
SyncManager.register("Namespace", Namespace, NamespaceProxy)
SyncManager.register("Iterator", proxytype=IteratorProxy, create_method=False)

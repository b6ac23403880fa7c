"""local: attributes of which each task has its own.

Guarantees: no step, for no task sees what another has put there. What a task has put there is given
up when the task ends. A subclass's `__init__` is called with the original arguments in each task that
uses the object.

How: before each access, the object's `__dict__` is made that of the running task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.registry import registry_of

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task


class _Storage:
    """What a local keeps for every task."""

    __slots__ = ("__weakref__", "arguments", "dicts", "kernel", "shown")

    def __init__(self, kernel: Kernel, arguments: tuple[Any, Any]) -> None:
        self.kernel = kernel
        self.arguments = arguments
        self.dicts: dict[Task, dict[str, Any]] = {}
        self.shown: dict[str, Any] | None = None
        """Which of them is the object's `__dict__` at present."""


def _show(self: Local) -> dict[str, Any]:
    """Make the running task's attributes those of the object."""
    storage: _Storage = object.__getattribute__(self, "_local__storage")
    task = storage.kernel.running
    own = storage.dicts.get(task)
    if own is None:
        own = storage.dicts[task] = {}
        registry_of(storage.kernel).remember_local(task, self)
        storage.shown = own
        object.__setattr__(self, "__dict__", own)
        kind = type(self)
        if kind.__init__ is not object.__init__:
            args, kwargs = storage.arguments
            kind.__init__(self, *args, **kwargs)
    if storage.shown is not own:
        storage.shown = own
        object.__setattr__(self, "__dict__", own)
    return own


def forget_local(local: Local, task: Task) -> None:
    """Give up what `task`, which ends, has put into `local`."""
    storage: _Storage = object.__getattribute__(local, "_local__storage")
    own = storage.dicts.pop(task, None)
    if own is not None and storage.shown is own:
        storage.shown = None
        object.__setattr__(local, "__dict__", {})


class Local:
    """See `threading.local`."""

    __slots__ = ("__dict__", "__weakref__", "_local__storage")
    __module__ = "_thread"

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401
        """Note down the arguments, with which `__init__` is called in each task."""
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        kernel = active_kernel()
        storage = _Storage(kernel, (args, kwargs))
        object.__setattr__(self, "_local__storage", storage)
        # The creating task's `__init__` is called by the interpreter.
        storage.shown = storage.dicts[kernel.running] = {}
        object.__setattr__(self, "__dict__", storage.shown)
        registry_of(kernel).remember_local(kernel.running, self)
        return self

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
        own = _show(self)
        if name == "__dict__":
            return own
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401
        if name == "__dict__":
            _refuse_dict(self)
        _show(self)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name == "__dict__":
            _refuse_dict(self)
        _show(self)
        object.__delattr__(self, name)


def _refuse_dict(self: Local) -> NoReturn:
    raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")


Local.__name__ = "_local"
Local.__qualname__ = "_local"

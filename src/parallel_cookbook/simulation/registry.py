"""What the simulation remembers of one process during one execution: its threads, hooks and names.

Nothing of the kind stands in a module's globals: executions must not see one another.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from parallel_cookbook.kernel import Kernel, Task

_IDENT_BASE = 0x7F00_0000_0000
_IDENT_STEP = 0x1000
_NATIVE_BASE = 100_000


class Registry:
    """One for each process of an execution."""

    __slots__ = (
        "atexits",
        "is_shutting_down",
        "locals",
        "main_thread",
        "pools",
        "profile_hook",
        "stack_size",
        "threading",
        "trace_hook",
        "unnamed",
    )

    def __init__(self) -> None:
        self.threading: ModuleType | None = None
        """The program's module `threading`, in which it may have put another excepthook."""
        self.main_thread: Any = None
        self.unnamed: dict[int, int] = {}
        """How many unnamed threads each task has created."""
        self.pools: dict[int, int] = {}
        """How many unnamed pools each task has created."""
        self.locals: dict[Task, list[weakref.ref[Any]]] = {}
        """The thread-local objects that each task has used."""
        self.atexits: list[Callable[[], object]] = []
        """Called, the last one first, when the main flow ends."""
        self.is_shutting_down = False
        self.stack_size = 0
        self.trace_hook: Any = None
        self.profile_hook: Any = None

    def remember_local(self, task: Task, local: Any) -> None:  # noqa: ANN401
        """Note down that `task` has something in `local`."""
        self.locals.setdefault(task, []).append(weakref.ref(local))

    def number_of_next_thread(self, creator: Task, label: str) -> str:
        """Return what follows "Thread-" in the name of the next unnamed thread.

        CPython counts the threads of a program. Here each task counts its own, so that a name does not
        depend on what other tasks do meanwhile: the main flow's are 1, 2, 3, and those that the first
        of these creates are 1.1, 1.2, 1.3.
        """
        number = self.unnamed.get(creator.uid, 0) + 1
        self.unnamed[creator.uid] = number
        return f"{label}.{number}" if label else str(number)

    def name_of_next_pool(self, creator: Task) -> str:
        """Return the name of the next unnamed pool of threads; numbered by its creator, from 0."""
        number = self.pools.get(creator.uid, 0)
        self.pools[creator.uid] = number + 1
        label = "" if creator is creator.group.main else f"{creator.uid}."
        return f"ThreadPoolExecutor-{label}{number}"


def registry_of(kernel: Kernel) -> Registry:
    """Return the registry of the running task's process."""
    state = kernel.running.group.state
    registry = state.get("registry")
    if registry is None:
        registry = state["registry"] = Registry()
    return registry


def ident_of(task: Task) -> int:
    """Return what `threading.get_ident()` says in `task`."""
    return _IDENT_BASE + _IDENT_STEP * task.uid


def native_id_of(task: Task) -> int:
    """Return what `threading.get_native_id()` says in `task`."""
    return _NATIVE_BASE + task.uid

"""What the processes of one execution share, and what each of them has for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from parallel_cookbook.kernel import active_kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel import Group, Kernel, Task
    from parallel_cookbook.simulation.processes.channels import End
    from parallel_cookbook.simulation.processes.process import BaseProcess
    from parallel_cookbook.simulation.processes.spawning import Popen

# Whatever the program shares, of any type.
# ruff: noqa: ANN401

_PID_BASE = 10_000
_FIRST_HANDLE = 3
DEFAULT_METHOD = "spawn"


class World:
    """What all processes of one execution have in common."""

    def __init__(self) -> None:
        self.shared: list[Any] = []
        """Objects of the simulation that were given to another process; pickled as their index."""
        self.started: dict[int, Popen] = {}
        """All processes that were started, by pid."""
        self.blocks: dict[str, Any] = {}
        """Named blocks of shared memory."""
        self.mapped: dict[int, tuple[Any, Any]] = {}
        """Where blocks are mapped: by its id, what a view of one says its memory is, and the cells."""

    def number_of(self, thing: object) -> int:
        """Return the number under which `thing` is pickled."""
        for number, known in enumerate(self.shared):
            if known is thing:
                return number
        self.shared.append(thing)
        return len(self.shared) - 1


class OwnState:
    """What one process has for itself: the globals of `multiprocessing`'s modules."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.pid = pid_of(group)
        self.parent_pid = _PID_BASE - 1
        self.depth = 0
        """How many processes are above it: its parent, the parent of that …"""
        self.current: BaseProcess | None = None
        self.parent: Any = None
        self.children: dict[BaseProcess, None] = {}
        """Those that were started and not yet seen to have ended, in this order."""
        self.created = 0
        """How many Process objects it has made."""
        self.created_names = 0
        """How many names of blocks it has made up."""
        self.is_preparing = False
        """Whether it still executes the main file, or unpickles what it is to do."""
        self.is_exiting = False
        self.method: str | None = None
        self.spawning: dict[Task, Popen] = {}
        """Which process each task is pickling for, at present."""
        self.finalizers: dict[tuple[float, int], Callable[[], object]] = {}
        """What is to be called when it ends: by priority, then the last made first."""
        self.made_finalizers = 0
        self.ends: dict[int, End] = {}
        """The open ends of pipes, by handle."""
        self.popen: Popen | None = None
        """What the parent knows of it."""
        self.on_new_end: Callable[[], object] = lambda: None
        """Called when it opens an end of a pipe."""

    def new_handle(self, end: Any) -> int:
        """Return the lowest number that is free, as the system does, and let it stand for `end`."""
        handle = _FIRST_HANDLE
        while handle in self.ends:
            handle += 1
        self.ends[handle] = end
        self.on_new_end()
        return handle


def pid_of(group: Group) -> int:
    """Return what `os.getpid()` says in a process."""
    return _PID_BASE + group.uid


def world_of(kernel: Kernel) -> World:
    """Return what the processes of the present execution share."""
    world: World | None = kernel.state.get("processes")
    if world is None:
        world = kernel.state["processes"] = World()
    return world


def own_state(kernel: Kernel) -> OwnState:
    """Return what the running task's process has for itself."""
    group = kernel.running.group
    state: OwnState | None = group.state.get("process")
    if state is None:
        state = group.state["process"] = OwnState(group)
    return state


def assert_spawning(obj: object) -> Popen:
    """Return the process that `obj` is being pickled for.

    Raises RuntimeError if it is pickled for anything else than the start of a process.
    """
    kernel = active_kernel()
    popen = own_state(kernel).spawning.get(kernel.running)
    if popen is None:
        raise RuntimeError(
            f"{type(obj).__name__} objects should only be shared between processes"
            " through inheritance"
        )
    return popen


def share(thing: object) -> int:
    """Return the number by which another process finds `thing`."""
    return world_of(active_kernel()).number_of(thing)


def shared(number: int) -> Any:
    """Return what another process has shared under this number."""
    return world_of(active_kernel()).shared[number]


def no_pickle(obj: object) -> NoReturn:
    """Raise what CPython raises for an object that cannot be pickled at all."""
    raise TypeError(f"cannot pickle {type(obj).__name__!r} object")

"""Where a check of a plain function begins: its module, its own copy of its arguments, and its replay.

The function's file is loaded privately for each execution, under the name of its module, as any program
under check is. The function is then found there, by its name, or by its place in the source.
"""

from __future__ import annotations

import functools
import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.asserts import AssertExplainer
from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.explain import NarratingHooks, narrate
from parallel_cookbook.check.payload import is_named, pack, source_file
from parallel_cookbook.check.program import Entry, is_installed
from parallel_cookbook.check.schedule import decode
from parallel_cookbook.errors import ReplayMismatchError, UsageError
from parallel_cookbook.instrument import file_of, strip_hook_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType, TracebackType

    from parallel_cookbook.check.fault import Fault
    from parallel_cookbook.events import Interleaving
    from parallel_cookbook.kernel import Task

# Functions and arguments are the program's: of them nothing is known.
# ruff: noqa: ANN401

_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", ".git")
"""What stands in the topmost folder of a project."""
_ASYNC_FLAGS = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_GENERATOR
_PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Home:
    """Where a function stands, and which files belong to the same program."""

    file: Path
    module: str
    root: Path
    """The folder that its module is imported from."""
    project: Path | None
    """The topmost folder of the project; None if nothing tells where that is."""

    def owns(self, file: Path) -> bool:
        """Whether a source file is part of the program: not installed, and below these folders."""
        folders = [folder for folder in (self.root, self.project) if folder is not None]
        return any(file.is_relative_to(one) for one in folders) and not is_installed(file)


def entry_of(
    function: Callable[..., object],
    arguments: Sequence[object] = (),
    *,
    include: Sequence[str] = (),
) -> Entry:
    """Return where the check of `function(*arguments)` begins.

    A plain function of a class, which needs an instance, gets a new one in each execution.

    Raises UsageError for a function without source that could be explored, UnsupportedError for one that
    holds, or is given, what cannot be made anew.
    """
    plain = _plain(function)
    name = plain.__qualname__
    home = home_of(plain)
    if is_installed(home.file) and home.module.partition(".")[0] not in include:
        package = home.module.partition(".")[0]
        raise UsageError(
            f"{name} belongs to {package!r}, which is installed and not explored: call it from a "
            f"function of your own, and name the package with include=[{package!r}]"
        )
    if plain.__code__.co_flags & _ASYNC_FLAGS:
        raise UsageError(
            f"{name} only returns a coroutine or generator when it is called: check a plain "
            "function that runs it to its end"
        )
    called = _with_instance(function)
    if called is plain and is_named(plain) and not arguments:
        # Its name is enough, and costs nothing in each execution.
        return Entry(home.file, home.module, name, root=home.root, project=home.project)
    return entry_at(home, name, Call(called, tuple(arguments)), _parts(plain, arguments))


def entry_at(home: Home, name: str, call: object, parts: Mapping[str, object]) -> Entry:
    """Return where the check of `call()` begins, which runs a function `name` of that home.

    parts: what `call` is made of, by the words that name each in a message; see `payload.pack`.
    """
    payload = pack(call, parts, home.owns)
    return Entry(
        home.file,
        home.module,
        name,
        root=home.root,
        payload=payload,
        project=home.project,
    )


def home_of(function: FunctionType) -> Home:
    """Return where `function` stands; UsageError if that is no file."""
    file = source_file(function)
    if file is None:
        raise UsageError(
            f"{function.__qualname__} has no source file ({function.__code__.co_filename}), and only "
            "source can be explored: write it into a file, and import it from there"
        )
    return home_at(file, function.__globals__.get("__name__", file.stem))


def home_at(file: Path, module: str, project: Path | None = None) -> Home:
    """Return where the functions of a file stand, which was imported under that name.

    project: a folder that is known to be the project's, if it lies further up than what is found.
    """
    if module == "__main__":
        spec = getattr(sys.modules["__main__"], "__spec__", None)
        module = file.stem if spec is None else spec.name
    is_package = file.stem == "__init__"
    names = module.split(".")
    levels = len(names) if is_package else len(names) - 1
    fits = names[-1] == (file.parent.name if is_package else file.stem)
    root = file.parents[levels] if fits and levels < len(file.parents) else file.parent
    found = [f for f in file.parents if any((f / name).exists() for name in _PROJECT_FILES)][:1]
    if project is not None and file.is_relative_to(project):
        found.append(project)
    return Home(file, module, root, min(found, key=lambda f: len(f.parts), default=None))


def _plain(function: Any) -> FunctionType:
    """Return the function of the program's own that a callable leads to."""
    found = function
    while isinstance(found, functools.partial | MethodType):
        found = found.func if isinstance(found, functools.partial) else found.__func__
    if isinstance(found, type):
        raise UsageError(f"{found.__qualname__} is a class: check a function that makes one of it")
    if not isinstance(found, FunctionType):
        found = inspect.getattr_static(type(found), "__call__", None)
    if not isinstance(found, FunctionType):
        raise UsageError(
            f"{function!r} has no Python source that could be explored: check a function that calls it"
        )
    return found


def _with_instance(function: Any) -> Any:
    """Return what is called: for a plain function of a class, a method of a new instance."""
    if not isinstance(function, FunctionType) or not is_named(function):
        return function
    *owners, name = function.__qualname__.split(".")
    owner: Any = sys.modules[function.__module__]
    for one in owners:
        owner = getattr(owner, one)
    if not isinstance(owner, type) or inspect.getattr_static(owner, name) is not function:
        return function
    try:
        inspect.signature(owner).bind()
    except TypeError:
        raise UsageError(
            f"{owner.__qualname__} cannot be made without arguments: check a function that makes one "
            f"and calls its {name}"
        ) from None
    return NewInstance(owner, name)


def _parts(function: FunctionType, arguments: Sequence[object]) -> dict[str, object]:
    """Return what a call is made of, in words."""
    parts: dict[str, object] = {}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells if not is_named(function) else ():
        try:
            parts[f"the variable {name!r} that {function.__name__} uses"] = cell.cell_contents
        except ValueError:
            continue  # not bound yet
    for number, argument in enumerate(arguments, 1):
        parts[f"argument {number}"] = argument
    return parts


@dataclass(frozen=True, slots=True)
class Call:
    """What each execution does: call a function."""

    function: Callable[..., object]
    arguments: tuple[object, ...] = ()

    def __call__(self) -> object:
        """Call it, and return its result."""
        return self.function(*self.arguments)


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A method of an instance that is made when it is called."""

    owner: type
    name: str

    def __call__(self, *arguments: Any) -> object:
        """Make the instance, and call its method."""
        return getattr(self.owner(), self.name)(*arguments)


# --- replay -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Replayed:
    """What one schedule does."""

    story: Interleaving
    faults: list[Fault]
    stdout: str
    errors: list[tuple[str, BaseException]] = field(default_factory=list)
    """What which task did not catch, in the order of time; tracebacks show the program's frames."""


def replay(
    entry: Entry,
    schedule: str,
    *,
    include: Sequence[str],
    max_steps: int,
    compare: Callable[[str, object, object], list[str] | None] = lambda *_: None,
) -> Replayed:
    """Execute the program under one schedule; failed asserts say what they compared.

    compare: see `AssertExplainer`. Raises ReplayMismatchError as `replay_entry` does.
    """
    try:
        return _replay(entry, schedule, include, max_steps, compare)
    except ReplayMismatchError:
        # A __repr__ that takes a lock is a step that the schedule does not have.
        return _replay(entry, schedule, include, max_steps, None)


def _replay(
    entry: Entry,
    schedule: str,
    include: Sequence[str],
    max_steps: int,
    compare: Callable[[str, object, object], list[str] | None] | None,
) -> Replayed:
    following, visible = decode(schedule)
    machine = Machine(entry, include=include, max_steps=max_steps, hooks=NarratingHooks)
    if compare is not None:
        machine.program.explain_asserts(AssertExplainer(machine.kernel, compare))
    errors: list[tuple[str, BaseException]] = []
    report = machine.kernel.on_uncaught

    def keep(task: Task, error: BaseException) -> None:
        report(task, error)
        errors.append((task.name, error))

    machine.kernel.on_uncaught = keep
    story, execution = narrate(machine, following, visible)
    following.finish(was_cut=execution.met_limit)
    for _, error in errors:
        error.__traceback__ = _own_frames(error.__traceback__, machine.program.module_of_file)
    return Replayed(story, execution.faults, execution.stdout, errors)


def _own_frames(traceback: TracebackType | None, files: Mapping[str, str]) -> TracebackType | None:
    """Return a traceback without the frames that are ours: how the program is executed."""
    ours = {
        code.co_filename
        for code in _codes_of(traceback)
        if code.co_filename not in files and file_of(code).is_relative_to(_PACKAGE)
    }
    return strip_hook_frames(traceback, also=ours)


def _codes_of(traceback: TracebackType | None) -> list[CodeType]:
    codes = []
    while traceback is not None:
        codes.append(traceback.tb_frame.f_code)
        traceback = traceback.tb_next
    return codes

"""Load the program under check into a private set of modules, afresh for each execution.

The program's own files, its main file and what it imports from the same folder, are rewritten and executed
anew each time, from code that is compiled once; so module-level state starts anew. What the main file
begins with is put back instead, where nothing can tell the difference: see check/prologue.py.
`threading`, `queue`, `time` and the like are the simulation. All else is the interpreter's own, shared and
untouched.
"""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.asserts import EXPLAIN
from parallel_cookbook.check.prologue import Beginning
from parallel_cookbook.check.rewritten import rewritten
from parallel_cookbook.check.schedule import key_of
from parallel_cookbook.check.space import STAND_INS, Space, find_source
from parallel_cookbook.errors import UsageError
from parallel_cookbook.instrument import builtins_with

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType, ModuleType

    from parallel_cookbook.check.asserts import Explainer
    from parallel_cookbook.check.payload import Payload
    from parallel_cookbook.instrument import SiteTable
    from parallel_cookbook.instrument.hooks import Hooks
    from parallel_cookbook.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a program begins: a file that is run, or a function in a module."""

    file: Path
    module: str = "__main__"
    function: str = ""
    """The function to call after the module has been executed; empty for a script."""
    arguments: tuple[str, ...] = ()
    """What `sys.argv` holds behind the file."""
    root: Path | None = None
    """The folder that the program's own modules are imported from; None: the file's own."""
    payload: Payload | None = None
    """What is called without arguments in place of `function`, which then only names it."""
    project: Path | None = None
    """Modules below this folder are the program's own too, unless they are installed packages."""


class Program:
    """A program that can be executed again and again, each time from nothing."""

    def __init__(
        self,
        entry: Entry,
        kernel: Kernel,
        sites: SiteTable,
        hooks: Hooks,
        *,
        include: Sequence[str] = (),
        on_new_sites: Callable[[], None] = lambda: None,
    ) -> None:
        self.entry = entry
        self.module_of_file: dict[str, str] = {}
        """For each rewritten file, the name of its module."""
        self._kernel = kernel
        self._sites = sites
        self._include = tuple(include)
        self._on_new_sites = on_new_sites
        self._root = entry.root or entry.file.resolve().parent
        self._codes: dict[str, tuple[CodeType, CodeType]] = {}
        """Of each rewritten file, its prologue and the rest; see check/prologue.py."""
        self._standard_codes: dict[str, CodeType] = {}
        self._beginning: Beginning | None = None
        """What the main module is put back to before each execution, instead of being made anew."""
        self._can_begin_again = True
        self.tracked: set[str] = set()
        """The keys of globals that are places although they are bound once."""
        self._origins: dict[str, Path | None] = {}
        self._explainer: Explainer | None = None
        self._new_scope = hooks.new_scope
        self.builtins = builtins_with(hooks)
        self.builtins["print"] = _print_at_once
        self._space = Space(self)

    def execute(self) -> object:
        """Execute the program once, in the running task; return what its function returned.

        `put_back` must have been called before.
        """
        self._kernel.running.group.space = self._space
        self._kernel.loader = self
        beginning = self._beginning
        main = self._begin() if beginning is None else self._space.resume(beginning)
        if self.entry.payload is not None:
            return self.entry.payload.make(self)()
        if not self.entry.function:
            return None
        return self._function_in(main)()

    def _begin(self) -> ModuleType:
        """Load the main module, and return it."""
        space = self._space
        parent, _, last = self.entry.module.rpartition(".")
        if parent and self.is_private(parent.partition(".")[0]):
            space.own(parent)
        main = space.load(self.entry.module, self.entry.file)
        if parent in space.modules:
            setattr(space.modules[parent], last, main)
        return main

    def put_back(self) -> None:
        """Get ready for the next execution, while none runs: what the last one has left is finalized now."""
        beginning = self._beginning
        if beginning is not None:
            codes = self._codes.get(str(self.entry.file))
            if self._can_begin_again and codes is not None and codes[1] is beginning.rest:
                if beginning.restore():
                    return
                self._can_begin_again = False
            self._beginning = None  # also where it is rewritten, to see more of it
        self._space = self.new_space()

    def note_beginning(self, space: Space, module: ModuleType) -> None:
        """Take note of what the main module of the first process is behind its prologue."""
        task = self._kernel.running
        if not self._can_begin_again or task.group is not self._kernel.root or task.created:
            return
        if module.__name__ != self.entry.module or space is not self._space:
            return
        _, rest = self._codes[str(self.entry.file)]
        beginning = Beginning(space, module, rest)
        self._can_begin_again = beginning.is_known
        if beginning.is_known:
            self._beginning = beginning

    def _function_in(self, main: ModuleType) -> Any:  # noqa: ANN401 - the program's
        """Return the function to call; UsageError if the module has none of that name."""
        found: Any = main
        for name in self.entry.function.split("."):
            try:
                found = getattr(found, name)
            except AttributeError:
                others = [
                    name
                    for name, value in vars(main).items()
                    if isinstance(value, FunctionType) and value.__module__ == main.__name__
                ]
                there = f"there are {', '.join(others)}" if others else "it defines none"
                raise UsageError(
                    f"{self.entry.file} has no function {self.entry.function!r}; {there}"
                ) from None
        if not callable(found):
            raise UsageError(f"{self.entry.function!r} in {self.entry.file} is no function")
        return found

    def new_space(self) -> Space:
        """Return the modules of one more process: none yet."""
        return Space(self)

    def track_also(self, file: str, name: str) -> bool:
        """Make the global `name` of `file` a place in later executions; say whether that is new."""
        key = _key_of_global(file, name)
        if key in self.tracked:
            return False
        self.tracked.add(key)
        self._codes.pop(file, None)
        return True

    def explain_asserts(self, explainer: Explainer) -> None:
        """Let the assertions of the program's own files say what they compared when they fail."""
        assert not self._codes, self._codes  # noqa: S101 - code is compiled once
        self._explainer = explainer
        self.builtins[EXPLAIN] = explainer.explain

    def module(self, name: str, file: Path | None = None) -> ModuleType:
        """Return the execution's own module of that name, the real one if it has none of its own.

        file: the file that it must be from, where several have the name, as pytest's conftest has.
        """
        if name == "__main__":
            name = self.entry.module
        if file is not None and not self._is_from(name, file):
            name = f"{name} in {file.parent}"
            return self._space.modules.get(name) or self._space.load(name, file)
        if name in self._space.modules or self.is_private(name.partition(".")[0]):
            return self._space.own(name)
        return importlib.import_module(name)

    def _is_from(self, name: str, file: Path) -> bool:
        known = self._space.modules.get(name)
        if known is None and self.is_private(name.partition(".")[0]):
            known = self._space.own(name)
        return known is not None and known.__file__ == str(file)

    def codes_of(self, module: ModuleType) -> tuple[CodeType, CodeType]:
        """Return the rewritten code of one of the program's own modules, in two parts."""
        return self._codes[str(module.__file__)]

    def new_scope(self) -> object:
        """Return an identity for one activation of a function; see `instrument.Hooks`."""
        return self._new_scope()

    @property
    def modules(self) -> dict[str, ModuleType]:
        """The private modules of the present execution's first process."""
        return self._space.modules

    def own_modules(self) -> list[ModuleType]:
        """Return the rewritten modules of the first process."""
        files = self.module_of_file
        modules = self._space.modules.values()
        return [one for one in modules if getattr(one, "__file__", None) in files]

    # --- for the processes ----------------------------------------------------------------------

    def code(self, file: Path, module: str) -> tuple[CodeType, CodeType]:
        """Return the rewritten code of a file, which is executed as `module`: its prologue, and the rest."""
        key = str(file)
        code = self._codes.get(key)
        if code is None:
            try:
                source = file.read_bytes()
            except OSError as error:
                raise UsageError(f"cannot read {key!r}: {error.strerror}") from None
            code = self._codes[key] = self._compile(key, source)
            if b"__builtins__" in source:
                self._can_begin_again = False  # it may change what all its modules share
            self.module_of_file[key] = module
            self._on_new_sites()
        return code

    def _names_to_track(self, file: str, source: bytes) -> frozenset[str]:
        if not self.tracked:
            return frozenset()
        names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        return frozenset(name for name in names if _key_of_global(file, name) in self.tracked)

    def _compile(self, file: str, source: bytes) -> tuple[CodeType, CodeType]:
        try:
            return rewritten(
                source,
                file,
                self._sites,
                names_to_track=self._names_to_track(file, source),
                is_private=self.is_private,
                explainer=self._explainer,
            )
        except SyntaxError as error:
            raise UsageError(f"{file}:{error.lineno}: {error.msg}; correct it first") from None
        except ValueError as error:  # null bytes, a coding that does not exist
            raise UsageError(f"{file} is no Python source: {error}") from None

    def standard_code(self, file: str) -> CodeType:
        """Return the code of a standard module's file, as it is."""
        code = self._standard_codes.get(file)
        if code is None:
            code = compile(Path(file).read_bytes(), file, "exec")
            self._standard_codes[file] = code
        return code

    def is_private(self, root: str) -> bool:
        """Whether each process has a module of its own of this top-level name."""
        return root in STAND_INS or self.file_of(root) is not None

    def file_of(self, root: str) -> Path | None:
        """Return the file of a top-level module of the program's own, None for anybody else's."""
        return self.entry.file if root == self.entry.module else self._origin(root)

    def _origin(self, root: str) -> Path | None:
        if root not in self._origins:
            found = find_source(root, [str(self._root)])
            if found is None and root != _OURSELVES:
                found = find_source(root, sys.path) or _loaded_from(root)
                if found is not None and not (root in self._include or self._owns(found)):
                    found = None
            self._origins[root] = found
        return self._origins[root]

    def _owns(self, file: Path) -> bool:
        project = self.entry.project
        return project is not None and file.is_relative_to(project) and not is_installed(file)


_OURSELVES = __name__.partition(".")[0]
"""Never the program's own, not even where this project itself is under test."""
_INSTALL_FOLDERS = {"site-packages", "dist-packages"}
_STANDARD_LIBRARY = Path(io.__file__).parent


def _key_of_global(file: str, name: str) -> str:
    return key_of("global", Path(file).name, name)


def is_installed(file: Path) -> bool:
    """Whether a source file is somebody else's: in the standard library, or installed with pip."""
    return not _INSTALL_FOLDERS.isdisjoint(file.parts) or file.is_relative_to(_STANDARD_LIBRARY)


def _loaded_from(name: str) -> Path | None:
    """Return the file of a module that was imported by other means than `sys.path`, or None."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file) if file and file.endswith(".py") else None


def _print_at_once(
    *values: object,
    sep: str | None = " ",
    end: str | None = "\n",
    file: Any = None,  # noqa: ANN401 - print's own signature
    flush: bool = False,
) -> None:
    """Stand in for `print`: one write a call, as a line printed at a terminal is."""
    text = io.StringIO()
    print(*values, sep=sep, end=end, file=text)
    target = sys.stdout if file is None else file
    if target is not None:
        target.write(text.getvalue())
        if flush:
            target.flush()

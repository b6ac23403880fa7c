"""Load the program under check into a private set of modules, afresh for each execution.

The program's own files, its main file and what it imports from the same folder, are rewritten and executed
anew each time, from code that is compiled once; so module-level state starts anew. `threading`, `queue`,
`time` and the like are the simulation. All else is the interpreter's own, shared and untouched.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.machinery
import importlib.util
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from parallel_cookbook.check.asserts import EXPLAIN
from parallel_cookbook.check.schedule import key_of
from parallel_cookbook.errors import UsageError
from parallel_cookbook.instrument import builtins_with, rewrite
from parallel_cookbook.simulation import SIMULATED, fresh_module
from parallel_cookbook.simulation.refused import (
    REFUSED_MODULES,
    atexit_module,
    is_refused,
    os_module,
    refusing_module,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parallel_cookbook.check.asserts import AssertExplainer
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
        self._codes: dict[str, CodeType] = {}
        self.tracked: set[str] = set()
        """The keys of globals that are places although they are bound once."""
        self._modules: dict[str, ModuleType] = {}
        self._origins: dict[str, Path | None] = {}
        self._explainer: AssertExplainer | None = None
        self._new_scope = hooks.new_scope
        self._builtins = builtins_with(hooks)
        self._builtins["__import__"] = self._import
        self._builtins["print"] = _print_at_once

    def execute(self) -> object:
        """Execute the program once, in the running task; return what its function returned."""
        self._modules = {}
        parent, _, last = self.entry.module.rpartition(".")
        if parent and self._is_private(parent.partition(".")[0]):
            self._module(parent)
        main = self._load(self.entry.module, self.entry.file)
        if parent in self._modules:
            setattr(self._modules[parent], last, main)
        if self.entry.payload is not None:
            return self.entry.payload.make(self)()
        if not self.entry.function:
            return None
        function: Any = main
        for name in self.entry.function.split("."):
            function = getattr(function, name)
        return function()

    def track_also(self, file: str, name: str) -> bool:
        """Make the global `name` of `file` a place in later executions; say whether that is new."""
        key = _key_of_global(file, name)
        if key in self.tracked:
            return False
        self.tracked.add(key)
        self._codes.pop(file, None)
        return True

    def explain_asserts(self, explainer: AssertExplainer) -> None:
        """Let the assertions of the program's own files say what they compared when they fail."""
        assert not self._codes, self._codes  # noqa: S101 - code is compiled once
        self._explainer = explainer
        self._builtins[EXPLAIN] = explainer.explain

    def module(self, name: str, file: Path | None = None) -> ModuleType:
        """Return the execution's own module of that name, the real one if it has none of its own.

        file: the file that it must be from, where several have the name, as pytest's conftest has.
        """
        if name == "__main__":
            name = self.entry.module
        if file is not None and not self._is_from(name, file):
            name = f"{name} in {file.parent}"
            return self._modules.get(name) or self._load(name, file)
        if name in self._modules or self._is_private(name.partition(".")[0]):
            return self._module(name)
        return importlib.import_module(name)

    def _is_from(self, name: str, file: Path) -> bool:
        known = self._modules.get(name)
        if known is None and self._is_private(name.partition(".")[0]):
            known = self._module(name)
        return known is not None and known.__file__ == str(file)

    def code_of(self, module: ModuleType) -> CodeType:
        """Return the rewritten code of one of the program's own modules."""
        return self._codes[str(module.__file__)]

    def new_scope(self) -> object:
        """Return an identity for one activation of a function; see `instrument.Hooks`."""
        return self._new_scope()

    @property
    def modules(self) -> dict[str, ModuleType]:
        """The private modules of the present execution."""
        return self._modules

    def own_modules(self) -> list[ModuleType]:
        """Return those of the private modules that are the program's own, rewritten ones."""
        files = self.module_of_file
        return [one for one in self._modules.values() if getattr(one, "__file__", None) in files]

    # --- loading --------------------------------------------------------------------------------

    def _load(self, name: str, file: Path) -> ModuleType:
        """Execute a file of the program as the module `name`."""
        code = self._code(file, name)
        module = ModuleType(name)
        module.__file__ = str(file)
        if file.name == "__init__.py":
            module.__path__ = [str(file.parent)]
            module.__package__ = name
        else:
            module.__package__ = name.rpartition(".")[0]
        space = vars(module)
        space["__builtins__"] = self._builtins
        self._modules[name] = module
        try:
            exec(code, space)  # noqa: S102 - executing the program is the purpose
        except BaseException:
            self._modules.pop(name, None)
            raise
        return module

    def _code(self, file: Path, module: str) -> CodeType:
        key = str(file)
        code = self._codes.get(key)
        if code is None:
            try:
                source = file.read_bytes()
            except OSError as error:
                raise UsageError(f"cannot read {key!r}: {error.strerror}") from None
            code = self._codes[key] = self._compile(key, source)
            self.module_of_file[key] = module
            self._on_new_sites()
        return code

    def _names_to_track(self, file: str, source: bytes) -> set[str]:
        if not self.tracked:
            return set()
        names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        return {name for name in names if _key_of_global(file, name) in self.tracked}

    def _compile(self, file: str, source: bytes) -> CodeType:
        try:
            return rewrite(
                source,
                file,
                self._sites,
                also_track=self._names_to_track(file, source),
                prepare=None if self._explainer is None else self._explainer.prepare,
            )
        except SyntaxError as error:
            raise UsageError(f"{file}:{error.lineno}: {error.msg}; correct it first") from None
        except ValueError as error:  # null bytes, a coding that does not exist
            raise UsageError(f"{file} is no Python source: {error}") from None

    def _import(
        self,
        name: str,
        space: dict[str, Any] | None = None,
        local_names: Any = None,  # noqa: ANN401 - __import__'s own signature
        wanted: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        """Stand in for `__import__` in the program's own files."""
        absolute = _absolute(name, space, level)
        root = absolute.partition(".")[0]
        if not self._is_private(root):
            return builtins.__import__(name, space, local_names, wanted, level)
        module = self._module(absolute)
        for attribute in wanted or ():
            if not hasattr(module, attribute) and hasattr(module, "__path__"):
                self._module_if_there(f"{absolute}.{attribute}")
        return module if wanted else self._module(root)

    def _is_private(self, root: str) -> bool:
        return root in _STAND_INS or self._origin(root) is not None

    def _module(self, name: str) -> ModuleType:
        module = self._modules.get(name)
        if module is not None:
            return module
        if name.partition(".")[0] in _STAND_INS:
            module = self._stand_in(name)
        else:
            parent, _, last = name.rpartition(".")
            if parent:
                owner = self._module(parent)
                origin = _find(last, list(getattr(owner, "__path__", ())))
            else:
                origin = self._origin(name)
            if origin is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            module = self._load(name, origin)
            if parent:
                setattr(self._module(parent), last, module)
        return module

    def _stand_in(self, name: str) -> ModuleType:
        """Return what stands for a standard module, new in each execution, with its parents."""
        if name in SIMULATED:
            module = fresh_module(name)
        elif name in _LOADED_ANEW:
            return self._load_anew(name)
        elif is_refused(name):
            module = refusing_module(name)
        elif name == "os":
            module = os_module()
        elif name == "atexit":
            module = atexit_module()
        else:
            module = _copy_of(name)
        self._modules[name] = module
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(self._module(parent), last, module)
        return module

    def _load_anew(self, name: str) -> ModuleType:
        """Execute a standard module's own source on the simulation; it has no points of its own."""
        file = str(importlib.util.find_spec(name).origin)  # type: ignore[union-attr]
        code = self._codes.get(file)
        if code is None:
            code = self._codes[file] = compile(Path(file).read_bytes(), file, "exec")
        module = ModuleType(name)
        module.__file__ = file
        module.__package__ = name.rpartition(".")[0] if "." in name else name
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": self._import}
        self._modules[name] = module
        exec(code, vars(module))  # noqa: S102 - the interpreter's own code
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(self._module(parent), last, module)
        return module

    def _module_if_there(self, name: str) -> None:
        try:
            self._module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise

    def _origin(self, root: str) -> Path | None:
        """Return the file of a top-level module of the program's own, None for anybody else's."""
        if root not in self._origins:
            found = _find(root, [str(self._root)])
            if found is None and root != _OURSELVES:
                found = _find(root, sys.path) or _loaded_from(root)
                if found is not None and not (root in self._include or self._owns(found)):
                    found = None
            self._origins[root] = found
        return self._origins[root]

    def _owns(self, file: Path) -> bool:
        project = self.entry.project
        return project is not None and file.is_relative_to(project) and not is_installed(file)


_LOADED_ANEW = frozenset({"logging", "logging.handlers", "sched"})
"""Standard modules that are right as they are, on simulated locks and a simulated clock."""
_STAND_INS = {
    name.partition(".")[0] for name in (*SIMULATED, *_LOADED_ANEW, *REFUSED_MODULES, "os", "atexit")
}
"""Top-level standard modules of which a program gets its own."""


_OURSELVES = __name__.partition(".")[0]
"""Never the program's own, not even where this project itself is under test."""
_INSTALL_FOLDERS = {"site-packages", "dist-packages"}
_STANDARD_LIBRARY = Path(io.__file__).parent


def _key_of_global(file: str, name: str) -> str:
    return key_of("global", Path(file).name, name)


def _copy_of(name: str) -> ModuleType:
    """Return a module with the names of the real one, for the program's own to be put into."""
    real = importlib.import_module(name)
    module = ModuleType(name, real.__doc__)
    vars(module).update(vars(real))
    return module


def is_installed(file: Path) -> bool:
    """Whether a source file is somebody else's: in the standard library, or installed with pip."""
    return not _INSTALL_FOLDERS.isdisjoint(file.parts) or file.is_relative_to(_STANDARD_LIBRARY)


def _loaded_from(name: str) -> Path | None:
    """Return the file of a module that was imported by other means than `sys.path`, or None."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file) if file and file.endswith(".py") else None


def _find(name: str, folders: list[str]) -> Path | None:
    """Return the source file of module `name` in one of the folders, or None."""
    spec = importlib.machinery.PathFinder.find_spec(name, folders)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


def _absolute(name: str, space: dict[str, Any] | None, level: int) -> str:
    if not level:
        return name
    package = (space or {}).get("__package__") or ""
    return importlib.util.resolve_name("." * level + name, package)


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

"""The modules of one process of the program, loaded for it alone, afresh in each execution.

The program's own files are executed from code that is compiled once; some standard modules are the
simulation, or executed anew on it. All else is the interpreter's own, shared and untouched.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation import SIMULATED, fresh_module
from parallel_cookbook.simulation.processes.os import os_module
from parallel_cookbook.simulation.refused import (
    REFUSED_MODULES,
    atexit_module,
    is_refused,
    refusing_module,
)
from parallel_cookbook.simulation.registry import registry_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

    from parallel_cookbook.check.program import Program
    from parallel_cookbook.check.prologue import Beginning

MAIN_NAMES = ("__main__", "__mp_main__")
"""What the main module is called: in the first process, and in the others."""


class Space:
    """The modules that the tasks of one process see."""

    def __init__(self, program: Program) -> None:
        self.modules: dict[str, ModuleType] = {}
        """Those of its own, by name."""
        self._program = program
        self._builtins = {**program.builtins, "__import__": self._import}

    def prepare(self) -> None:
        """Do what a spawned process does first: execute the main file, not as the main program."""
        entry = self._program.entry
        if entry.module == "__main__":
            self.modules["__main__"] = self.load("__mp_main__", entry.file)

    def find(self, name: str) -> ModuleType | None:
        """Return this process's own module of that name, loaded if need be; None if it is shared."""
        known = self.modules.get(name)
        if known is not None:
            return known
        if name in MAIN_NAMES:
            return next((self.modules[one] for one in MAIN_NAMES if one in self.modules), None)
        return self.own(name) if self._program.is_private(name.partition(".")[0]) else None

    # --- loading --------------------------------------------------------------------------------

    def load(self, name: str, file: Path) -> ModuleType:
        """Execute a file of the program as the module `name`."""
        prologue, rest = self._program.code(file, name)
        module = ModuleType(name)
        module.__file__ = str(file)
        if file.name == "__init__.py":
            module.__path__ = [str(file.parent)]
            module.__package__ = name
        else:
            module.__package__ = name.rpartition(".")[0]
        vars(module)["__builtins__"] = self._builtins
        self.modules[name] = module
        self._execute(prologue, module)
        self._program.note_beginning(self, module)
        self._execute(rest, module)
        return module

    def resume(self, beginning: Beginning) -> ModuleType:
        """Execute the module behind its prologue, once more; it was put back."""
        if "threading" in self.modules:
            registry_of(active_kernel()).threading = self.modules["threading"]
        self._execute(beginning.rest, beginning.module)
        return beginning.module

    def _execute(self, code: CodeType, module: ModuleType) -> None:
        try:
            exec(code, vars(module))  # noqa: S102 - executing the program is the purpose
        except BaseException:
            self.modules.pop(module.__name__, None)
            raise

    def own(self, name: str) -> ModuleType:
        """Return this process's own module of that name; ModuleNotFoundError if there is none."""
        module = self.modules.get(name)
        if module is not None:
            return module
        if name.partition(".")[0] in STAND_INS:
            module = self._stand_in(name)
        else:
            parent, _, last = name.rpartition(".")
            if parent:
                owner = self.own(parent)
                origin = find_source(last, list(getattr(owner, "__path__", ())))
            else:
                origin = self._program.file_of(name)
            if origin is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            module = self.load(name, origin)
            if parent:
                setattr(self.own(parent), last, module)
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
        self.modules[name] = module
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(self.own(parent), last, module)
        return module

    def _load_anew(self, name: str) -> ModuleType:
        """Execute a standard module's own source on the simulation; it has no points of its own."""
        spec = importlib.util.find_spec(name)
        assert spec is not None  # noqa: S101 - it is a standard module
        file = str(spec.origin)
        code = self._program.standard_code(file)
        module = ModuleType(name)
        module.__file__ = file
        module.__package__ = spec.parent
        if spec.submodule_search_locations is not None:
            module.__path__ = list(spec.submodule_search_locations)
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": self._import}
        self.modules[name] = module
        exec(code, vars(module))  # noqa: S102 - the interpreter's own code
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(self.own(parent), last, module)
        return module

    def _module_if_there(self, name: str) -> None:
        try:
            self.own(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise

    def _import(
        self,
        name: str,
        space: dict[str, Any] | None = None,
        local_names: Any = None,  # noqa: ANN401 - __import__'s own signature
        wanted: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        """Stand in for `__import__` in the program's own files."""
        absolute = absolute_name(name, space, level)
        root = absolute.partition(".")[0]
        if not self._program.is_private(root):
            return builtins.__import__(name, space, local_names, wanted, level)
        module = self.own(absolute)
        for attribute in wanted or ():
            if not hasattr(module, attribute) and hasattr(module, "__path__"):
                self._module_if_there(f"{absolute}.{attribute}")
        return module if wanted else self.own(root)


class SeenModules(dict[str, ModuleType]):
    """What a process sees as `sys.modules`: its own modules among those that are shared.

    A module that is stored or deleted is so where the process will look for it.
    """

    def __init__(self, space: Space) -> None:
        super().__init__({**sys.modules, **space.modules})
        self._own = space.modules

    def __setitem__(self, name: str, module: ModuleType) -> None:
        super().__setitem__(name, module)
        (self._own if name in self._own else sys.modules)[name] = module

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        del (self._own if name in self._own else sys.modules)[name]

    def pop(self, name: str, *default: Any) -> Any:  # noqa: ANN401 - dict's own signature
        """Take a module out, as `del` does."""
        if name in self:
            module = self[name]
            del self[name]
            return module
        return super().pop(name, *default)


_LOADED_ANEW = frozenset({"logging", "logging.handlers", "multiprocessing.dummy", "sched"})
"""Standard modules that are right as they are, on simulated locks and a simulated clock."""
STAND_INS = {
    name.partition(".")[0] for name in (*SIMULATED, *_LOADED_ANEW, *REFUSED_MODULES, "os", "atexit")
}
"""Top-level standard modules of which a program gets its own."""


def _copy_of(name: str) -> ModuleType:
    """Return a module with the names of the real one, for the program's own to be put into."""
    real = importlib.import_module(name)
    module = ModuleType(name, real.__doc__)
    vars(module).update(vars(real))
    return module


def find_source(name: str, folders: list[str]) -> Path | None:
    """Return the source file of module `name` in one of the folders, or None."""
    spec = importlib.machinery.PathFinder.find_spec(name, folders)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


def absolute_name(name: str, space: dict[str, Any] | None, level: int) -> str:
    """Return the full name of a module that is imported relative to the package of `space`."""
    if not level:
        return name
    package = (space or {}).get("__package__") or ""
    return importlib.util.resolve_name("." * level + name, package)

"""Run a program in this process as Python itself would: a file, a module, or one function of a file."""

from __future__ import annotations

import os
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

from parallel_cookbook.trace.recorder.frames import hide_own_frames


def execute(kind: str, name: str, function: str, arguments: list[str]) -> None:
    """Run the program.

    kind: "file" or "module": what `name` is.
    function: if it is not empty, only this function of the file is called; the file is then imported as a
        spawned child imports it, under the name `__mp_main__`.
    """
    sys.argv[:] = [name, *arguments]
    hide_own_frames()
    if kind == "module":
        _execute_module(name)
    else:
        _execute_file(name, function)


def _execute_module(name: str) -> None:
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())
    sys.argv[0] = "-m"
    import runpy

    sys.modules["__main__"] = ModuleType("__main__")
    runpy._run_module_as_main(name)  # type: ignore[attr-defined]


def _execute_file(file: str, function: str) -> None:
    if not sys.flags.safe_path:
        sys.path.insert(0, os.path.dirname(os.path.realpath(file)))
    program = ModuleType("__mp_main__" if function else "__main__")
    program.__file__ = file
    program.__loader__ = SourceFileLoader(program.__name__, file)
    vars(program).update(__builtins__=__builtins__, __cached__=None)
    if sys.version_info < (3, 14):
        program.__annotations__ = {}
    sys.modules["__main__"] = program
    if function:
        # Where children look for the file's functions and classes.
        sys.modules["__mp_main__"] = program
    with open(file, "rb") as source:
        code = compile(source.read(), file, "exec", dont_inherit=True)
    exec(code, vars(program))  # noqa: S102
    if function:
        getattr(program, function)()

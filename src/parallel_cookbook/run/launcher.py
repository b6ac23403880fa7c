"""Start a program as `python FILE` would, but with another default start method for processes.

A script of its own, run in a fresh interpreter: `python launcher.py METHOD FILE [ARGUMENT …]`.
It leaves no trace of its own in what the program sees (`sys.argv`, `sys.path[0]`, the module
`__main__`), because a spawned child imports its parent's main file again and must find the
program there.

The method is a default: a program that calls `multiprocessing.set_start_method` itself, or asks for
a context by name, gets what it asks for, as it would under plain `python`.
"""

import multiprocessing
import sys
from pathlib import Path
from types import ModuleType


def set_default_start_method(method: str) -> None:
    """Make `method` what processes are started with where the program does not choose."""
    # `set_start_method` would forbid the program to choose for itself, so the default itself is
    # replaced: the same attribute on CPython 3.11 to 3.14 (Lib/multiprocessing/context.py).
    default = multiprocessing.context._default_context  # noqa: SLF001
    default._default_context = multiprocessing.get_context(method)  # type: ignore[attr-defined]  # noqa: SLF001


def execute(file: str) -> None:
    """Execute `file` as the module `__main__`; report an uncaught exception as Python does."""
    sys.path[0] = str(Path(file).resolve().parent)
    program = ModuleType("__main__")
    program.__file__ = file
    sys.modules["__main__"] = program
    # multiprocessing has bound this name to the launcher; children send objects of its classes.
    sys.modules["__mp_main__"] = program
    try:
        exec(compile(Path(file).read_bytes(), file, "exec"), vars(program))  # noqa: S102
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the program's own
        own_frame = error.__traceback__
        shown = error.with_traceback(own_frame and own_frame.tb_next)
        sys.excepthook(type(shown), shown, shown.__traceback__)
        sys.exit(1)


if __name__ == "__main__":
    set_default_start_method(sys.argv[1])
    sys.argv = sys.argv[2:]
    execute(sys.argv[0])

"""Start a program as `python FILE` would, but with another default start method, or one function.

A script of its own, run in a fresh interpreter: `python launcher.py METHOD FUNCTION FILE
[ARGUMENT …]`, where an empty METHOD leaves Python's own, and an empty FUNCTION runs the file. It
leaves no trace of its own in what the program sees (`sys.argv`, `sys.path[0]`, the module
`__main__`), because a spawned child imports its parent's main file again and must find the
program there.

The method is a default: a program that calls `multiprocessing.set_start_method` itself, or asks for
a context by name, gets what it asks for, as it would under plain `python`.
"""

import multiprocessing
import sys
from pathlib import Path
from types import ModuleType, TracebackType


def set_default_start_method(method: str) -> None:
    """Make `method` what processes are started with where the program does not choose."""
    # `set_start_method` would forbid the program to choose for itself, so the default itself is
    # replaced: the same attribute on CPython 3.11 to 3.14 (Lib/multiprocessing/context.py).
    default = multiprocessing.context._default_context  # noqa: SLF001
    default._default_context = multiprocessing.get_context(method)  # type: ignore[attr-defined]  # noqa: SLF001


def execute(file: str, function: str) -> None:
    """Execute `file` as the module `__main__`, or call `function` of it.

    For a function the file is imported as a spawned child imports it, under the name `__mp_main__`:
    nothing under `if __name__ == "__main__":` runs, and every child knows the file's functions and
    classes by the name under which they are pickled here.
    """
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(file).resolve().parent)
    program = ModuleType("__mp_main__" if function else "__main__")
    program.__file__ = file
    sys.modules["__main__"] = program
    # multiprocessing has bound this name to the launcher; children send objects of its classes.
    sys.modules["__mp_main__"] = program
    try:
        exec(compile(Path(file).read_bytes(), file, "exec"), vars(program))  # noqa: S102
        if function:
            getattr(program, function)()
    except SystemExit:
        raise
    except BaseException:  # KeyboardInterrupt too: Python is to die of it as it always does
        hide_own_frames()
        raise


def hide_own_frames() -> None:
    """Let the traceback of an uncaught exception begin where the program begins."""
    hook = sys.excepthook  # the program's, if it has set one

    def show(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
            traceback = traceback.tb_next
        hook(kind, error.with_traceback(traceback), traceback)

    sys.excepthook = show


if __name__ == "__main__":
    method, function, *sys.argv = sys.argv[1:]
    if method:
        set_default_start_method(method)
    execute(sys.argv[0], function)

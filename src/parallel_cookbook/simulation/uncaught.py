"""What happens to an exception that nobody catches in a thread.

`threading.excepthook` decides. The default one prints the traceback to `sys.stderr`, as CPython's does,
and tells the kernel, for which it is a failure of the program. A program that has put another hook into
its `threading` handles the exception itself, and the kernel hears nothing.
"""

from __future__ import annotations

import _thread
import sys
import traceback
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.registry import ident_of, registry_of

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel
    from parallel_cookbook.simulation.threads import Thread

ExceptHookArgs: Any = _thread._ExceptHookArgs  # noqa: SLF001
_print: Any = _thread._excepthook  # noqa: SLF001


def excepthook(args: Any, /) -> None:  # noqa: ANN401
    """Print an uncaught exception of a thread, unless it is SystemExit, and note it down as a failure."""
    if args.thread is None:
        # The real one would look up the number of the real thread.
        stranger = SimpleNamespace(name=ident_of(active_kernel().running))
        args = ExceptHookArgs((args.exc_type, args.exc_value, args.exc_traceback, stranger))
    _print(args)
    if args.exc_type is not SystemExit:
        kernel = active_kernel()
        error = args.exc_value
        if error is None:
            error = args.exc_type()
        kernel.on_uncaught(kernel.running, error)


def report_uncaught(kernel: Kernel, thread: Thread, error: BaseException) -> None:
    """Hand `error`, which ends `thread`, to the program's hook, or to the default one."""
    module = registry_of(kernel).threading
    hook = excepthook if module is None else getattr(module, "excepthook", None) or excepthook
    args = ExceptHookArgs((type(error), error, error.__traceback__, thread))
    if hook is excepthook:
        excepthook(args)
        return
    try:
        hook(args)
    except Exception as failure:  # noqa: BLE001 - whatever the program's hook raises
        failure.__suppress_context__ = True
        stderr = sys.stderr or thread._stderr  # noqa: SLF001
        print("Exception in threading.excepthook:", file=stderr, flush=True)
        sys.excepthook(type(failure), failure, failure.__traceback__)
        kernel.on_uncaught(kernel.running, failure)


def report_ignored(kernel: Kernel, function: object, error: BaseException) -> None:
    """Print what ended a thread of `_thread.start_new_thread`, and note it down as a failure."""
    if isinstance(error, SystemExit):
        return
    message = f"Exception ignored in thread started by: {function!r}"
    if sys.unraisablehook is sys.__unraisablehook__:
        print(message, file=sys.stderr)  # noqa: T201 - as CPython does
        traceback.print_exception(error, file=sys.stderr)
    else:
        args: Any = SimpleNamespace(
            exc_type=type(error),
            exc_value=error,
            exc_traceback=error.__traceback__,
            err_msg="Exception ignored in thread started by",
            object=function,
        )
        if sys.version_info >= (3, 13):
            args.err_msg, args.object = f"{args.err_msg} {function!r}", None
        sys.unraisablehook(args)
    kernel.on_uncaught(kernel.running, error)

"""What a program finds around it: standard streams, arguments, and a garbage collector that rests."""

from __future__ import annotations

import gc
import io
import sys
from typing import TYPE_CHECKING, Self

from mypy_extensions import mypyc_attr

from parallel_cookbook.kernel import Killed, Operation

if TYPE_CHECKING:
    from parallel_cookbook.check.program import Entry
    from parallel_cookbook.kernel import Kernel

MAX_KEPT_OUTPUT = 65_536
"""Characters of output that an outcome keeps."""


@mypyc_attr(native_class=False)
class Output(io.TextIOBase):
    """The program's standard output: each write is a step, because its order can be seen."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self._kernel = kernel
        self._write: Operation | None = None
        self._pieces: list[str] = []
        self._room = MAX_KEPT_OUTPUT
        self._attributes = len(vars(self)) + 1

    def renewed(self) -> Output:
        """Return one without anything in it: this one, if the program has left it as it was."""
        if self.closed or len(vars(self)) != self._attributes:
            return Output(self._kernel)
        self._write = None
        self._pieces.clear()
        self._room = MAX_KEPT_OUTPUT
        return self

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def write(self, text: str, /) -> int:
        """Keep `text`, as long as there is room. One step, once the program has a second task."""
        kernel = self._kernel
        if len(kernel.tasks) > 1 and not kernel.is_unwinding:
            if self._write is None:
                self._write = Operation("print", kernel.shared_target("output", name="stdout"))
            kernel.point(self._write)
        if self._room > 0:
            self._pieces.append(text[: self._room])
            self._room -= len(text)
        return len(text)

    def count_kept(self) -> int:
        """Return how much has been printed, as far as it is kept."""
        return MAX_KEPT_OUTPUT - self._room

    def text(self) -> str:
        """Return what was written, as far as it is kept."""
        return "".join(self._pieces)


@mypyc_attr(native_class=False)
class _Discard(io.TextIOBase):
    """The program's standard error: failures are reported by us."""

    def write(self, text: str, /) -> int:
        return len(text)


class Surroundings:
    """Lets the interpreter look as it does to a program of its own, and keeps it still.

    The cyclic garbage collector rests: when it runs finalizers would not be repeatable.
    """

    _nothing = _Discard()

    def __init__(self, output: Output, entry: Entry) -> None:
        self._output = output
        self._arguments = [str(entry.file), *entry.arguments]

    def renew_output(self) -> Output:
        """Forget what has been printed: by finalizers of the last execution. Return the output."""
        self._output = sys.stdout = self._output.renewed()
        return self._output

    def __enter__(self) -> Self:
        self._before = sys.stdout, sys.stderr, sys.argv
        self._was_collecting = gc.isenabled()
        gc.disable()
        # What is left of an execution may be finalized later, and would use primitives that are no more.
        sys.unraisablehook = _silent_about_killed
        sys.stdout, sys.stderr, sys.argv = self._output, self._nothing, self._arguments
        return self

    def __exit__(self, *_error: object) -> None:
        sys.stdout, sys.stderr, sys.argv = self._before
        if self._was_collecting:
            gc.enable()


def _silent_about_killed(news: sys.UnraisableHookArgs) -> None:
    if news.exc_type is not Killed:
        sys.__unraisablehook__(news)

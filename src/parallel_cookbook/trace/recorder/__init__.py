"""The recorder: what is loaded into each process of a traced program.

`begin` is the way in. It opens this process' tape and puts our functions in the place of the
standard library's; `again_in_child` does the former after a fork, where the latter is inherited.
"""

from __future__ import annotations

import atexit
import os
import threading

from parallel_cookbook.trace.recorder import patching
from parallel_cookbook.trace.recorder import threads as threads
from parallel_cookbook.trace.recorder.layout import BEGIN, END
from parallel_cookbook.trace.recorder.tape import tape


def begin(folder: str, **about: object) -> None:
    """Record this process from now on, in a file of its own in `folder`.

    about: words for the reader: name, method, parent.
    """
    tape.open(folder, **about)
    atexit.register(end)  # the first to be registered is the last to run
    os.register_at_fork(after_in_child=_again_in_child)
    patching.install()
    _begin_main()


def end() -> None:
    """Note that this process ends here, as it should."""
    tape.write(END)
    tape.finish()


def _again_in_child() -> None:
    if tape.folder:
        tape.open(tape.folder, inherits=tape.stem, method="fork")
        _begin_main()


def _begin_main() -> None:
    threads.describe(threading.current_thread(), is_helper=False)
    tape.write(BEGIN, value=threads.MAIN)

"""The recorder: what is loaded into each process of a traced program.

`begin` is the way in. It opens this process' tape and puts our functions in the place of the standard
library's. In a forked child the latter is inherited, and the former done anew.
"""

from __future__ import annotations

import atexit
import os
import threading

from parallel_cookbook.trace.recorder import (
    conditions,
    frames,
    messages,
    patching,
    pools,
    processes,
    proxies,
    queues,
    sampler,
    shared,
    threads,
)
from parallel_cookbook.trace.recorder.layout import BEGIN, END
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.waiting import inside

PARTS = (threads, conditions, queues, processes, shared, messages, pools, proxies)
"""Imported for what they register with `patching`."""
_ended: list[int] = []
"""The pid of a process that has noted its end."""


def begin(folder: str, **about: object) -> None:
    """Record this process from now on, in a file of its own in `folder`.

    about: words for the reader: name, method, parent.
    """
    tape.open(folder, **about)
    atexit.register(end)  # the first to be registered is the last to run
    os.register_at_fork(after_in_child=_again_in_child)
    patching.install()
    _begin_main()
    sampler.begin()


def begin_in_child(folder: str, about: dict[str, object]) -> None:
    """Record this process, which was spawned by a recorded one."""
    if not tape.folder:
        begin(folder, **about)


def end() -> None:
    """Note that this process ends here, as it should; once."""
    if os.getpid() not in _ended:
        _ended.append(os.getpid())
        sampler.sampler.stop()
        tape.write(END, value=len(frames.uncaught))
        tape.finish()


def _again_in_child() -> None:
    if tape.folder:
        inside.clear()
        sampler.sampler.forget()
        tape.open(tape.folder, inherits=tape.stem, method="fork")
        _begin_main()
        sampler.sampler.look_once()
        sampler.sampler.start()


def _begin_main() -> None:
    threads.describe(threading.current_thread(), is_helper=False, serial=threads.MAIN)
    tape.write(BEGIN, value=threads.MAIN)

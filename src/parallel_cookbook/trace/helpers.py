"""Which threads are the library's own, and which it started to run the program's code.

A thread that the standard library starts is its helper, unless the program's code runs in it: a worker of an
executor or of a thread pool, a server's thread that handles a request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parallel_cookbook.trace.recording import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parallel_cookbook.trace.recording import Record

SERVANT = re.compile(r"QueueFeederThread|\(_handle_(workers|tasks|results)\)|ExecutorManagerThread")
"""Threads of multiprocessing and concurrent.futures that do nothing that nobody has asked them to."""
WORKER = re.compile(r"PoolWorker-\d+$|^ThreadPoolExecutor-")
"""Names of workers that the program has not named itself."""


def is_helper(name: str, *, runs_program: bool) -> bool:
    """Whether a thread that the library started is its helper.

    runs_program: it did a piece of work, or was seen at a line of the program.
    """
    if SERVANT.search(name):  # whatever the program's objects do when they are pickled there
        return True
    return not runs_program and WORKER.search(name) is None


def run_program(records: Iterable[Record]) -> set[int]:
    """Return the tasks that did a piece of work, or were seen at a line of the program."""
    return {record.task for record in records if record.kind == Kind.WORK or record.site >= 0}

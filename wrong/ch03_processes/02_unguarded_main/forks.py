"""Changes the start method to fork.

Where there is a fork the message goes away. On other systems there is none, and what
may be changed was something else.

Rejected: harness-changed
"""

from collections.abc import Sequence
from multiprocessing import get_context


def job(name: str) -> None:
    """Do one of the night's jobs."""
    print(f"{name} is done")


def main(names: Sequence[str] = ("backup", "report")) -> None:
    jobs = [get_context("fork").Process(target=job, args=(name,)) for name in names]
    for process in jobs:
        process.start()
    for process in jobs:
        process.join()
    failed = [process.name for process in jobs if process.exitcode]
    if failed:
        raise ChildProcessError(f"these jobs failed: {failed}")
    assert all(process.exitcode == 0 for process in jobs)


main()

"""Start the night's jobs from a script.

On the Linux server the script was fine. On a colleague's Mac every job ends with a long
message about a "bootstrapping phase", although not a line was changed.

What must hold
--------------
Every job ends well, under the start method spawn.

What you may change
-------------------
`__main__`, the lines at the end of the file

Fails: exception
Run: for real
"""

from collections.abc import Sequence
from multiprocessing import get_context


def job(name: str) -> None:
    """Do one of the night's jobs."""
    print(f"{name} is done")


def main(names: Sequence[str] = ("backup", "report")) -> None:
    jobs = [get_context("spawn").Process(target=job, args=(name,)) for name in names]
    for process in jobs:
        process.start()
    for process in jobs:
        process.join()
    failed = [process.name for process in jobs if process.exitcode]
    if failed:
        raise ChildProcessError(f"these jobs failed: {failed}")
    assert all(process.exitcode == 0 for process in jobs)


# TODO: who executes this line?
main()

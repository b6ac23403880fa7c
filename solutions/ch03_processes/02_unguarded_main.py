"""Start the night's jobs from a script.

Why it is right
---------------
A spawned process imports the file to find `job`. The file's name is then not `__main__`
(it is `__mp_main__`), so the guarded call is not made again, and the job does not try
to start the jobs.

The guard is needed for spawn and forkserver, does no harm under fork, and makes a file
importable, by tests for instance.
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


if __name__ == "__main__":
    main()

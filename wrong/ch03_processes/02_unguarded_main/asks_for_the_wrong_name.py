"""Guards the call with the file's own name.

Started by hand the file is called `__main__`. Now nobody starts any job.

Rejected: not-run
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


if __name__ == "unguarded_main":
    main()

"""An unguarded main module that looks at the exit codes of its processes."""

from multiprocessing import Process


def job(name):
    print(name)


def main():
    jobs = [Process(target=job, args=(name,)) for name in ("backup", "report")]
    for process in jobs:
        process.start()
    for process in jobs:
        process.join()
    failed = [process.name for process in jobs if process.exitcode]
    if failed:
        raise ChildProcessError(f"these jobs failed: {failed}")


main()

"""Takes the lock of the device with the lower number, and no other.

That keeps the two jobs apart. It does not keep others from the second device.

Rejected: assertion
"""

from collections.abc import Callable
from functools import partial
from threading import Lock, Thread


class Device:
    """Something that one job at a time can use. `lock` guards `jobs`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lock = Lock()
        self.jobs: list[str] = []


def use_both(first: Device, second: Device, job: str) -> None:
    """Do a job that needs both devices, as soon as they are free."""
    lower = min(first, second, key=lambda device: device.number)
    with lower.lock:
        first.jobs.append(job)
        second.jobs.append(job)


def watch(device: Device) -> None:
    """See to it that nobody uses a device while one holds its lock."""
    with device.lock:
        before = len(device.jobs)
        assert len(device.jobs) == before, "somebody uses it without the lock"


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(jobs: tuple[str, str] = ("copy", "scan")) -> None:
    scanner, printer = Device(1), Device(2)
    run_together(
        partial(use_both, scanner, printer, jobs[0]),
        partial(use_both, printer, scanner, jobs[1]),
    )
    run_together(
        partial(use_both, printer, scanner, "last"),
        partial(watch, scanner),
        partial(watch, printer),
    )
    assert sorted(scanner.jobs) == sorted([*jobs, "last"]), scanner.jobs
    assert scanner.jobs == printer.jobs, (scanner.jobs, printer.jobs)


if __name__ == "__main__":
    main()

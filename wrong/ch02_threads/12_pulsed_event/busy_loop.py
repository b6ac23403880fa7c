"""Looks again and again until the version is newer.

It comes to the right end, but each waiting worker keeps asking, and reads the version
while it may be just being written.

Rejected: data-race
"""

import time
from collections.abc import Callable
from threading import Event, Thread


class Configuration:
    """The present version, and how to hear of a newer one."""

    def __init__(self) -> None:
        self.version = 1
        self.changed = Event()

    def publish(self) -> None:
        """Make a new version, and wake all who wait for one."""
        self.version += 1
        self.changed.set()
        self.changed.clear()

    def wait_for_newer(self, version: int) -> int:
        """Return the version as soon as it is newer than that."""
        while self.version <= version:
            time.sleep(0.01)
        return self.version


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(workers: int = 2) -> None:
    configuration = Configuration()
    published: list[bool] = []
    got: list[int] = []

    def publisher() -> None:
        published.append(True)
        configuration.publish()

    def worker() -> None:
        version = configuration.wait_for_newer(1)
        assert published, f"version {version} is not there yet"
        got.append(version)

    run_together(publisher, *[worker for _ in range(workers)])
    assert got == [2] * workers, got


if __name__ == "__main__":
    main()

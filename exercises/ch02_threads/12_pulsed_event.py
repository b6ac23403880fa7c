"""Tell everybody of a new configuration.

When the configuration changes, the workers have to read it anew. So the publisher sets
an event, which wakes all who wait, and clears it at once, so that it can be set again
next time. Now and then a worker sleeps through it.

What must hold
--------------
`wait_for_newer(version)` returns as soon as there is a newer version, also if it came
before the call; nobody keeps a processor busy while he waits.

What you may change
-------------------
`Configuration`

Fails: deadlock
Races: error
Busy-wait: rejected
Also: main(workers=1)
"""

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
        # TODO: somebody sleeps on.
        self.changed.set()
        self.changed.clear()

    def wait_for_newer(self, version: int) -> int:
        """Return the version as soon as it is newer than that."""
        self.changed.wait()
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

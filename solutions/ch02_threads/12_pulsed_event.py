"""Tell everybody of a new configuration.

Why it is right
---------------
The worker waits for a *state*, "there is a version newer than mine", and looks at it
before he waits and after each waking. A version that came before he asked is found by
the first look. None is missed between the look and the sleep, because `wait` lets go of
the lock and falls asleep as one step, and the version changes only under that lock.

An event that is set and cleared at once is a shout: who is not listening at that moment
has not heard it.
"""

from collections.abc import Callable
from threading import Condition, Thread


class Configuration:
    """The present version, and how to hear of a newer one. `changed` guards `version`."""

    def __init__(self) -> None:
        self.version = 1
        self.changed = Condition()

    def publish(self) -> None:
        """Make a new version, and wake all who wait for one."""
        with self.changed:
            self.version += 1
            self.changed.notify_all()

    def wait_for_newer(self, version: int) -> int:
        """Return the version as soon as it is newer than that."""
        with self.changed:
            self.changed.wait_for(lambda: self.version > version)
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

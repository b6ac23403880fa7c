"""Looks once before it puts a build into the slot.

Whoever is woken because the slot is empty may find it filled again by somebody who came
in between.

Rejected: deadlock
"""

from collections.abc import Callable, Sequence
from functools import partial
from threading import Condition, Lock, Thread


class Slot:
    """Room for one build. `lock` guards `build`."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.is_empty = Condition(self.lock)
        self.is_filled = Condition(self.lock)
        self.build: str | None = None

    def put(self, build: str) -> None:
        """Put a build into the slot; wait while it is taken."""
        with self.lock:
            if self.build is not None:
                self.is_empty.wait()
            self.build = build
            self.is_filled.notify()

    def get(self) -> str:
        """Take the build; wait while there is none."""
        with self.lock:
            while self.build is None:
                self.is_filled.wait()
            build, self.build = self.build, None
            self.is_empty.notify()
            return build


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(builds: Sequence[str] = ("1.0", "1.1")) -> None:
    slot = Slot()
    deployed: list[str] = []
    deployers = [lambda: deployed.append(slot.get()) for _ in builds]
    builders = [partial(slot.put, build) for build in builds]
    run_together(*deployers, *builders)
    assert set(deployed) == set(builds), deployed


if __name__ == "__main__":
    main()

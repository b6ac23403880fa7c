"""Wakes everybody, and lets those who are woken go on without another look.

Two are woken for one build: one takes it, the other one takes nothing. Or two builders
put theirs into the same slot.

Rejected: assertion
Line: self.changed.wait()
"""

from collections.abc import Callable, Sequence
from functools import partial
from threading import Condition, Thread


class Slot:
    """Room for one build. `changed` guards `build`."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.build: str | None = None

    def put(self, build: str) -> None:
        """Put a build into the slot; wait while it is taken."""
        with self.changed:
            if self.build is not None:
                self.changed.wait()
            self.build = build
            self.changed.notify_all()

    def get(self) -> str:
        """Take the build; wait while there is none."""
        with self.changed:
            if self.build is None:
                self.changed.wait()
            build, self.build = self.build, None
            self.changed.notify_all()
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

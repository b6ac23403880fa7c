"""Hand over builds through a slot for one.

Two builders hand their builds to two deployers, through a slot that holds one. Builders
wait while it is taken, deployers while it is empty. Whoever has changed the slot wakes
one who waits. On a busy day all four of them sleep.

What must hold
--------------
Each build is deployed once, and everybody gets done; nobody keeps a processor busy
while he waits.

What you may change
-------------------
`Slot`

Fails: deadlock
Busy-wait: rejected
Also: main(("2.0",)); main(("2.0", "2.1", "2.2"))
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
            while self.build is not None:
                self.changed.wait()
            self.build = build
            self.changed.notify()

    def get(self) -> str:
        """Take the build; wait while there is none."""
        with self.changed:
            while self.build is None:
                self.changed.wait()
            build, self.build = self.build, None
            # TODO: sometimes nobody goes on after this.
            self.changed.notify()
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

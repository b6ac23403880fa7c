"""Let the writer in, though readers keep coming.

Why it is right
---------------
The rules know who waits. While a writer is waiting no further reader goes in; those
inside leave, one by one, and the writer finds it empty. When he has gone in he waits no
more, and the readers behind him are next.

Readers who come one after the other without end can no longer keep the writer out.
Writers who do so can keep out the readers: if that may happen, let everybody in in the
order in which they came, readers who stand next to each other together.
"""

from collections.abc import Callable
from functools import partial
from threading import Condition, Thread


class Rules:
    """Who may go in. All methods are called with the door's lock held, one at a time."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.waiting_writers = 0

    def asks(self, role: str) -> None:
        """Take note that a "reader" or "writer" has come to the door."""
        if role == "writer":
            self.waiting_writers += 1

    def may_enter(self, role: str) -> bool:
        """Whether one who waits may go in now."""
        if role == "writer":
            return not self.inside
        return "writer" not in self.inside and not self.waiting_writers

    def enters(self, role: str) -> None:
        """Take note that somebody goes in."""
        self.inside.append(role)
        if role == "writer":
            self.waiting_writers -= 1

    def leaves(self, role: str) -> None:
        """Take note that somebody has come out."""
        self.inside.remove(role)


class Archive:
    """Has one door, and keeps to the rules. `door` guards `log` and the rules."""

    def __init__(self) -> None:
        self.door = Condition()
        self.rules = Rules()
        self.log: list[str] = []

    def visit(self, role: str, name: str, work: Callable[[], object]) -> None:
        """Wait to be let in, work, and leave."""
        with self.door:
            self.log.append(f"{name} asks")
            self.rules.asks(role)
            self.door.wait_for(lambda: self.rules.may_enter(role))
            self.rules.enters(role)
            self.log.append(f"{name} enters")
        work()
        with self.door:
            self.log.append(f"{name} leaves")
            self.rules.leaves(role)
            self.door.notify_all()


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def nothing() -> None:
    """Look around."""


def main() -> None:
    archive = Archive()
    when = archive.log.index
    run_together(
        partial(archive.visit, "reader", "Ann", nothing),
        partial(archive.visit, "reader", "Bob", nothing),
        partial(archive.visit, "writer", "Eve", nothing),
    )
    for name in ("Ann", "Bob"):
        is_apart = when(f"{name} leaves") < when("Eve enters") or when("Eve leaves") < when(
            f"{name} enters"
        )
        assert is_apart, f"{name} and Eve were inside together: {archive.log}"
        if when("Eve asks") < when(f"{name} asks"):
            assert when("Eve enters") < when(f"{name} enters"), (
                f"{name} overtook Eve: {archive.log}"
            )
    archive.visit(
        "reader", "Cy", lambda: run_together(partial(archive.visit, "reader", "Di", nothing))
    )


if __name__ == "__main__":
    main()

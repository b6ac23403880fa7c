"""Hangs out a sign when a writer comes, and does not take it in again.

The writer gets in, and after him nobody.

Rejected: deadlock
"""

from collections.abc import Callable, Sequence
from functools import partial
from threading import Condition, Thread


class Rules:
    """Who may go in. All methods are called with the door's lock held, one at a time."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.is_writer_waiting = False

    def asks(self, role: str) -> None:
        """Take note that a "reader" or "writer" has come to the door."""
        if role == "writer":
            self.is_writer_waiting = True

    def may_enter(self, role: str) -> bool:
        """Whether one who waits may go in now."""
        if role == "writer":
            return not self.inside
        return "writer" not in self.inside and not self.is_writer_waiting

    def enters(self, role: str) -> None:
        """Take note that somebody goes in."""
        self.inside.append(role)

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


def times(log: Sequence[str], name: str) -> list[int]:
    """Return when somebody asked, entered and left, as places in the log."""
    return [log.index(f"{name} {did}") for did in ("asks", "enters", "leaves")]


def main() -> None:
    def nothing() -> None:
        pass

    archive = Archive()
    run_together(
        partial(archive.visit, "reader", "Ann", nothing),
        partial(archive.visit, "reader", "Bob", nothing),
        partial(archive.visit, "writer", "Eve", nothing),
    )
    eve_asks, eve_enters, eve_leaves = times(archive.log, "Eve")
    for name in ("Ann", "Bob"):
        asks, enters, leaves = times(archive.log, name)
        assert leaves < eve_enters or eve_leaves < enters, f"Eve was not alone: {archive.log}"
        assert asks < eve_asks or eve_enters < enters, f"{name} overtook Eve: {archive.log}"
    di_comes = partial(archive.visit, "reader", "Di", nothing)
    archive.visit("reader", "Cy", partial(run_together, di_comes))  # and Cy waits for Di


if __name__ == "__main__":
    main()

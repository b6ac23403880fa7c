"""Let the last one to arrive do the closing work, once.

Each thread computes its part of a report and comes to the meeting point. The last to
arrive merges the parts, then all go on and read the merged report. In a thousand runs
it was merged once each time. Then a customer got it twice.

What must hold
--------------
`action` is called once, when all have arrived and before anybody goes on.

What you may change
-------------------
`MeetingPoint`

Fails: assertion
Also: main(parties=3)
"""

from collections.abc import Callable
from functools import partial
from threading import Lock, Semaphore, Thread


class MeetingPoint:
    """Lets nobody go on before all have arrived. `mutex` guards `arrived`."""

    def __init__(self, parties: int, action: Callable[[], None]) -> None:
        self.parties = parties
        self.action = action
        self.mutex = Lock()
        self.arrived = 0
        self.passes = Semaphore(0)

    def wait(self) -> None:
        """Wait for the others; the last to come calls `action`."""
        with self.mutex:
            self.arrived += 1
        # TODO: two of them believe to be the last.
        if self.arrived == self.parties:
            self.action()
            self.passes.release(self.parties)
        self.passes.acquire()


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(parties: int = 2) -> None:
    parts: list[int] = []
    reports: list[list[int]] = []
    seen: list[int] = []
    meeting = MeetingPoint(parties, lambda: reports.append(sorted(parts)))

    def work(number: int) -> None:
        parts.append(number)
        meeting.wait()
        seen.append(len(reports))

    run_together(*[partial(work, number) for number in range(parties)])
    assert reports == [list(range(parties))], f"merged {len(reports)} times: {reports}"
    assert seen == [1] * parties, f"reports there when they went on: {seen}"


if __name__ == "__main__":
    main()

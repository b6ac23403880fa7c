"""Do something later with a Timer, unless it is cancelled, and know which it was.

Problem
-------
A job is to be reported as late if it isn't done in time. The job ends at the very
moment when the time is up. Was the report sent or not? The answer must be certain,
not probable: somebody is called out of bed.

Solution
--------
Start a `Timer(delay, function)`. Let the function and the canceller both *claim* the
decision under a lock: the first to come has it. Then `cancel()`, then `join()`.

How it works
------------
A Timer is a thread that waits on an Event for `delay` seconds and then, if nobody has
set the Event, calls the function. `cancel()` sets the Event, returns nothing, and
comes too late if the thread has looked already: the function then runs, perhaps after
`cancel()` has returned.

`lock` guards `decision`. Whichever of `_fire` and `cancel` comes first writes it; the
other one finds it written. If `cancel` was first, the action never runs. If `_fire`
was, the action runs, and `join()` waits until it is done, so the caller of `cancel`
sees its effects. Who calls `cancel` again gets the same answer.

It ends because nobody waits while holding the lock, and a cancelled Timer wakes at
once. (Don't call `cancel` from the action: a thread cannot join itself,
RuntimeError.)

Pitfalls
--------
`pitfall_cancel_means_not_run` believes that after `cancel()` the function did not
run. The time is up, the timer's thread looks at the Event and goes on; then
`cancel()` comes; then the function runs.

`pitfall_start_again` cancels a timer and starts it anew, to give the job more time. A
Timer is a thread and threads start once: RuntimeError. Make a new Timer.

An exception in the function is printed and lost, as in any thread. And a Timer is no
daemon: one that is forgotten keeps the program alive until its time is up.

Cost
----
One thread for each Timer, a tenth of a millisecond or so to start, asleep most of its
life. For thousands of deadlines use one thread with a heap of them, or the `sched`
module. If it is enough to notice afterwards that a job was late, compare two clock
readings.

See also
--------
`threads/event` for what a Timer waits on, `threads/start` for threads at large,
`threads/exceptions` for what happens to an exception in the function.
"""

from collections.abc import Callable
from threading import Lock, Timer


class Alarm:
    """Calls `action` after `delay_s` seconds unless cancelled. `lock` guards `decision`."""

    def __init__(self, delay_s: float, action: Callable[[], None]) -> None:
        self.lock = Lock()
        self.decision: str | None = None
        self.action = action
        self.timer = Timer(delay_s, self._fire)
        self.timer.start()

    def _decide(self, wish: str) -> str:
        """Return what the first caller wished: that is the decision."""
        with self.lock:
            if self.decision is None:
                self.decision = wish
            return self.decision

    def _fire(self) -> None:
        if self._decide("run") == "run":
            self.action()

    def cancel(self) -> bool:
        """Return True if the action will never run, False if it has run and is done."""
        decision = self._decide("cancel")
        self.timer.cancel()
        self.timer.join()
        return decision == "cancel"


def main(delay_s: float = 0.01) -> None:
    reports: list[str] = []
    alarm = Alarm(delay_s, lambda: reports.append("late"))
    # here the job would run
    was_cancelled = alarm.cancel()

    assert len(reports) == (0 if was_cancelled else 1), (was_cancelled, reports)
    assert alarm.cancel() == was_cancelled  # asked again, it says the same
    assert not alarm.timer.is_alive()
    outcome = "cancelled" if was_cancelled else "too late to cancel"
    print(f"the first alarm: {outcome}; reports sent: {reports}")

    alarm = Alarm(delay_s, lambda: reports.append("later"))
    alarm.timer.join()  # nobody cancels: it fires
    assert not alarm.cancel()
    assert reports[-1] == "later", reports
    print("nobody cancelled the second alarm: it went off, and cancel() said so")


def pitfall_cancel_means_not_run() -> None:
    """The function may run although, and after, `cancel()` was called.

    Fails: assertion
    """
    reports: list[str] = []
    timer = Timer(0.01, lambda: reports.append("late"))
    timer.start()
    # here the job would run
    timer.cancel()
    timer.join()
    assert not reports, "cancelled, and reported all the same"


def pitfall_start_again() -> None:
    """A timer cannot be started a second time.

    Fails: exception
    """
    timer = Timer(0.01, lambda: None)
    timer.start()
    timer.cancel()
    timer.start()


if __name__ == "__main__":
    main()

"""Waits on a Condition until the counter says that all are there.

The last one has set the counter back for the next round before the others, just woken,
get to read it. They sleep on.

Rejected: deadlock
Line: self.all_here.wait_for(lambda: self.waiting == self.parties)
"""

from collections.abc import Callable
from functools import partial
from threading import Condition, Lock, Thread


class Turnstile:
    """Lets nobody through before all have come, round after round. `mutex` guards `waiting`."""

    def __init__(self, parties: int) -> None:
        self.parties = parties
        self.mutex = Lock()
        self.waiting = 0
        self.all_here = Condition(self.mutex)

    def wait(self) -> None:
        """Wait until all are here, then go through."""
        with self.mutex:
            self.waiting += 1
            if self.waiting == self.parties:
                self.waiting = 0
                self.all_here.notify_all()
            else:
                self.all_here.wait_for(lambda: self.waiting == self.parties)


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(parties: int = 2, rounds: int = 2) -> None:
    turnstile = Turnstile(parties)
    lock = Lock()
    done = [0] * parties

    def simulate(number: int) -> None:
        for round_ in range(rounds):
            with lock:
                assert min(done) >= round_, f"{number} begins round {round_}; done: {done}"
            with lock:
                done[number] += 1
            turnstile.wait()
        with lock:
            assert min(done) == rounds, f"{number} has ended; done: {done}"

    run_together(*[partial(simulate, number) for number in range(parties)])


if __name__ == "__main__":
    main()

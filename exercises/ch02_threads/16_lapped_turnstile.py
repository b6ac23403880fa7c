"""Keep the threads of a simulation in step.

A simulation runs in rounds. After each round all threads meet at a turnstile; when the
last has come, everybody gets a ticket and goes through. Mostly. Sometimes a fast thread
is a round ahead, and computes with numbers that the slow one has not written.

What must hold
--------------
Nobody begins a round before everybody has done the one before, however fast he is.

What you may change
-------------------
`Turnstile`

Fails: assertion
Also: main(parties=2, rounds=3); main(parties=3, rounds=1)
"""

from collections.abc import Callable
from functools import partial
from threading import Lock, Semaphore, Thread


class Turnstile:
    """Lets nobody through before all have come, round after round. `mutex` guards `waiting`."""

    def __init__(self, parties: int) -> None:
        self.parties = parties
        self.mutex = Lock()
        self.waiting = 0
        self.tickets = Semaphore(0)

    def wait(self) -> None:
        """Wait until all are here, then go through."""
        with self.mutex:
            self.waiting += 1
            if self.waiting == self.parties:
                # TODO: nothing says whose tickets these are.
                self.waiting = 0
                self.tickets.release(self.parties)
        self.tickets.acquire()


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

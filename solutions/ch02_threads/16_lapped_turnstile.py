"""Keep the threads of a simulation in step.

Why it is right
---------------
Each thread remembers the generation in which it came and waits until that is over. The
last to arrive begins a new one. A fast thread that comes round again belongs to the new
generation, and nothing of the old one is left for it to take.

A semaphore's tickets are all alike; that is why one turnstile can be lapped.
`threading.Barrier` is this class, ready made.
"""

from collections.abc import Callable
from functools import partial
from threading import Condition, Lock, Thread


class Turnstile:
    """Lets nobody through before all have come, round after round. `changed` guards the rest."""

    def __init__(self, parties: int) -> None:
        self.parties = parties
        self.changed = Condition()
        self.waiting = 0
        self.generation = 0

    def wait(self) -> None:
        """Wait until all are here, then go through."""
        with self.changed:
            mine = self.generation
            self.waiting += 1
            if self.waiting == self.parties:
                self.waiting = 0
                self.generation += 1
                self.changed.notify_all()
            else:
                self.changed.wait_for(lambda: self.generation != mine)


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

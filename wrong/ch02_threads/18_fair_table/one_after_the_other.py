"""Serves the philosophers one after the other, in the order in which they came.

Nobody is overtaken, and nobody eats while somebody else does, though he sits at the other
end of the table.

Rejected: deadlock
"""

from threading import Condition, Thread


def may_eat(seat: int, neighbours: set[int], eating: set[int], hungry: list[int]) -> bool:
    """Whether the philosopher at `seat` may begin; `hungry` holds the hungry, the longest first."""
    return not eating and hungry[0] == seat


class Table:
    """The waiter: lets the philosophers eat as `may_eat` says. `changed` guards the rest."""

    def __init__(self, seats: int) -> None:
        self.seats = seats
        self.changed = Condition()
        self.eating: set[int] = set()
        self.hungry: list[int] = []
        self.overtaken: dict[tuple[int, int], int] = {}

    def sit_down(self, seat: int) -> None:
        """Be hungry, wait, and begin to eat."""
        beside = {(seat - 1) % self.seats, (seat + 1) % self.seats}
        with self.changed:
            self.hungry.append(seat)
            self.changed.wait_for(lambda: may_eat(seat, beside, self.eating, self.hungry))
            assert not beside & self.eating, f"{seat} eats with a neighbour's fork"
            self.hungry.remove(seat)
            self.eating.add(seat)
            for other in beside & set(self.hungry):
                times = self.overtaken[seat, other] = self.overtaken.get((seat, other), 0) + 1
                assert times <= 1, f"{seat} has begun {times} times while {other} was hungry"
            for other in beside:
                self.overtaken[other, seat] = 0

    def get_up(self, seat: int) -> None:
        """Put down both forks."""
        with self.changed:
            self.eating.remove(seat)
            self.changed.notify_all()


def main() -> None:
    table = Table(seats=4)
    table.sit_down(2)
    table.sit_down(0)  # while 2 is eating
    table.get_up(0)

    def philosopher(seat: int, meals: int) -> None:
        for _ in range(meals):
            table.sit_down(seat)
            table.get_up(seat)

    threads = [Thread(target=philosopher, args=(0, 2)), Thread(target=philosopher, args=(1, 1))]
    for thread in threads:
        thread.start()
    table.get_up(2)
    for thread in threads:
        thread.join()
    assert not table.hungry, table.hungry


if __name__ == "__main__":
    main()

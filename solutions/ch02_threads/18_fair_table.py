"""Let no philosopher starve between two greedy neighbours.

Why it is right
---------------
A philosopher gives way to a neighbour who has been hungry for longer. So once he is
hungry, a neighbour may begin at most once: the one who had asked before him. After that
he is the longer-hungry one of the two.

Nobody gets stuck: the one who has been hungry longest of all gives way to nobody, and
waits only for neighbours who are eating, and get done. And philosophers who are no
neighbours are not in each other's way at all.
"""

from threading import Condition, Thread


def may_eat(seat: int, neighbours: set[int], eating: set[int], hungry: list[int]) -> bool:
    """Whether the philosopher at `seat` may begin; `hungry` holds the hungry, the longest first."""
    came_before = set(hungry[: hungry.index(seat)])
    return not neighbours & (eating | came_before)


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

"""Feed the philosophers.

Three philosophers sit at a round table, a fork between each two. Who wants to eat takes
the fork on his left, then the one on his right. One evening they sat there, each with
one fork in his hand, and starved.

What must hold
--------------
Every philosopher eats, with both his forks, and never is a fork used by two.

What you may change
-------------------
`dine`

Fails: deadlock
Also: main(philosophers=4)
Calls: eat 3
"""

from functools import partial
from threading import Lock, Thread


class Fork:
    """A fork between two philosophers. `lock` guards the rest."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lock = Lock()
        self.is_used = False
        self.meals = 0


def eat(left: Fork, right: Fork) -> None:
    """Eat with both forks."""
    assert not left.is_used, f"fork {left.number} is used by two"
    assert not right.is_used, f"fork {right.number} is used by two"
    left.is_used = right.is_used = True
    left.meals += 1
    right.meals += 1
    left.is_used = right.is_used = False


def dine(left: Fork, right: Fork) -> None:
    """Take both forks, eat, and put them back."""
    # TODO: each holds one fork and waits for the other.
    with left.lock, right.lock:
        eat(left, right)


def main(philosophers: int = 3) -> None:
    forks = [Fork(number) for number in range(philosophers)]
    fed: list[int] = []

    def philosopher(seat: int) -> None:
        dine(forks[seat], forks[(seat + 1) % philosophers])
        fed.append(seat)

    threads = [Thread(target=partial(philosopher, seat)) for seat in range(philosophers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fed) == list(range(philosophers)), fed
    assert all(fork.meals == 2 for fork in forks), [fork.meals for fork in forks]


if __name__ == "__main__":
    main()

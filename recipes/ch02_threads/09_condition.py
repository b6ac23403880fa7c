"""Pass items through a bounded buffer with two Conditions, each tested in a loop.

Problem
-------
One part of a program produces records, another stores them. Producers must wait while
the buffer between them is full, or it fills the memory; consumers must wait while it is
empty. Neither may waste the processor by looking again and again.

Solution
--------
Put the buffer behind one `Lock`. Give each reason to wait a `Condition` of its own on
that lock: `not_empty` and `not_full`. Wait in a `while` loop that tests the buffer
itself; notify the other side after each change.

How it works
------------
`lock` guards `items`. `wait()` does two things as one step: it releases the lock and
joins the condition's queue of waiters, so no notification falls between the test and
the wait. When notified, it takes the lock again before it returns.

A consumer waits on `not_empty` until a producer has put something there; a producer
waits on `not_full` until a consumer has taken something. A notification is only a
hint to look again: between `notify()` and the moment when the woken thread has the
lock, another thread may come and take the item. Hence `while`. `wait_for(test)` is
that loop as a method; `put` uses it, `get` spells the loop out.

It ends because every change wakes one thread of the kind that waits for that very
change, and as many items are put as are taken.

Pitfalls
--------
`pitfall_if_instead_of_while` tests once. The first consumer waits; the producer puts
an item and notifies it; before it has the lock again, the second consumer takes the
item. The first one wakes up, does not look, and takes from an empty buffer.

`pitfall_one_condition` lets both sides wait on one condition and wakes one thread.
Both consumers wait. A producer puts and wakes the first; the other producer finds the
buffer full and waits behind the second consumer. The first consumer takes the item
and wakes the longest waiter: the *second consumer*, for whom there is nothing. The
buffer is empty, the producer sleeps, and nobody is left to wake it. Two conditions
cure it; so does `notify_all()`, which wakes everybody each time.

A condition used outside its lock, `wait` or `notify`, raises RuntimeError.

Cost
----
Each item for which a thread waits costs a switch between two threads: tens of
microseconds, or more on a busy machine. Between two steps that both run Python code
the buffer gains nothing: the GIL lets one of them run at a time, and a serial loop is
faster. It pays where one side waits for a disk or a network.

See also
--------
`threads/work_queue`: `queue.Queue` is this buffer, ready made; use it.
`threads/event` for a state that comes once and stays. `synchronisation/condition` for
processes.
"""

from collections import deque
from threading import Condition, Lock, Thread


class BoundedBuffer:
    """At most `capacity` items, first in, first out. `lock` guards `items`."""

    def __init__(self, capacity: int) -> None:
        self.lock = Lock()
        self.not_empty = Condition(self.lock)
        self.not_full = Condition(self.lock)
        self.items: deque[int] = deque()
        self.capacity = capacity

    def put(self, item: int) -> None:
        """Append `item`; wait while the buffer is full."""
        with self.lock:
            self.not_full.wait_for(lambda: len(self.items) < self.capacity)
            self.items.append(item)
            self.not_empty.notify()

    def get(self) -> int:
        """Take the oldest item; wait while there is none."""
        with self.lock:
            while not self.items:
                self.not_empty.wait()
            item = self.items.popleft()
            self.not_full.notify()
            return item


def exchange(buffer: BoundedBuffer, pairs: int) -> list[int]:
    """Let `pairs` producers put one number each and as many consumers take one; return those."""
    received: list[int] = []
    consumers = [Thread(target=lambda: received.append(buffer.get())) for _ in range(pairs)]
    producers = [Thread(target=buffer.put, args=(number,)) for number in range(pairs)]
    for thread in consumers + producers:
        thread.start()
    for thread in consumers + producers:
        thread.join()
    return sorted(received)


def main(pairs: int = 2, capacity: int = 1) -> None:
    buffer = BoundedBuffer(capacity)
    received = exchange(buffer, pairs)

    assert received == list(range(pairs)), received
    assert not buffer.items, buffer.items

    with buffer.lock:  # nobody will put: a wait with a time-out returns the test's last answer
        assert not buffer.not_empty.wait_for(lambda: bool(buffer.items), timeout=0.01)
    print(f"{pairs} producers, {pairs} consumers, room for {capacity}: received {received}")


def pitfall_if_instead_of_while() -> None:
    """A consumer is woken for an item that another has already taken.

    Fails: exception
    """

    class TestsOnce(BoundedBuffer):
        def get(self) -> int:
            with self.lock:
                if not self.items:
                    self.not_empty.wait()
                item = self.items.popleft()
                self.not_full.notify()
                return item

    exchange(TestsOnce(capacity=1), pairs=2)


def pitfall_one_condition() -> None:
    """Both sides wait on one condition, and the one notification wakes the wrong side.

    Fails: deadlock
    """
    buffer = BoundedBuffer(capacity=1)
    buffer.not_full = buffer.not_empty
    exchange(buffer, pairs=2)


if __name__ == "__main__":
    main()

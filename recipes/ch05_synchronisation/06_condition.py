"""Wait for a state in shared memory with a Condition and `while`.

Problem
-------
One process makes items, others take them. Between them there is one slot in
shared memory: who puts must wait until it is empty, and who takes until it is
full. Asking again and again burns a core.

Solution
--------
One `multiprocessing.Condition` and the slot. Whoever waits does so inside `with`,
in a `while` that tests the slot. Whoever changes the slot calls `notify_all`
before leaving the `with` block.

How it works
------------
`Slot.changed` guards `Slot.cell`: its lock is held for each look and each write.
`wait` gives up the lock and goes to sleep, and has the lock again when it
returns. A notifier needs that lock, so it cannot slip in between the test and the
sleep: no wake-up is lost.

A wake-up says "look again", not "it is yours". Another may have been faster, so
the test is a `while`. Both kinds of waiters share one condition, so each change
wakes all: a single `notify` might wake one that cannot use it.

It ends because as many items are put as are taken, and each change of the slot
wakes everybody who could be waiting for it.

Pitfalls
--------
`pitfall_if` tests once. Two takers sleep; one item comes and wakes both; the
first takes it; the second goes on with an empty slot and "takes" -1. The real
second item is never taken.

`pitfall_notify_first` waits for the notification itself, not for a state. If the
parent notifies before the child has come to `wait`, nobody hears it: a Condition
remembers nothing. The child waits for ever, and a child that is still starting
always comes too late.

A process that is killed while it waits does harm of another kind: `notify` waits
until each one that it woke has answered, and the dead one never does.

Cost
----
Each hand-over costs a dozen semaphore operations and a switch between processes.
A `Queue` moves bigger items with less code, and a serial loop beats both when
making and using an item is cheaper than handing it over.

See also
--------
`threads/condition` for threads, `messages/producer_consumer` for the same with a
Queue, `synchronisation/event` for a state that comes once and stays.
"""

from collections.abc import Callable
from ctypes import Array as CArray
from ctypes import c_int
from multiprocessing import Array, Condition, Process, Value
from multiprocessing.synchronize import Condition as ConditionType

EMPTY = -1


class Slot:
    """Room for one item, shared by processes. `changed` guards `cell`."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.cell: c_int = Value("i", EMPTY, lock=False)

    def put(self, item: int) -> None:
        """Wait until the slot is empty, and fill it."""
        with self.changed:
            while self.cell.value != EMPTY:
                self.changed.wait()
            self.cell.value = item
            self.changed.notify_all()

    def take(self) -> int:
        """Wait until the slot is full, and empty it."""
        with self.changed:
            while self.cell.value == EMPTY:
                self.changed.wait()
            return self.take_out()

    def take_out(self) -> int:
        """Take what is there, and leave the slot empty. The caller holds `changed`."""
        item = self.cell.value
        self.cell.value = EMPTY
        self.changed.notify_all()
        return item


def taker(slot: Slot, taken: CArray[c_int], number: int) -> None:
    """Take one item, and keep it in a place of its own."""
    taken[number] = slot.take()


def hand_out(target: Callable[[Slot, CArray[c_int], int], None], takers: int) -> None:
    """Start `takers` processes with one `target`, and put an item in the slot for each."""
    slot, taken = Slot(), Array("i", takers, lock=False)
    processes = [Process(target=target, args=(slot, taken, i)) for i in range(takers)]
    for process in processes:
        process.start()
    for item in range(takers):
        slot.put(item)
    for process in processes:
        process.join()
        assert process.exitcode == 0, process
    assert sorted(taken) == list(range(takers)), list(taken)


def main(takers: int = 2) -> None:
    hand_out(taker, takers)
    print(f"{takers} processes took one item each through one slot: each item once")


def hasty_taker(slot: Slot, taken: CArray[c_int], number: int) -> None:
    with slot.changed:
        if slot.cell.value == EMPTY:
            slot.changed.wait()
        taken[number] = slot.take_out()


def pitfall_if() -> None:
    """Two takers wake for one item, and the second takes what is not there.

    Fails: assertion
    """
    hand_out(hasty_taker, takers=2)


def wait_for_signal(signal: ConditionType) -> None:
    with signal:
        signal.wait()


def pitfall_notify_first() -> None:
    """The parent notifies before the child waits: nobody hears it.

    Fails: deadlock
    """
    signal = Condition()
    process = Process(target=wait_for_signal, args=(signal,))
    process.start()
    with signal:
        signal.notify()
    process.join()


if __name__ == "__main__":
    main()

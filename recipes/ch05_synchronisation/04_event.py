"""Start workers early, let them wait for an Event, and stop them with another.

Problem
-------
Starting processes is slow, and so is loading the table that they are to search.
You want both at once: the workers start, wait until the table is ready, search it
together, and all stop as soon as one of them has found the answer.

Solution
--------
Two `multiprocessing.Event`s. `ready.wait()` holds the workers until the main
process has filled the shared table and called `ready.set()`. The finder calls
`found.set()`; the others ask `found.is_set()` between two entries, and leave.

How it works
------------
An Event is one shared bit, at first off. `set` switches it on for all who wait
and all who come later, so it does not matter who is first. The table is written
before `ready.set()` and read after `ready.wait()`, never at the same time: the
Event is what makes it safe, and no lock is needed. `answer` is written by the
finder alone, and read after `join`; each worker counts in its own place of
`looked`.

It ends because `ready` is set without waiting for anyone, and each worker looks
at each of its entries at most once.

Pitfalls
--------
`pitfall_flag_of_its_own` waits for a `threading.Event` at the top of the module.
Each process has its own copy. The parent sets the parent's; the child waits for
its own for ever. The same happens to a plain `ready = False`, only that the child
then burns a core while it waits. What is shared must be an argument.

`pitfall_pulse` calls `set` and at once `clear`, to wake "those who wait now". A
worker that reaches `wait` after the `clear` has missed it, and waits for ever; a
process that is still starting always does. Even one that was waiting may get
False from `wait()`, if `clear` comes before it has looked. Never clear what
others wait for: use a new Event, or a Condition with a count.

Cost
----
`is_set` takes and releases a lock that all share, so ask once for each big piece
of work, not for each byte. Workers that stop at the next question look at a few
entries too many. For a table this small a serial loop is faster: it needs no
start at all.

See also
--------
`threads/event` for threads, `synchronisation/condition` to wait for a state that
comes and goes, `synchronisation/barrier` to wait for each other.
"""

import threading
from hashlib import sha256
from multiprocessing import Array, Event, Process, Value
from multiprocessing.synchronize import Event as EventType

NOT_FOUND = -1


def fingerprint(pin: int) -> str:
    return sha256(f"{pin:04}".encode()).hexdigest()


class Search:
    """What the processes share: two events, the table of PINs, and what came out."""

    def __init__(self, size: int, workers: int) -> None:
        self.ready, self.found = Event(), Event()
        self.table = Array("i", size, lock=False)
        self.looked = Array("i", workers, lock=False)
        self.answer = Value("i", NOT_FOUND, lock=False)


def worker(search: Search, number: int, wanted: str) -> None:
    """Search every `workers`-th entry, from entry `number`, until somebody has found it."""
    search.ready.wait()
    for index in range(number, len(search.table), len(search.looked)):
        if search.found.is_set():
            return
        search.looked[number] += 1
        if fingerprint(search.table[index]) == wanted:
            search.answer.value = index
            search.found.set()


def main(size: int = 4, workers: int = 2) -> None:
    pin = 1000 + size // 2
    search = Search(size, workers)
    processes = [Process(target=worker, args=(search, i, fingerprint(pin))) for i in range(workers)]
    for process in processes:
        process.start()
    search.table[:] = list(range(1000, 1000 + size))  # slow in life; the workers start meanwhile
    search.ready.set()
    for process in processes:
        process.join()
        assert process.exitcode == 0, process

    assert search.found.is_set()
    assert search.table[search.answer.value] == pin, search.answer.value
    assert 1 <= sum(search.looked) <= size, list(search.looked)
    print(f"PIN {pin} is entry {search.answer.value}")
    print(f"the workers looked at {list(search.looked)} entries of {size}")


ready_here = threading.Event()  # one in each process: nothing of it is shared


def wait_for_own_flag() -> None:
    ready_here.wait()


def pitfall_flag_of_its_own() -> None:
    """The parent sets its own event, and the child waits for its own for ever.

    Fails: deadlock
    """
    process = Process(target=wait_for_own_flag)
    process.start()
    ready_here.set()
    process.join()


def wait_for(event: EventType) -> None:
    event.wait()


def pitfall_pulse() -> None:
    """The child comes to `wait` after `set` and `clear`: the wake-up is lost.

    Fails: deadlock
    """
    ready = Event()
    process = Process(target=wait_for, args=(ready,))
    process.start()
    ready.set()
    ready.clear()
    process.join()


if __name__ == "__main__":
    main()

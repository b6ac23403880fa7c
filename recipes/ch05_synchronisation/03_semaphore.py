"""Let at most so many processes use a resource at once, with a BoundedSemaphore.

Problem
-------
You bought two licences, or the database accepts two connections, and three
processes want one. A third at the same time is an error, so it must wait until
another has finished.

Solution
--------
Make a `BoundedSemaphore` with one permit for each licence, hand it to each
process, and use the resource inside `with licences:`.

How it works
------------
The semaphore is a number of permits that all the processes share. `acquire` takes
one, and waits while there is none; `release` gives one back and wakes one of the
waiters, in no promised order. It limits how many are inside, and guards no data:
two processes may be inside at once. What they share there needs a lock of its
own: `Usage.lock` guards the count of those inside and the highest count seen.

It ends because who holds a permit waits only for `Usage.lock`, and who holds that
waits for nothing. So every permit comes back.

Pitfalls
--------
`pitfall_release_without_permit` ignores that `acquire(timeout=...)` returned
False, and releases in `finally`. The main flow holds the only permit, the child
times out and releases one that it never had: now there are two for one licence. A
BoundedSemaphore raises ValueError at a release too many, but only if all permits
are in at that moment: here even that one keeps quiet until the true holder
releases. (On macOS it cannot count its permits, so do not rely on it.) Use `with`,
or release only what you got.

`pitfall_permit_lost` ends without releasing. The operating system frees a dead
process's memory and files, but it does not give back its permits: a semaphore has
no owner. The next to ask waits for ever. `with` covers exceptions and early
returns. Against a kill only a time-out helps, or a `fcntl.flock` lock for each
licence: the system drops it when its holder dies.

Cost
----
A free permit costs under a microsecond. If all the work needs a licence, start no
more processes than licences: a `Pool(2)` is the same limit, with nothing to
forget. With one licence a serial loop is faster.

See also
--------
`threads/bounded_semaphore` for threads, `synchronisation/lock` for one at a time,
`processes/pool_map` for a limit on the number of processes itself.
"""

from multiprocessing import BoundedSemaphore, Lock, Process, Semaphore, Value
from multiprocessing.synchronize import Semaphore as SemaphoreType


class Usage:
    """How many are inside, and the most there ever were. `lock` guards both."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.inside = Value("i", 0, lock=False)
        self.most = Value("i", 0, lock=False)

    def enter(self) -> None:
        """Count one in."""
        with self.lock:
            self.inside.value += 1
            self.most.value = max(self.most.value, self.inside.value)

    def leave(self) -> None:
        """Count one out."""
        with self.lock:
            self.inside.value -= 1


def use_licence(licences: SemaphoreType, usage: Usage) -> None:
    """Do the licensed work, and be counted meanwhile."""
    with licences:
        usage.enter()
        # The licensed work is done here, beside that of the other licence holders.
        usage.leave()


def run_together(processes: list[Process]) -> None:
    """Start the processes, wait until all have ended, and see that none failed."""
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert all(process.exitcode == 0 for process in processes), processes


def main(users: int = 3, permits: int = 2) -> None:
    licences = BoundedSemaphore(permits)
    usage = Usage()
    run_together([Process(target=use_licence, args=(licences, usage)) for _ in range(users)])

    inside, most = usage.inside.value, usage.most.value
    assert inside == 0, inside
    assert 1 <= most <= permits, most
    print(f"{users} processes, {permits} licences: at most {most} in use at once")

    for _ in range(permits):  # all have come back, and no more
        assert licences.acquire(block=False)
    assert not licences.acquire(block=False)


def use_or_give_up(licences: SemaphoreType) -> None:
    try:
        licences.acquire(timeout=0.01)  # False when the time is up, and nobody looks
    finally:
        licences.release()


def pitfall_release_without_permit() -> None:
    """A process that got no permit gives one back, and one licence has two users.

    Fails: assertion
    """
    licences = Semaphore(1)
    with licences:
        run_together([Process(target=use_or_give_up, args=(licences,))])
        assert not licences.acquire(block=False), "a second user of the only licence"


def take_and_leave(licences: SemaphoreType) -> None:
    licences.acquire()  # and then an early return, or a kill


def pitfall_permit_lost() -> None:
    """A process ends with the only permit, and the next waits for ever.

    Fails: deadlock
    """
    licences = Semaphore(1)
    run_together([Process(target=take_and_leave, args=(licences,))])
    with licences:
        print("never reached")


if __name__ == "__main__":
    main()

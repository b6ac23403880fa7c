"""Change one file from two processes, one at a time, under one Lock.

Problem
-------
Two processes add what they took to one ledger file. Each reads the balance, adds
to it and writes it back. If the other does the same in between, one deposit is
lost, and nobody sees an error.

Solution
--------
Make one `multiprocessing.Lock` in the parent, hand it to each process as an
argument, and hold it from the read to the write. Where a process must not wait
for ever, call `acquire(timeout=...)`, look at what it returned, and release in
`finally`.

How it works
------------
`lock` guards the ledger file. The lock is a semaphore of the operating system
that starts at 1. What travels to a child is not the lock's state but the right to
use that same semaphore: inherited under fork, opened by its name under spawn and
forkserver. So all processes take turns on one thing.

The lock and the file know nothing of each other. It is a convention, and it holds
because no code touches the file without the lock.

It ends because each process takes one lock, releases it, and waits for nothing
while it holds it.

Pitfalls
--------
`pitfall_lock_of_its_own` makes the lock in the child. Each process then holds its
own lock, which nobody else ever wants. Both read 0, both write 1: one is lost.
(The pitfall counts in shared memory, where the fault is the same.) A `Lock()` at
the top of a module is this very fault under spawn and forkserver: each child
imports the module again and makes another lock.

`pitfall_lock_for_threads` hands over a `threading.Lock`, which lives in the
memory of one process. Under spawn and forkserver `start` raises TypeError: it
can't be pickled. Under fork it is worse: the child gets a copy, and the two
exclude nobody.

Keep a name for the lock in the parent. With `args=(Lock(), ledger)` nobody has
one: `start` drops the arguments, the lock is deleted with them, and a child under
spawn or forkserver that looks for it fails with FileNotFoundError.

A process that is killed inside the `with` block never releases. The lock stays
taken, and the file may be half written. Give the others a time-out, and write to
a new file and `os.replace` the old one where readers must never see half a
ledger.

Cost
----
Taking and releasing a free lock costs under a microsecond; a process costs
milliseconds to start. Here all the work is inside the lock, so a plain loop in
one process is faster. It pays when the work outside the lock is long: add up the
day's takings first, then lock once and write once.

See also
--------
`threads/lock` for the same among threads, `processes/value_array` for numbers
that bring their own lock, `synchronisation/rlock` for functions that call each
other. Programs that are not parent and child share no such lock: they use
`fcntl.flock`.
"""

import threading
from ctypes import c_int
from multiprocessing import Lock, Process, Value, get_context
from multiprocessing.synchronize import Lock as LockType
from pathlib import Path
from tempfile import TemporaryDirectory


def deposit(ledger: Path, amount: int) -> None:
    """Read the balance, add `amount`, write it back. The caller holds the ledger's lock."""
    balance = int(ledger.read_text(encoding="ascii"))
    ledger.write_text(str(balance + amount), encoding="ascii")


def try_deposit(lock: LockType, ledger: Path, amount: int, timeout_s: float) -> bool:
    """As `deposit`, under the lock; return False if it was not free within `timeout_s`."""
    if not lock.acquire(timeout=timeout_s):
        return False
    try:
        deposit(ledger, amount)
        return True
    finally:
        lock.release()


def teller(lock: LockType, ledger: Path, deposits: int) -> None:
    """Deposit 1 as often as told: what a child process does."""
    for _ in range(deposits):
        with lock:
            deposit(ledger, 1)


def run_together(processes: list[Process]) -> None:
    """Start the processes, wait until all have ended, and see that none failed."""
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert all(process.exitcode == 0 for process in processes), processes


def main(tellers: int = 2, deposits: int = 2) -> None:
    lock = Lock()
    with TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.txt"
        ledger.write_text("0", encoding="ascii")
        run_together(
            [Process(target=teller, args=(lock, ledger, deposits)) for _ in range(tellers)]
        )
        balance = int(ledger.read_text(encoding="ascii"))
        assert balance == tellers * deposits, balance

        with lock:  # somebody else is at the ledger: the polite teller gives up
            assert not try_deposit(lock, ledger, 1, timeout_s=0.01)
        assert try_deposit(lock, ledger, 1, timeout_s=10)
    print(f"{tellers} processes made {deposits} deposits each: the ledger says {balance}")


def count_under_own_lock(total: c_int) -> None:
    with Lock():  # made here, so known to this process alone
        total.value += 1


def pitfall_lock_of_its_own() -> None:
    """Each process makes a lock for itself, and one of two deposits is lost.

    Fails: assertion
    """
    total = Value("i", 0, lock=False)
    run_together([Process(target=count_under_own_lock, args=(total,)) for _ in range(2)])
    assert total.value == 2, f"2 deposits, and the total is {total.value}"


def pitfall_lock_for_threads() -> None:
    """A lock for threads cannot travel to a spawned process.

    Fails: exception
    """
    args = (threading.Lock(), Path("ledger.txt"), 1)
    get_context("spawn").Process(target=teller, args=args).start()


if __name__ == "__main__":
    main()

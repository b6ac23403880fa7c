"""Protect a shared balance with a Lock, and give up waiting after a time-out.

Problem
-------
Two threads withdraw from one account. Each looks at the balance, decides, and
writes the new balance. Between the look and the write the other thread may do
the same, so both may take the last coin.

Solution
--------
Hold one `Lock` from the look to the write, with a `with` block. Where a thread
must not wait for ever, call `acquire(timeout=...)`, look at what it returned,
and release in `finally`.

How it works
------------
`Account.lock` guards `Account.balance`: while the threads run, none reads or writes
the balance without holding it. `with lock:` acquires on entry and releases on every
way out, an exception too. `acquire(timeout=seconds)` returns False when the time is
up; then the lock is *not* held and must not be released.

It ends because each thread takes one lock, once, and never waits while it holds it.

Pitfalls
--------
`pitfall_check_then_act` holds the lock for the look, lets go of it, and takes it
again for the write. Both threads see 1 coin, both pass the test, each takes it in
turn, and the balance is -1. Each step was guarded and still nothing is safe: a lock
protects a *decision* only if it is held from the look to the write.

`pitfall_forgotten_release` leaves with `return` between `acquire` and `release`.
The next thread waits for ever.

Cost
----
A free lock costs well under a microsecond to take and release. A contended one
makes its waiters run one after the other: keep slow work (files, sockets, sleep)
outside the `with` block. If all the work is inside it, a serial loop is faster.

See also
--------
`threads/racy_increment` for what races without a lock, `threads/rlock` for a
method that calls a locked method, `threads/lock_ordering` for two locks at once.
"""

from collections.abc import Callable
from threading import Lock, Thread


class Account:
    """A balance that never goes below zero. `lock` guards `balance`."""

    def __init__(self, balance: int) -> None:
        self.lock = Lock()
        self.balance = balance

    def withdraw(self, amount: int) -> bool:
        """Take `amount` if it is there; say whether it was."""
        with self.lock:
            if self.balance < amount:
                return False
            self.balance -= amount
            return True

    def try_withdraw(self, amount: int, timeout_s: float) -> bool:
        """As `withdraw`, but give up after `timeout_s` seconds of waiting for the lock."""
        if not self.lock.acquire(timeout=timeout_s):
            return False
        try:
            if self.balance < amount:
                return False
            self.balance -= amount
            return True
        finally:
            self.lock.release()


def run_together(work: Callable[[], None], times: int) -> None:
    """Run `work` in `times` threads at once, and wait until all have ended."""
    threads = [Thread(target=work) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(customers: int = 2, coins: int = 1) -> None:
    account = Account(coins)
    taken: list[bool] = []

    def customer() -> None:
        taken.append(account.withdraw(1))

    run_together(customer, customers)

    assert taken.count(True) == min(customers, coins), taken
    assert account.balance == coins - taken.count(True), account.balance

    print(f"{customers} customers, {coins} coin(s): {taken.count(True)} of them got one")

    account = Account(1)
    with account.lock:  # somebody holds the lock: the coin is there, the customer gives up
        assert not account.try_withdraw(1, timeout_s=0.01)
    assert account.balance == 1
    print("one more customer found the account locked, and gave up after the time-out")


def pitfall_check_then_act() -> None:
    """Two threads pass the same test, and both take the last coin.

    Fails: assertion
    """
    account = Account(1)

    def customer() -> None:
        with account.lock:
            enough = account.balance >= 1
        if enough:
            with account.lock:
                account.balance -= 1

    run_together(customer, 2)
    assert account.balance >= 0, f"the balance is {account.balance}"


def pitfall_forgotten_release() -> None:
    """An early return keeps the lock for ever, and the second customer hangs.

    Fails: deadlock
    """
    account = Account(0)

    def customer() -> None:
        account.lock.acquire()
        if account.balance < 1:
            return
        account.balance -= 1
        account.lock.release()

    run_together(customer, 2)


if __name__ == "__main__":
    main()

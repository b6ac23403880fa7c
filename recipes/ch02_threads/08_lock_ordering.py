"""Transfer money between two locked accounts, without a deadlock.

Problem
-------
A transfer must take both accounts' locks, or another thread sees money that has left
one and not reached the other. Transfers run at once, in all directions. Some are
from an account to itself, because nobody checked.

Solution
--------
Give all locks one order, by a key that is unique and never changes, here the account's
number. Take them always in that order, whichever way the money goes. Take each once.

How it works
------------
Each account's `lock` guards its `balance`. `holding` drops duplicates by putting the
accounts in a dict by number, sorts the numbers, and enters the locks one by one; the
`ExitStack` releases those that were entered on every way out, an exception in the
middle too. It works for two accounts and for ten.

Why it ends: a deadlock needs a ring of threads, in which each holds a lock and waits
for the next one's. Whoever waits for number 7 holds only numbers below 7. Go round
the ring, and the numbers would have to rise for ever. Or: the thread that holds the
highest lock of all those held waits for nobody. It ends, and sets the next one free.

Pitfalls
--------
`pitfall_opposite_order` takes the source's lock, then the target's. Thread A moves from
1 to 2 and takes lock 1. Thread B moves from 2 to 1 and takes lock 2. Each now waits for
the lock that the other holds. Mostly one is through before the other starts, and all
goes well.

`pitfall_to_oneself` sorts, but forgets the transfer from an account to itself. The first
lock is the second lock, and the thread waits for itself.

Two keys that do not work. The balance: it changes, so two threads may sort by it
differently. The owner's name: where two accounts have the same, `sorted` leaves them in
the order in which they were given, and that differs between the threads.

Cost
----
Two bare `with` blocks take about a microsecond, `holding` some six, most of it for the
sort and the stack: next to nothing beside a database call. One lock for all accounts
is simpler and cannot deadlock. Take it until a measurement shows that threads wait
for it.

See also
--------
`threads/lock` for one account and for time-outs, `threads/rlock` for a method that
calls a locked method, `messages/full_pipe` for a deadlock without any lock.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Lock, Thread


@dataclass
class Account:
    """`lock` guards `balance`; `number` is unique, never changes, and orders the locks."""

    number: int
    balance: int
    lock: Lock = field(default_factory=Lock, repr=False)


@contextmanager
def holding(*accounts: Account) -> Iterator[None]:
    """Hold the locks of all `accounts`, each once, taken in the order of their numbers."""
    by_number = {account.number: account for account in accounts}
    with ExitStack() as stack:
        for number in sorted(by_number):
            stack.enter_context(by_number[number].lock)
        yield


def transfer(source: Account, target: Account, amount: int) -> bool:
    """Move `amount` if the source has it; say whether it was moved."""
    with holding(source, target):
        if source.balance < amount:
            return False
        source.balance -= amount
        target.balance += amount
        return True


def total(*accounts: Account) -> int:
    """Return the sum of the balances at one moment."""
    with holding(*accounts):
        return sum(account.balance for account in accounts)


def main(transfers: int = 1) -> None:
    start = 10 * transfers  # so much that no transfer of 1 is refused, in whatever order
    anna, ben = Account(1, start), Account(2, start)

    def move(source: Account, target: Account) -> None:
        for _ in range(transfers):
            transfer(source, target, 1)

    threads = [Thread(target=move, args=pair) for pair in ((anna, ben), (ben, anna))]
    for thread in threads:
        thread.start()
    assert total(anna, ben) == 2 * start  # also while the transfers are under way
    for thread in threads:
        thread.join()
    print(f"after transfers both ways: Anna {anna.balance}, Ben {ben.balance}")
    assert (anna.balance, ben.balance) == (start, start)

    assert transfer(anna, anna, 5)
    assert anna.balance == start
    assert not transfer(anna, ben, start + 1)
    assert total(ben, anna) == 2 * start
    print(f"Anna paid 5 to herself, and could not pay {start + 1} to Ben")


def pitfall_opposite_order() -> None:
    """Each thread holds the lock that the other one waits for.

    Fails: deadlock
    """
    anna, ben = Account(1, 10), Account(2, 10)

    def move(source: Account, target: Account) -> None:
        with source.lock, target.lock:
            source.balance -= 1
            target.balance += 1

    threads = [Thread(target=move, args=pair) for pair in ((anna, ben), (ben, anna))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def pitfall_to_oneself() -> None:
    """The two locks are in order, and they are the same lock.

    Fails: deadlock
    """
    anna = Account(1, 10)
    source, target = anna, anna
    first, second = sorted((source, target), key=lambda account: account.number)
    with first.lock, second.lock:
        source.balance -= 1
        target.balance += 1


if __name__ == "__main__":
    main()

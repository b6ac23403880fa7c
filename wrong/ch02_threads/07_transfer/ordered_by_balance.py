"""Takes the locks in the order of the balances.

Balances change, and may be equal. Two transfers that sort by them need not come to the
same order.

Rejected: deadlock
Line: with first.lock, second.lock:
"""

from collections.abc import Callable
from threading import Lock, Thread


class Account:
    """A numbered account. `lock` guards `balance`."""

    def __init__(self, number: int, balance: int) -> None:
        self.lock = Lock()
        self.number = number
        self.balance = balance


def transfer(source: Account, target: Account, amount: int) -> None:
    """Move money from one account to the other, as one step."""
    first, second = sorted((source, target), key=lambda account: account.balance)
    with first.lock, second.lock:
        source.balance -= amount
        target.balance += amount


def audit(first: Account, second: Account) -> int:
    """Return the sum of both balances at one moment."""
    with first.lock, second.lock:
        return first.balance + second.balance


def watch(account: Account) -> None:
    """See to it that the balance stays as it is while one holds the account's lock."""
    with account.lock:
        before = account.balance
        assert account.balance == before, "somebody changes it without the lock"


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(there: int = 3, back: int = 5) -> None:
    ann, bob = Account(1, 10), Account(2, 10)
    sums: list[int] = []
    run_together(
        lambda: transfer(ann, bob, there),
        lambda: transfer(bob, ann, back),
        lambda: sums.append(audit(ann, bob)),
    )
    run_together(lambda: transfer(bob, ann, 1), lambda: watch(ann), lambda: watch(bob))
    moved = there - back - 1
    assert (ann.balance, bob.balance) == (10 - moved, 10 + moved), (ann.balance, bob.balance)
    assert sums == [20], f"the audit saw {sums[0]} of 20"


if __name__ == "__main__":
    main()

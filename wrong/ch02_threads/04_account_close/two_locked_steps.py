"""Holds the lock for the look, lets go, and takes it again for the addition.

Each step is guarded, and in between the account is closed.

Rejected: assertion
Line: self.balance += amount
"""

from collections.abc import Callable
from threading import Lock, Thread


class Account:
    """A balance, and whether it still takes money. `lock` guards `balance`."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.balance = 0
        self.is_open = True

    def deposit(self, amount: int) -> bool:
        """Add to the balance, unless the account is closed; say whether that was done."""
        with self.lock:
            if not self.is_open:
                return False
        with self.lock:
            self.balance += amount
        return True

    def close(self) -> int:
        """Take no more money, and pay out what is there."""
        with self.lock:
            self.is_open = False
            paid, self.balance = self.balance, 0
        return paid


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(amount: int = 50) -> None:
    account = Account()
    assert account.deposit(1), "an open account takes money"
    accepted: list[bool] = []
    paid: list[int] = []
    run_together(
        lambda: accepted.append(account.deposit(amount)),
        lambda: paid.append(account.close()),
    )
    assert not account.deposit(1), "a closed account takes none"
    assert account.balance == 0, f"{account.balance} lie in a closed account"
    due = 1 + (amount if accepted[0] else 0)
    assert paid == [due], f"accepted: {due}, paid out: {paid[0]}"


if __name__ == "__main__":
    main()

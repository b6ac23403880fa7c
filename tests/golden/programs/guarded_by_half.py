import threading


class Account:
    def __init__(self):
        self.lock = threading.Lock()
        self.balance = 10

    def deposit(self, n):
        with self.lock:
            self.balance += n

    def withdraw(self, n):
        if self.balance >= n:
            self.balance -= n
            return True
        return False


account = Account()
t1 = threading.Thread(target=account.deposit, args=(3,), name="deposit")
t2 = threading.Thread(target=account.withdraw, args=(5,), name="withdraw")
t1.start()
t2.start()
t1.join()
t2.join()
assert account.balance == 8, f"balance is {account.balance}"

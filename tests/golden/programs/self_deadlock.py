import threading


class Account:
    def __init__(self):
        self.lock = threading.Lock()
        self.balance = 0

    def deposit(self, n):
        with self.lock:
            self.balance += n

    def transfer(self, n):
        self.lock.acquire()
        self.deposit(n)
        self.lock.release()


account = Account()
t = threading.Thread(target=account.transfer, args=(3,))
t.start()
t.join()

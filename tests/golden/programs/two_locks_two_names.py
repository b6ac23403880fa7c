import threading


class Account:
    def __init__(self):
        self.lock = threading.Lock()
        self.balance = 10


def move(source, target):
    with source.lock:
        with target.lock:
            source.balance -= 1
            target.balance += 1


anna, ben = Account(), Account()
there = threading.Thread(target=move, args=(anna, ben), name="there")
back = threading.Thread(target=move, args=(ben, anna), name="back")
there.start()
back.start()
there.join()
back.join()

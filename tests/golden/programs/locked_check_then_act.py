import threading

lock = threading.Lock()
tickets = 1


def buy():
    global tickets
    with lock:
        is_free = tickets > 0
    if is_free:
        with lock:
            tickets -= 1


buyers = [threading.Thread(target=buy) for _ in range(2)]
for buyer in buyers:
    buyer.start()
for buyer in buyers:
    buyer.join()
assert tickets >= 0, tickets

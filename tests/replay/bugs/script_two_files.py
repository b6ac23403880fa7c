"""A script that shares the state of another of its modules."""

import threading

import shared_stock

threads = [threading.Thread(target=shared_stock.take) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared_stock.left >= 0, shared_stock.left

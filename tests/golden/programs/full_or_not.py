"""Two threads look whether there is room for one item, and put one in each."""

import threading

items = []


def work():
    if len(items) < 1:
        items.append("item")


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(items) == 1

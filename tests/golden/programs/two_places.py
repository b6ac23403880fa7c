"""Two threads inside of a semaphore that has room for both."""

import threading

places = threading.Semaphore(2)
counter = 0


def work():
    global counter
    with places:
        seen = counter
        counter = seen + 1


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert counter == 2

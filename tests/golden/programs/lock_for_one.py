"""One thread takes the lock, the other changes the counter without it."""

import threading

lock = threading.Lock()
counter = 1


def work():
    global counter
    with lock:
        seen = counter
        counter = seen + 1


def reset():
    global counter
    counter = 0


threads = [threading.Thread(target=target) for target in (work, reset)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert counter in {0, 1}

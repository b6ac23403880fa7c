"""Two threads, each with a lock that it has made itself."""

import threading

counter = 0


def work():
    global counter
    with threading.Lock():
        seen = counter
        counter = seen + 1


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert counter == 2

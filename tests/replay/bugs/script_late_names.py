"""A script whose globals are bound by threads, and read by them; and a race beside that."""

import threading

runs = 0


def fetch():
    global answer, runs
    answer = 42
    runs += 1


def show():
    print(answer)


threads = [threading.Thread(target=fetch) for _ in range(2)]
for thread in threads:
    thread.start()
    reader = None
for thread in threads:
    thread.join()
for name in ("first", "second"):
    chosen = name
assert runs == 2, runs

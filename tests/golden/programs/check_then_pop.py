import threading

jobs = [1]


def take():
    if jobs:
        jobs.pop()


ts = [threading.Thread(target=take) for _ in range(2)]
for t in ts:
    t.start()
for t in ts:
    t.join()

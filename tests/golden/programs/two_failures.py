"""Two threads take the last job; then the sum is wrong as well."""

import threading

jobs = [1]
done = []


def work():
    if jobs:
        done.append(jobs.pop())
    done.append(0)


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(done) == 3

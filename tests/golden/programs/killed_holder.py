"""A worker is terminated while it holds a lock."""

from multiprocessing import Lock, Process


def work(lock):
    with lock:
        print("working")


if __name__ == "__main__":
    lock = Lock()
    worker = Process(target=work, args=(lock,))
    worker.start()
    worker.terminate()
    worker.join()
    with lock:
        print("done")

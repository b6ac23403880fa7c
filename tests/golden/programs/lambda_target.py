"""A process is to run a lambda, which has no name to be pickled by."""

from multiprocessing import Process

if __name__ == "__main__":
    process = Process(target=lambda: print("never"))
    process.start()
    process.join()

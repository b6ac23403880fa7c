"""A block of shared memory is closed, and never unlinked."""

from multiprocessing import Process
from multiprocessing.shared_memory import SharedMemory


def fill(block):
    block.buf[0] = 7
    block.close()


if __name__ == "__main__":
    shared = SharedMemory(create=True, size=16)
    process = Process(target=fill, args=(shared,))
    process.start()
    process.join()
    print(shared.buf[0])
    shared.close()

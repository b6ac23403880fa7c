"""Two processes add to one Value without its lock."""

from multiprocessing import Process, Value


def count(value):
    value.value += 1


if __name__ == "__main__":
    total = Value("i", 0)
    processes = [Process(target=count, args=(total,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert total.value == 2, total.value

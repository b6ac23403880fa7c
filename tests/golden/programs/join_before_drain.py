"""A parent joins its child before it has taken what the child has put."""

from multiprocessing import Process, Queue


def produce(queue):
    for _ in range(3):
        queue.put("x" * 70_000)


if __name__ == "__main__":
    queue = Queue()
    producer = Process(target=produce, args=(queue,))
    producer.start()
    producer.join()
    print(sum(len(queue.get()) for _ in range(3)))

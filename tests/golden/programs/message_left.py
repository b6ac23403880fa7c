"""A parent waits for two answers, its child sends only one."""

from multiprocessing import Pipe, Process


def answer(end):
    end.send(end.recv() + 1)
    end.recv()


if __name__ == "__main__":
    here, there = Pipe()
    child = Process(target=answer, args=(there,))
    child.start()
    here.send(1)
    print(here.recv())
    print(here.recv())

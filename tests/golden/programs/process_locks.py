"""Two processes take two locks in opposite order."""

from multiprocessing import Lock, Process


def transfer(source, target):
    with source:
        with target:
            pass


if __name__ == "__main__":
    anna, ben = Lock(), Lock()
    forth = Process(target=transfer, args=(anna, ben))
    back = Process(target=transfer, args=(ben, anna))
    forth.start()
    back.start()
    forth.join()
    back.join()

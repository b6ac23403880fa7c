"""A process is started without `if __name__ == "__main__"`."""

from multiprocessing import Process


def work():
    print("never")


process = Process(target=work)
process.start()
process.join()

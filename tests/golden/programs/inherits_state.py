"""A child relies on a global that its parent has set: only a fork hands it on."""

from multiprocessing import get_context

settings = {}


def work():
    print(settings["colour"])


if __name__ == "__main__":
    settings["colour"] = "blue"
    worker = get_context("fork").Process(target=work)
    worker.start()
    worker.join()

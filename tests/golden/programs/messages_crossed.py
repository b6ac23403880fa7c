"""Two processes take from one queue, and answer into another: who is quicker is open."""

import multiprocessing


def worker(asked, answers):
    answers.put(asked.get())


def main():
    asked, answers = multiprocessing.Queue(), multiprocessing.Queue()
    workers = [multiprocessing.Process(target=worker, args=(asked, answers)) for _ in range(2)]
    for each in workers:
        each.start()
    asked.put("a")
    asked.put("b")
    for each in workers:
        each.join()
    assert [answers.get(), answers.get()] == ["b", "a"]


if __name__ == "__main__":
    main()

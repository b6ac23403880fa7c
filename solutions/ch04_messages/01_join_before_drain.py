"""Collect large results from worker processes.

Why it is right
---------------
A worker ends when its feeder thread has written everything into the pipe, and it can do
that only while somebody reads. So read first: one `get` for each page. After that
nothing is left in anybody's feeder, and each join comes back.

The number of pages is known, so there is no need to ask whether the queue is empty,
which nobody can say for certain.
"""

from multiprocessing import get_context, queues
from multiprocessing.process import BaseProcess
from typing import TypeAlias

Pages: TypeAlias = "queues.Queue[tuple[int, bytes]]"
PAGE_SIZE = 1_000_000  # bytes


def render(number: int, pages: Pages) -> None:
    """Render one page and put it into the queue."""
    pages.put((number, bytes(PAGE_SIZE)))


def collect(workers: list[BaseProcess], pages: Pages) -> list[int]:
    """Wait for the workers, which have been started; return the numbers of their pages."""
    numbers = [pages.get()[0] for _ in workers]
    for worker in workers:
        worker.join()
    return numbers


def main(count: int = 2) -> None:
    context = get_context("spawn")
    pages: Pages = context.Queue()
    workers: list[BaseProcess] = [
        context.Process(target=render, args=(number, pages), daemon=True) for number in range(count)
    ]
    for worker in workers:
        worker.start()
    numbers = collect(workers, pages)
    assert sorted(numbers) == list(range(count)), numbers
    assert all(worker.exitcode == 0 for worker in workers), workers


if __name__ == "__main__":
    main()

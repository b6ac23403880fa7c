"""Takes pages until the queue is empty, then joins.

The queue is empty too as long as no page has come yet.

Rejected: assertion
Line: while not pages.empty():
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
    numbers = []
    while not pages.empty():
        numbers.append(pages.get()[0])
    for worker in workers:
        worker.join(timeout=1)
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

"""Takes the pages, and terminates the workers.

A worker may be about to end well; now it ends by a signal, perhaps in the midst of
something.

Rejected: assertion
Line: worker.terminate()
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
        worker.terminate()
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

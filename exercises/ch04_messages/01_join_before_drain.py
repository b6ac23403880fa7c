"""Collect large results from worker processes.

Each worker renders a page and puts it into a queue. When all workers are done, the
pages are taken out. With the small test pages that was so. With real ones no worker is
ever done.

What must hold
--------------
All pages are collected, and all workers have ended well when `collect` returns.

What you may change
-------------------
`collect`

Fails: deadlock
Also: main(count=3)
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
    # TODO: nobody gets done.
    for worker in workers:
        worker.join()
    return [pages.get()[0] for _ in workers]


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

"""Keeps the pool, and does the work beside it.

Two processes are started, and have nothing to do.

Rejected: not-concurrent
"""

from collections.abc import Sequence
from multiprocessing import get_context


def scale(width: int, percent: int) -> int:
    """Return so many percent of a width."""
    return width * percent // 100


def scale_all(widths: Sequence[int], percent: int) -> list[int]:
    """Scale each width, in a pool of processes; return them in the same order."""
    with get_context("spawn").Pool(2):
        return [scale(width, percent) for width in widths]


def main(widths: Sequence[int] = (640, 1024)) -> None:
    scaled = scale_all(widths, percent=50)
    assert scaled == [width // 2 for width in widths], scaled


if __name__ == "__main__":
    main()

"""Leaves the percentage in a global variable for the workers.

The workers import the file anew, and see the value that stands there, not the one that
this process has set.

Rejected: assertion
"""

from collections.abc import Sequence
from multiprocessing import get_context

factor = 100


def scale_by_factor(width: int) -> int:
    """Return as many percent as the factor says."""
    return scale(width, factor)


def scale(width: int, percent: int) -> int:
    """Return so many percent of a width."""
    return width * percent // 100


def scale_all(widths: Sequence[int], percent: int) -> list[int]:
    """Scale each width, in a pool of processes; return them in the same order."""
    global factor
    factor = percent
    with get_context("spawn").Pool(2) as pool:
        return pool.map(scale_by_factor, widths)


def main(widths: Sequence[int] = (640, 1024)) -> None:
    scaled = scale_all(widths, percent=50)
    assert scaled == [width // 2 for width in widths], scaled


if __name__ == "__main__":
    main()

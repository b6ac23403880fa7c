"""Scale pictures in a pool of processes.

Why it is right
---------------
`scale` stands at the top level, so a worker that imports the file finds it under its
name. `partial` is pickled as the function and the arguments that it binds, so `percent`
travels along.

A lambda and a function within a function have no name under which another process could
find them.
"""

from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context


def scale(width: int, percent: int) -> int:
    """Return so many percent of a width."""
    return width * percent // 100


def scale_all(widths: Sequence[int], percent: int) -> list[int]:
    """Scale each width, in a pool of processes; return them in the same order."""
    with get_context("spawn").Pool(2) as pool:
        return pool.map(partial(scale, percent=percent), widths)


def main(widths: Sequence[int] = (640, 1024)) -> None:
    scaled = scale_all(widths, percent=50)
    assert scaled == [width // 2 for width in widths], scaled


if __name__ == "__main__":
    main()

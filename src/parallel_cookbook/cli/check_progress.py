"""The line that a check shows on a terminal while it searches: how quick, how far, how long still."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.check import Tally

_EVERY_S = 0.1


@contextlib.contextmanager
def shown_progress(max_seconds: float | None) -> Iterator[Callable[[Tally], None]]:
    """Show progress on standard error, if that is a terminal; yield what to call with each news."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _tally: None
        return
    last = time.monotonic()
    with console.status("exploring …") as status:

        def show(tally: Tally) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _EVERY_S:
                last = now
                status.update(_describe(tally, max_seconds))

        yield show


def _describe(tally: Tally, max_seconds: float | None) -> str:
    rate = tally.executions / tally.seconds if tally.seconds else 0.0
    text = f"{tally.executions:,} executions, {rate:,.0f} a second, about {tally.share_done:.0%} covered"
    if max_seconds is not None:
        text += f", {max(0.0, max_seconds - tally.seconds):.0f} s left at most"
    return text

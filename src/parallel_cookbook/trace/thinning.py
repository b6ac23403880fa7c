"""Draws what is short together, so that a picture of millions of waits stays one that can be drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parallel_cookbook.trace.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.timeline import Slice

_SHORTEST = 1000
"""Nanoseconds: what is shorter than that goes first."""


def thinned(slices: list[Slice], most: int) -> tuple[list[Slice], int]:
    """Return at most about `most` slices, and the length under which they were drawn together; 0: none was.

    Neighbours in a lane that are both short become one, in the state that most of it has.
    """
    shortest = 0
    slices = sorted(slices, key=lambda one: (one.lane, one.begin, -one.end))
    while len(slices) > most:
        shortest = max(_SHORTEST, shortest * 4)
        slices = list(_joined(slices, shortest))
        if shortest > 1 << 62:  # nothing of it is short
            break
    return slices, shortest


def _joined(slices: list[Slice], shortest: int) -> Iterator[Slice]:
    pending: list[Slice] = []
    for one in slices:
        is_short = one.end - one.begin < shortest and not one.is_open
        fits = (
            pending
            and one.lane == pending[0].lane
            and one.begin >= pending[-1].end
            and one.begin - pending[-1].end < shortest
            and one.end - pending[0].begin < shortest * 8
        )
        if pending and not (is_short and fits):
            yield _one_of(pending)
            pending = []
        if is_short:
            pending.append(one)
        else:
            yield one
    if pending:
        yield _one_of(pending)


def _one_of(slices: list[Slice]) -> Slice:
    if len(slices) == 1:
        return slices[0]
    longest = max(slices, key=lambda one: one.end - one.begin)
    detail = f"{count(len(slices), 'short stretch', 'short stretches')} in one."
    return replace(longest, begin=slices[0].begin, end=slices[-1].end, detail=detail)

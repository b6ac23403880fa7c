"""Draws what is short together, so that a picture of millions of waits stays one that can be drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parallel_cookbook.trace.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parallel_cookbook.timeline import Slice

_SHORTEST = 1000
"""Nanoseconds: what is shorter than that goes first."""
_CROWD = 4
"""How many times too many slices are kept before they are drawn together."""


class Thinning:
    """Takes slices, and draws together what is short as soon as there are too many: millions may come."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._slices: list[Slice] = []
        self._shortest = 0
        self._crowd = _CROWD * most

    def add(self, slices: Iterable[Slice]) -> None:
        """Take some more, in any order."""
        for one in slices:
            self._slices.append(one)
            if len(self._slices) > self._crowd:
                self._draw_together()
                self._crowd = max(_CROWD * self._most, 2 * len(self._slices))

    def thinned(self) -> tuple[list[Slice], int]:
        """Return at most about `most` slices, and the length under which they were drawn together, or 0.

        Neighbours in a lane that are both short become one, in the state that most of it has.
        """
        if self._shortest:  # as what came before was
            self._join(self._shortest)
        self._draw_together()
        return self._slices, self._shortest

    def _draw_together(self) -> None:
        while len(self._slices) > self._most:
            self._shortest = max(_SHORTEST, self._shortest * 4)
            self._join(self._shortest)
            if self._shortest > 1 << 62:  # nothing of it is short
                break

    def _join(self, shortest: int) -> None:
        self._slices.sort(key=lambda one: (one.lane, one.begin, -one.end))
        self._slices = list(_joined(self._slices, shortest))


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

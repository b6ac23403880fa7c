"""Name what tasks meet at as a person would: by what the line that made it assigns it to."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from parallel_cookbook.trace.naming import Texts

_TARGET = re.compile(
    r"^(?:(?:async )?with .* as (?P<as>\w+)|(?P<target>[\w.\[\]'\", ]+?)\s*(?::[^=]+)?=(?!=))"
)


class Call(NamedTuple):
    """A call by which the program made something."""

    file: str
    end: tuple[int, int]
    """Line, and column in bytes."""
    ordinal: int
    """How many things of the kind this call had made before."""
    made_for: str
    """The field of a dataclass that it is made for: "Account.lock"; or empty."""


class Labels:
    """Makes labels that are unique in a recording."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()
        self._texts = Texts()

    def label(
        self, kind: str, source: str, function: str, suffix: str = "", call: Call | None = None
    ) -> str:
        """Return a new label for a thing of this kind that was made by this line in this function.

        `self.lock = Lock()` in `Account.__init__` makes "Account.lock"; a second one "Account.lock #2".
        call: which call of the line made it, where that is known: `a, b = Lock(), Lock()` has two.
        """
        base = ""
        if call is not None:
            base = call.made_for or self._texts.name_at(call.file, call.end, call.ordinal)
        base = _owned(base, function) if base else _base(kind, source, function)
        if suffix.isdigit():  # a way of a connection, from which of its ends to which
            base = _way(base, int(suffix[0]), int(suffix[1]))
        else:
            base += suffix
        self._used[base] += 1
        number = self._used[base]
        return base if number == 1 else f"{base} #{number}"


def _base(kind: str, source: str, function: str) -> str:
    match = _TARGET.match(source)
    if match is None:
        return kind
    return _owned(match["as"] or match["target"], function)


def _owned(target: str, function: str) -> str:
    """Return an attribute's name with its class in place of `self`."""
    first, _, rest = target.partition(".")
    if first in {"self", "cls"} and rest:
        owner = function.rsplit(".<locals>.", maxsplit=1)[-1].rpartition(".")[0]
        return f"{owner}.{rest}" if owner else rest
    return target


def _way(base: str, source: int, target: int) -> str:
    ends = [end.strip() for end in base.split(",")]
    if len(ends) != 2:  # noqa: PLR2004 - both ends of a connection
        return base
    return f"{ends[source]} → {ends[target]}"

"""Name what tasks meet at as a person would: by what the line that made it assigns it to."""

from __future__ import annotations

import re
from collections import Counter

_TARGET = re.compile(
    r"^(?:(?:async )?with .* as (?P<as>\w+)|(?P<target>[\w.\[\]'\", ]+?)\s*(?::[^=]+)?=(?!=))"
)


class Labels:
    """Makes labels that are unique in a recording."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def label(
        self, kind: str, source: str, function: str, suffix: str = "", ordinal: int = 0
    ) -> str:
        """Return a new label for a thing of this kind that was made by this line in this function.

        `self.lock = Lock()` in `Account.__init__` makes "Account.lock"; a second one "Account.lock #2".
        ordinal: how many things the same line had made before; `a, b = Lock(), Lock()` makes "a" and "b".
        """
        base = _base(kind, source, function)
        targets = [target.strip() for target in base.split(",")]
        if len(targets) > 1 and kind != "connection":
            base = targets[ordinal % len(targets)]
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
    target = match["as"] or match["target"]
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

"""Name what tasks meet at as a person would: by what the line that made it assigns it to."""

from __future__ import annotations

import ast
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
        ordinal: how many things of this kind the line had made before: `a, b = Lock(), Lock()` makes both.
        """
        base = _among_several(source, "condition" if suffix == ".lock" else kind, ordinal)
        base = base or _base(kind, source, function)
        if suffix.isdigit():  # a way of a connection, from which of its ends to which
            base = _way(base, int(suffix[0]), int(suffix[1]))
        else:
            base += suffix
        self._used[base] += 1
        number = self._used[base]
        return base if number == 1 else f"{base} #{number}"


_MAKERS = {
    "lock": {"Lock"},
    "rlock": {"RLock", "Value", "Array"},
    "semaphore": {"Semaphore", "BoundedSemaphore"},
    "queue": {"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue", "JoinableQueue"},
    "executor": {"ThreadPoolExecutor", "ProcessPoolExecutor"},
    "pool": {"Pool", "ThreadPool"},
    "condition": {"Condition"},
    "event": {"Event"},
    "barrier": {"Barrier"},
}


def _among_several(source: str, kind: str, ordinal: int) -> str:
    """Return the target of the `ordinal`-th maker of this kind in `a, b = Lock(), Event()`; else ""."""
    try:
        (statement,) = ast.parse(source).body
    except (SyntaxError, ValueError):
        return ""
    if not isinstance(statement, ast.Assign):
        return ""
    targets, values = statement.targets[0], statement.value
    if not isinstance(targets, ast.Tuple) or not isinstance(values, ast.Tuple):
        return ""
    makers = _MAKERS.get(kind, set())
    fitting = [
        ast.unparse(target)
        for target, value in zip(targets.elts, values.elts, strict=False)
        if isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] in makers
    ]
    return fitting[ordinal] if ordinal < len(fitting) else ""


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

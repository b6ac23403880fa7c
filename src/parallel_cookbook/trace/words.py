"""How tasks, things, places and times of a recording are called in a sentence."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parallel_cookbook.trace.recording import Recording

_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))
_ROUNDED_TO = (99.95, 9.995)
"""Below these a number gets a digit more behind the point."""
_LEAST_PERCENT = 0.95
_MOST_NAMES = 4
_LONGEST = 80
_SAID = {"rlock": "lock"}
"""What a label must hold to say the kind as well, where that is not the kind's own name."""
_CALLS = {
    "__len__": "len({})",
    "__getitem__": "{}[…]",
    "__setitem__": "{}[…] = …",
    "__delitem__": "del {}[…]",
    "__contains__": "… in {}",
    "__getattribute__": "{}. …",
    "__setattr__": "{}. … = …",
    "__delattr__": "del {}. …",
    "__iter__": "iter({})",
    "__next__": "next({})",
    "__repr__": "str({})",
    "#GETVALUE": "a copy of {}",
}
"""Methods that a program calls without their names."""
_CALLED = {"rlock": "RLock"}


def span(nanoseconds: float) -> str:
    """Return a duration with three digits and the unit that suits it."""
    for size, unit in _UNITS:
        if abs(nanoseconds) >= size * 0.9995:
            number = nanoseconds / size
            digits = sum(number < limit for limit in _ROUNDED_TO)
            return f"{number:,.{digits}f} {unit}"
    return f"{nanoseconds:.0f} ns" if nanoseconds else "0 s"


def percent(part: float, whole: float) -> str:
    """Return a share in percent; what is more than nothing is never shown as 0."""
    if not whole or not part:
        return "0 %"
    share = 100 * part / whole
    return "< 1 %" if share < _LEAST_PERCENT else f"{share:.0f} %"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return the number with its noun."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Iterable[str], joint: str = "and") -> str:
    """Return "a, b and c"."""
    items = list(words)
    return f" {joint} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def plain(text: str) -> str:
    """Return a program's text so that it can be shown: without what steers a terminal, and not too long."""
    shown = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


class Words:
    """The names in one recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        names = Counter(task.name for task in recording.tasks)
        self._names = []
        for task in recording.tasks:
            process = recording.processes[task.process].name
            is_own = names[task.name] == 1 or task.name == process
            self._names.append(plain(task.name if is_own else f"{task.name} of {process}"))
        again = Counter(self._names)
        for index, task in enumerate(recording.tasks):
            if again[self._names[index]] > 1:
                self._names[index] += f" [{recording.processes[task.process].pid}/{index}]"

    def task(self, index: int) -> str:
        """Return a task's name: unique in the recording."""
        return self._names[index] if 0 <= index < len(self._names) else "somebody"

    def thing(self, index: int) -> str:
        """Return a thing's label."""
        things = self._recording.things
        return plain(things[index].label) if 0 <= index < len(things) else "something"

    def call(self, thing: int, method: int) -> str:
        """Return how a method of a manager's object is written: "totals.append", "len(totals)"."""
        methods = self._recording.methods
        name = plain(methods[method]) if 0 <= method < len(methods) else "?"
        label = self.thing(thing)
        return _CALLS[name].format(label) if name in _CALLS else f"{label}.{name}"

    def a_thing(self, index: int) -> str:
        """Return a thing's kind and label, or its label if that says it: "RLock guard", "lock"."""
        things = self._recording.things
        if not 0 <= index < len(things):
            return "something"
        kind, label = things[index].kind, plain(things[index].label)
        said = _SAID.get(kind, kind)
        return label if said in label.lower() else f"{_CALLED.get(kind, kind)} {label}"

    def place(self, site: int) -> str:
        """Return a file's name and a line: "bank.py:12"; empty if it is not known."""
        sites = self._recording.sites
        if not 0 <= site < len(sites):
            return ""
        return f"{plain(PurePath(sites[site].file).name)}:{sites[site].line}"

    def at(self, site: int) -> str:
        """Return " at bank.py:12", to stand behind a verb; empty if the place is not known."""
        place = self.place(site)
        return f" at {place}" if place else ""

    def source(self, site: int) -> str:
        """Return the line's text; empty if it is not known."""
        sites = self._recording.sites
        return plain(sites[site].source) if 0 <= site < len(sites) else ""

    def tasks(self, indices: Iterable[int]) -> str:
        """Return "a, b and c"; of many, the first three and how many more."""
        names = [self.task(index) for index in indices]
        if len(names) > _MOST_NAMES:
            names[_MOST_NAMES - 1 :] = [f"{len(names) - _MOST_NAMES + 1} more"]
        return listed(names)

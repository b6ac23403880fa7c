"""Number what tasks meet at: locks, queues, pools."""

from __future__ import annotations

from itertools import count

from parallel_cookbook.trace.recorder.layout import THING, THING_KINDS
from parallel_cookbook.trace.recorder.places import spot
from parallel_cookbook.trace.recorder.tape import tape

next_thing = count(1).__next__


class Local(int):
    """A number that means something in this process and its forked children, and nothing elsewhere."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        return int, (0,)


def new_thing(kind: str, site: int, capacity: int = 0, key: str = "", suffix: str = "") -> int:
    """Return the number of something new.

    A forked child goes on with its parent's numbers and knows what those mean.

    key: the same in all processes for what they share.
    suffix: ends its label, where what has the label is a part of something else.
    """
    thing = next_thing()
    define_thing(thing, kind, site, capacity, key, suffix)
    return thing


def define_thing(
    thing: int, kind: str, site: int, capacity: int = 0, key: str = "", suffix: str = ""
) -> None:
    """Write down what a number stands for; called where the program makes it."""
    site = spot(site)
    if key or suffix:
        tape.name(thing=thing, kind=kind, site=site, capacity=capacity, key=key, suffix=suffix)
    else:
        tape.write(THING, thing, site, THING_KINDS.index(kind), moment=capacity + 1)

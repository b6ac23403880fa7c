"""Number what tasks meet at: locks, queues, pools."""

from __future__ import annotations

from itertools import count

from parallel_cookbook.trace.recorder.layout import THING, THING_KINDS
from parallel_cookbook.trace.recorder.tape import tape

next_thing = count(1).__next__


def new_thing(kind: str, site: int, capacity: int = 0, key: str = "") -> int:
    """Return the number of something new.

    A forked child goes on with its parent's numbers and knows what those mean.

    key: the same in all processes for what they share.
    """
    thing = next_thing()
    define_thing(thing, kind, site, capacity, key)
    return thing


def define_thing(thing: int, kind: str, site: int, capacity: int = 0, key: str = "") -> None:
    """Write down what a number stands for."""
    if key:
        tape.name(thing=thing, kind=kind, site=site, capacity=capacity, key=key)
    else:
        tape.write_long(THING, 0, thing, site, THING_KINDS.index(kind), extra=capacity)

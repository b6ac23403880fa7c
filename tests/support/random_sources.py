"""Random programs as source text, for what stands between the source and the search.

The check makes a scheduling point of an access only where it has seen a race. `outcomes` explores a
program so, or with every access a point, which is slow and leaves nothing to be judged.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.exploration import Budget, explore
from parallel_cookbook.check.program import Entry
from parallel_cookbook.strategies import Dpor

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
import io
import itertools
import operator
import threading
from collections import UserDict
from heapq import heappop, heappush

x = y = 0
items, table = [], {}
a, b, event = threading.Lock(), threading.Lock(), threading.Event()


class Box:
    made = 0

    def __init__(self):
        self.value = 0

    @property
    def is_empty(self):
        return self.value == 0


def produce():
    yield from range(3)


box = Box()
numbers, source, out, cells, heap = itertools.count(), produce(), io.StringIO(), UserDict(n=0), []
logs = [[], [], []]

"""
TAIL = """
def main():
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(x, y, items, sorted(table.items()), box.value, Box.made, logs)
    print(vars(box), out.getvalue(), cells, heap)


main()
"""
READS = (
    "x",
    "y",
    "box.value",
    "box.is_empty",
    "Box.made",
    "len(items)",
    "table.get('k')",
    "bool(items)",
    "next(numbers)",
    "next(source, None)",
    "out.getvalue()",
    "cells['n']",
    "items[-1:]",
    "str(table)",
    "vars(box).get('extra')",
    "hasattr(box, 'extra')",
    "sorted(vars(box))",
    "'extra' in box.__dict__",
    "globals()['x']",
)
CHANGES = (
    "x = {n}",
    "y = x",
    "x += 1",
    "x, y = y, x",
    "box.value += 1",
    "box.value = {n}",
    "Box.made += 1",
    "items.append({n})",
    "items += [{n}]",
    "items and items.pop()",
    "table['k'] = {n}",
    "table['k'] = table.get('k', 0) + 1",
    "table.pop('k', None)",
    "event.set()",
    "out.write('{n}')",
    "cells['n'] += 1",
    "heappush(heap, {n})",
    "heap and heappop(heap)",
    "operator.setitem(table, 'k', {n})",
    "setattr(box, 'extra', {n})",
    "vars(box)['value'] = {n}",
    "globals()['x'] = {n}",
    "items[:] = items[::-1] + [{n}]",
    "log.extend(source)",
    "hasattr(box, 'extra') and delattr(box, 'extra')",
)


def random_source(seed: str, *, has_generators: bool = True) -> str:
    """Return a program of two or three short threads that share variables, with locks here and there.

    has_generators: whether threads may step through one generator.
    """
    source = random.Random(seed)
    works = source.choice((2, 2, 3))
    all_reads, all_changes = (
        [each for each in choices if has_generators or "source" not in each]
        for choices in (READS, CHANGES)
    )
    # A program is about a few places, else the threads hardly ever meet.
    reads, changes = source.sample(all_reads, 2), source.sample(all_changes, 3)
    lines = [HEAD]
    for number in range(works):
        lines += [f"def work{number}():", "    global x, y, items", f"    log = logs[{number}]"]
        for _ in range(source.choice((1, 2, 2, 3)) if works == 2 else 1):
            lines += _statement(source, reads, changes, "    ")
        lines.append("")
    lines.append(f"works = [{', '.join(f'work{number}' for number in range(works))}]")
    return "\n".join(lines) + TAIL


def _statement(source: random.Random, reads: list[str], changes: list[str], pad: str) -> list[str]:
    change = source.choice(changes).format(n=source.randrange(3))
    read = source.choice(reads)
    kind = source.randrange(8)
    if kind < 2:
        return [f"{pad}{change}"]
    if kind == 2:
        return [f"{pad}log.append({read})"]
    if kind in {3, 4}:
        return [f"{pad}if not {read}:", f"{pad}    {change}"]
    if kind == 5:
        return [f"{pad}log.append(({read}, {source.choice(reads)}))"]
    if kind == 6 and len(pad) < 8:
        return [
            f"{pad}with {source.choice('ab')}:",
            *_statement(source, reads, changes, pad + "    "),
        ]
    return [f"{pad}if event.is_set():", f"{pad}    {change}"]


def outcomes(file: Path, *, is_each_access_a_point: bool = False) -> set[object] | None:
    """Return all that a program can print, and how it can fail; None if there are too many executions."""
    machine = Machine(Entry(file), max_steps=2000)
    if is_each_access_a_point:
        memory = machine.memory

        def grow() -> None:
            memory.visible += [True] * (len(memory.sites) - len(memory.visible))

        machine.program._on_new_sites = grow
        machine.kernel.are_releases_points = machine.kernel.are_lives_points = True
    tally = explore(machine, Dpor, Budget(3000, None), stop_at_first=False)
    if not tally.is_exhaustive:
        return None
    faults = {(fault.kind, fault.message) for fault in tally.faults}
    return {stdout for stdout, _ in tally.outcomes} | faults

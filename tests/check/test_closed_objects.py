"""What code keeps that is not rewritten: who meets there is seen, and who does not is let be.

Each program below goes wrong in one of its orders. A check that takes an iterator, a file or an object of the
standard library for nothing says "pass" to it, and is wrong.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry, replay_entry

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import CheckReport

PROGRAM = """\
import threading
{setup}
a = b = None
seen = []
def first():
    global a, b
    {first}
def second():
    global a, b
    {second}
tasks = [threading.Thread(target=each) for each in (first, second)]
for task in tasks: task.start()
for task in tasks: task.join()
{claim}
"""
GENERATOR = "def numbers():\n    yield 0\n    yield 1\nsource = numbers()"
DATACLASS = (
    "import dataclasses\n@dataclasses.dataclass\nclass Point:\n    x: int = 0\npoint = Point()"
)
PLAIN = "class Plain: pass\nobj = Plain()\nobj.n = 0"

# name: (setup, what the first task does, the second, what holds in some orders only)
WRONG: dict[str, tuple[str, str, str, str]] = {
    # iterators
    "next of a counter": (
        *("import itertools\nsource = itertools.count()", "a = next(source)", "b = next(source)"),
        "assert a == 0",
    ),
    "next of a list's iterator": (
        *("source = iter([1, 2])", "a = next(source)", "b = next(source)", "assert a == 1"),
    ),
    "a loop over an iterator": (
        "source = iter([1, 2, 3])",
        "for x in source: seen.append((1, x))",
        "for x in source: seen.append((2, x))",
        "assert {who for who, _ in seen} != {1, 2}",
    ),
    "enumerate of an iterator": (
        "source = iter([1, 2])",
        "a = [x for _, x in enumerate(source)]",
        "b = [x for _, x in enumerate(source)]",
        "assert a == [1, 2]",
    ),
    "zip of an iterator": (
        "source = iter([1, 2, 3])",
        "a = [pair for pair in zip(source, source)]",
        "b = next(source)",
        "assert a == [(1, 2)]",
    ),
    "list of a map": (
        "source = iter([1, 2])",
        "a = list(map(str, source))",
        "b = list(source)",
        "assert a",
    ),
    "unpacking of an iterator": (
        "source = iter([1, 2])",
        "a = [*source]",
        "b = [*source]",
        "assert a == [1, 2]",
    ),
    "what comes first from a generator": (
        GENERATOR,
        "a = next(source, None)",
        "b = next(source, None)",
        "assert a == 0",
    ),
    "the lines of a file": (
        "import io\nsource = io.StringIO('1\\n2\\n')",
        "a = source.readline()",
        "b = source.readline()",
        "assert a == '1\\n'",
    ),
    # objects of the standard library
    "writes to a text": (
        "import io\nout = io.StringIO()",
        "out.write('a')",
        "out.write('b')",
        "assert out.getvalue() == 'ab'",
    ),
    "a bound method of it": (
        "import io\nout = io.BytesIO()\nwrite = out.write",
        "write(b'a')",
        "write(b'b')",
        "assert out.getvalue() == b'ab'",
    ),
    "an array": (
        "import array\ncells = array.array('i', [0])",
        "cells[0] += 1",
        "cells[0] += 1",
        "assert cells[0] == 2",
    ),
    "a method that knows its class": (
        "import array\ncells = array.array('i')",
        "cells.extend([1]); cells.extend([2])",
        "cells.extend([3])",
        "assert cells.tolist() != [1, 3, 2]",
    ),
    "a value of ctypes": (
        "import ctypes\ncell = ctypes.c_int(0)",
        "cell.value += 1",
        "cell.value += 1",
        "assert cell.value == 2",
    ),
    "a UserDict": (
        "from collections import UserDict\ncells = UserDict(n=0)",
        "cells['n'] += 1",
        "cells['n'] += 1",
        "assert cells['n'] == 2",
    ),
    "a class of the program derived from one": (
        "from collections import UserList\nclass Cells(UserList): pass\ncells = Cells([0])",
        "cells[0] += 1",
        "cells[0] += 1",
        "assert cells[0] == 2",
    ),
    "a ChainMap": (
        "from collections import ChainMap\ncells = ChainMap({'n': 0})",
        "cells['n'] = cells['n'] + 1",
        "cells['n'] = cells['n'] + 1",
        "assert cells['n'] == 2",
    ),
    "the environment": (
        "import os\nos.environ['COOKBOOK_CELL'] = '0'",
        "os.environ['COOKBOOK_CELL'] = os.environ['COOKBOOK_CELL'] + 'a'",
        "os.environ['COOKBOOK_CELL'] = os.environ['COOKBOOK_CELL'] + 'b'",
        "assert len(os.environ.pop('COOKBOOK_CELL')) == 3",
    ),
    "a random generator": (
        "import random\ndice = random.Random(1)",
        "a = dice.random()",
        "b = dice.random()",
        "assert a == random.Random(1).random()",
    ),
    # functions that are not rewritten
    "operator.setitem": (
        "import operator\ncells = {'n': 0}",
        "operator.setitem(cells, 'n', cells['n'] + 1)",
        "operator.setitem(cells, 'n', cells['n'] + 1)",
        "assert cells['n'] == 2",
    ),
    "struct.pack_into": (
        "import struct\ncells = bytearray(1)",
        "struct.pack_into('b', cells, 0, cells[0] + 1)",
        "struct.pack_into('b', cells, 0, cells[0] + 1)",
        "assert cells[0] == 2",
    ),
    "a function imported by its name": (
        "from heapq import heappop\nheap = [1]",
        "if heap: heappop(heap)",
        "if heap: heappop(heap)",
        "",
    ),
    "str.join": ("cells = ['a']", "a = ''.join(cells)", "cells.append('b')", "assert a == 'a'"),
    "a text of nested containers": (
        "cells = {'n': [1]}",
        "a = str(cells)",
        "cells['n'].append(2)",
        "assert '2' not in a",
    ),
    "a text of a dataclass": (DATACLASS, "a = f'{point}'", "point.x = 1", "assert '0' in a"),
    "an equality of dataclasses": (DATACLASS, "a = point == Point(0)", "point.x = 1", "assert a"),
    # other ways to what is seen
    "a slice": ("cells = [1, 2]", "a = cells[:]", "cells[0] = 3", "assert a == [1, 2]"),
    "an item counted from the end": (
        "cells = [1, 2]",
        "a = cells[-1]",
        "cells[1] = 3",
        "assert a == 2",
    ),
    "a view of memory": (
        "cells = memoryview(bytearray(1))",
        "cells[0] += 1",
        "cells[0] += 1",
        "assert cells[0] == 2",
    ),
    "hasattr, then del": (
        PLAIN,
        "if hasattr(obj, 'n'): del obj.n",
        "if hasattr(obj, 'n'): del obj.n",
        "",
    ),
    "object.__setattr__": (
        PLAIN,
        "object.__setattr__(obj, 'n', obj.n + 1)",
        "object.__setattr__(obj, 'n', obj.n + 1)",
        "assert obj.n == 2",
    ),
    "an attribute through __dict__": (
        PLAIN,
        "obj.n += 1",
        "obj.__dict__['n'] += 1",
        "assert obj.n == 2",
    ),
    "an attribute through vars": (PLAIN, "obj.n += 1", "vars(obj)['n'] += 1", "assert obj.n == 2"),
    "a variable through globals()": (
        "cell = 0",
        "cell_now = globals()['cell']; globals()['cell'] = cell_now + 1",
        "globals()['cell'] = cell + 1",
        "assert cell == 2",
    ),
    "a variable through sys.modules": (
        "import sys\ncell = 0",
        "sys.modules[__name__].cell += 1",
        "sys.modules[__name__].cell = cell + 1",
        "assert cell == 2",
    ),
    "a variable of another module, which it binds once": (
        "import settings",
        "a = settings.get()",
        "settings.limit = 5",
        "assert a == 1",
    ),
    "super().append": (
        "class Once(list):\n    def add(self):\n        if not self: super().append(1)\ncells = Once()",
        "cells.add()",
        "cells.add()",
        "assert len(cells) == 1",
    ),
}

RIGHT: dict[str, tuple[str, str, str, str]] = {
    "a counter hands out each number once": (
        "import itertools\nsource = itertools.count()",
        "a = next(source)",
        "b = next(source)",
        "assert {a, b} == {0, 1}",
    ),
    "a generator under a lock": (
        GENERATOR + "\nlock = threading.Lock()",
        "with lock: a = next(source)",
        "with lock: b = next(source)",
        "assert {a, b} == {0, 1}",
    ),
    "a text under a lock": (
        "import io\nout = io.StringIO()\nlock = threading.Lock()",
        "with lock: out.write(str(len(out.getvalue())))",
        "with lock: out.write(str(len(out.getvalue())))",
        "assert out.getvalue() == '01'",
    ),
    "what is dropped is closed at once": (
        "closed = []\ndef opened():\n    try: yield 1\n    finally: closed.append(1)",
        "for _ in opened(): break\n    a = len(closed)",
        "pass",
        "assert a == 1",
    ),
    "a generator that sends, and one that delegates": (
        (
            "def echo():\n    got = yield 0\n    while got: got = yield got\n    return 'end'\n"
            "def outer():\n    end = yield from echo()\n    seen.append(end)"
        ),
        "g = outer(); next(g); a = g.send(5)\n    try: g.send(None)\n    except StopIteration: pass",
        "pass",
        "assert (a, seen) == (5, ['end'])",
    ),
    "the truth of a list is not its items": (
        "cells = [1]",
        "a = 1 if cells else 0",
        "cells[0] = 0",
        "assert a == 1",
    ),
}


def check_program(folder: Path, parts: tuple[str, str, str, str]) -> tuple[Path, CheckReport]:
    setup, first, second, claim = parts
    (folder / "settings.py").write_text("limit = 1\ndef get(): return limit\n")
    file = folder / "meets.py"
    file.write_text(PROGRAM.format(setup=setup, first=first, second=second, claim=claim))
    return file, check_entry(Entry(file), target="meets.py", budget=Budget(max_seconds=60))


@pytest.mark.parametrize("name", WRONG)
def test_tasks_that_meet_in_code_that_is_not_rewritten_are_found_out(
    tmp_path: Path, name: str
) -> None:
    """The order that goes wrong is found, and its schedule replays."""
    file, report = check_program(tmp_path, WRONG[name])
    assert report.verdict == "fail", report
    failure = report.failures[0]
    assert failure.kind in {"assertion", "exception"}
    _, faults, _ = replay_entry(Entry(file), failure.schedule)
    assert faults[0].kind == failure.kind


@pytest.mark.parametrize("name", RIGHT)
def test_programs_that_are_right_pass(tmp_path: Path, name: str) -> None:
    """Nothing is found where nothing is wrong, and everything is explored."""
    _, report = check_program(tmp_path, RIGHT[name])
    assert report.verdict == "pass", report
    assert report.exhaustive


def test_who_comes_between_the_beginning_and_the_end_of_a_step_finds_the_generator_executing(
    tmp_path: Path,
) -> None:
    """As in life, where a thread may be switched away from within a generator's code."""
    parts = (GENERATOR, "a = next(source)", "b = next(source)", "")
    _, report = check_program(tmp_path, parts)
    assert report.verdict == "fail", report
    assert report.failures[0].message == "ValueError: generator already executing"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="until 3.11 cached_property holds a lock")
def test_a_cached_property_is_computed_twice(tmp_path: Path) -> None:
    """As its documentation warns from Python 3.12 on."""
    setup = (
        "import functools\nclass Config:\n    @functools.cached_property\n    def value(self):\n"
        "        seen.append(1)\n        return 1\nconfig = Config()"
    )
    _, report = check_program(
        tmp_path, (setup, "config.value", "config.value", "assert len(seen) == 1")
    )
    assert report.verdict == "fail", report

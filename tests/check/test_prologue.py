"""What a module begins with is executed once, and nothing that a program does can tell."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.program import Entry
from parallel_cookbook.check.prologue import length_of_prologue
from parallel_cookbook.content import load_book
from parallel_cookbook.strategies import RoundRobin
from whole_search import findings

if TYPE_CHECKING:
    from parallel_cookbook.check.program import Program

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "programs").glob("*.py"))
RECIPES = [recipe for chapter in (1, 2) for recipe in load_book().chapter(chapter).recipes]
PROGRAMS = [
    *((file, "") for file in GOLDEN),
    *((recipe.path, name) for recipe in RECIPES for name in ("main", *recipe.pitfalls)),
]


def new_machine(file: Path, function: str, *, once: bool) -> Machine:
    machine = Machine(Entry(file, "program", function), max_steps=10_000)
    machine.program._can_begin_again = once
    return machine


def begins_again(program: Program) -> bool:
    return program._beginning is not None


@pytest.mark.parametrize(
    ("file", "function"), [pytest.param(*each, id=f"{each[0].stem}-{each[1]}") for each in PROGRAMS]
)
def test_to_put_back_changes_nothing(file: Path, function: str) -> None:
    """The same executions, races, faults and outcomes, as if each module were executed anew."""
    kept, anew = (new_machine(file, function, once=once) for once in (True, False))
    assert findings(kept, 60) == findings(anew, 60)


# --- what a prologue may consist of -------------------------------------------------------------


def length(source: str) -> int:
    body = ast.parse(textwrap.dedent(source)).body
    return length_of_prologue(body, lambda root: root in {"os", "own", "threading", "logging"})


@pytest.mark.parametrize(
    "statement",
    [
        "import threading",
        "import math, json",
        "import concurrent.futures",
        "from threading import Lock, Thread as T",
        "from __future__ import annotations",
        "'a text'",
        "pass",
        "N = 3",
        "A = B = -1",
        "SIZES = (1, 2, N * 2)",
        "N: int = 3",
        "total: 'int'",
        "def f(): return [lock]",
        "async def f(): pass",
        "def f(n=3, *, m=(1, 2), **more: dict[str, int]) -> list[int] | None: pass",
        "class A: pass",
        "class A(threading.Thread):\n  'text'\n  n = 0\n  m: int = 1\n  def f(self): pass",
        "class A:\n  __slots__ = ('a', 'b')",
        "class A:\n  @property\n  def f(self): pass\n  @staticmethod\n  def g(): pass",
    ],
)
def test_belongs(statement: str) -> None:
    assert length(statement) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "import os",
        "import logging",
        "import own",
        "from own import x",
        "from . import x",
        "from math import *",
        "lock = threading.Lock()",
        "items = []",
        "first, second = 1, 2",
        "a.b = 3",
        "n += 1",
        "x = y.z",
        "x = d['a']",
        "x = [1]",
        "x = (1, [2])",
        "x = f'{y}'",
        "x = lambda: 1",
        "x: list = []",
        "print(1)",
        "def f(items=[]): pass",
        "def f(x=lock.x): pass",
        "def f(x: print(1)): pass",
        "@cache\ndef f(): pass",
        "@property\ndef f(): pass",
        "@dataclass\nclass A: pass",
        "class A(metaclass=M): pass",
        "class A(B()): pass",
        "class A:\n  lock = threading.Lock()",
        "class A:\n  items = []",
        "class A:\n  __module__ = 'other'",
        "class A:\n  class B: pass",
        "class A:\n  @cached_property\n  def f(self): pass",
        "__name__ = 'other'",
        "for i in x: pass",
        "if x: pass",
        "try: pass\nfinally: pass",
        "with x: pass",
        "global x",
        "del x",
        "assert x",
    ],
)
def test_does_not_belong(statement: str) -> None:
    assert length(statement) == 0


def test_it_ends_before_the_first_that_does_not_belong() -> None:
    assert length("import threading\nN = 1\nlock = threading.Lock()\ndef f(): pass") == 2


# --- what a program does to it ------------------------------------------------------------------

HEAD = """\
from __future__ import annotations
import sys
import threading
from math import pi

N = 1
TEXT = "a"

NUMBER: int = 4

class Base:
    count: int = 0
    def name(self):
        return "base"

class Derived(Base):
    def name(self):
        return super().name() + "!"
    @staticmethod
    def still():
        return 7
    @property
    def size(self):
        return 5

class Closing:
    # It takes steps and prints when it goes, in an execution or behind it.
    def __init__(self):
        self.lock = threading.Lock()
    def __del__(self):
        with self.lock:
            print("closed")

def helper(n=2, *, m=3):
    "doc"
    return n + m

def main():
    return repr(body())

def body():
"""
HARMLESS = {
    "nothing": "return helper(), Derived().name(), Derived.still(), Derived().size, pi",
    "a global": "global N\nN += 1\nreturn N",
    "a new global": "global M\nseen = 'M' in globals()\nM = 1\nreturn seen",
    "a global is deleted": "global TEXT\ntext = TEXT\ndel TEXT\nreturn text, list(globals())",
    "a global in another order": (
        "global TEXT, N\nn = N\ndel N\nN = TEXT\nreturn n, [name for name in globals()][-3:]"
    ),
    "a name of threading": "old = hasattr(threading, 'mine')\nthreading.mine = 1\nreturn old",
    "threading's own": (
        "old = threading.Thread.__name__\nthreading.Thread = Base\nreturn old, threading.Thread.__name__"
    ),
    "what equals everything": (
        "global N\nclass Any:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "old = type(threading.Lock).__name__, type(N).__name__\n"
        "threading.Lock = N = Any()\nreturn old"
    ),
    "attributes of functions": (
        "old = [hasattr(one, 'n') for one in\n"
        "       (helper, Base.name, vars(Derived)['still'], vars(Derived)['size'].fget)]\n"
        "helper.n = Base.name.n = vars(Derived)['still'].n = vars(Derived)['size'].fget.n = 1\nreturn old"
    ),
    "keyword defaults": "old = helper()\nhelper.__kwdefaults__['m'] = 9\nreturn old",
    "annotations of a function": (
        "old = dict(helper.__annotations__)\nhelper.__annotations__['n'] = int\nreturn old"
    ),
    "threads": (
        "class Own(threading.Thread):\n    def run(self): self.result = helper()\n"
        "own = Own()\nown.start(); own.join()\nreturn own.result, own.name"
    ),
    "a module is imported later": (
        "import queue\nqueue.mine = getattr(queue, 'mine', 0) + 1\nreturn queue.mine"
    ),
    "an exception hook": (
        "seen = []\nold = threading.excepthook.__name__\nthreading.excepthook = seen.append\n"
        "t = threading.Thread(target=lambda: 1 / 0)\nt.start(); t.join()\nreturn old, len(seen)"
    ),
    "annotations": (
        "old = len(Base.__annotations__), len(__annotations__)\n"
        "Base.__annotations__['x'] = __annotations__['x'] = int\nreturn old"
    ),
    "finalizers": (
        "global held\nheld = Closing(), [Closing()]\nClosing()\n"
        "t = threading.Thread(target=helper)\nt.start(); t.join()\nreturn 'held' in globals()"
    ),
    "sys.modules": "return sorted(n for n in sys.modules if n in ('program', 'threading', '__main__'))",
}
HARMFUL = {
    "a class attribute": "Base.count += 1\nreturn Derived.count",
    "a class attribute by an equal one": "old = Base.count\nBase.count = False\nreturn old",
    "a method": "Base.name = lambda self: 'new' + str(Base.count)\nold = helper\nreturn Derived().name()",
    "a method by setattr": "old = Derived().name()\nsetattr(Base, 'name', lambda self: 'x')\nreturn old",
    "a new class attribute": "old = hasattr(Derived, 'x')\nDerived.x = 1\nreturn old",
    "a class attribute is deleted": "old = hasattr(Base, 'count')\ndel Base.count\nreturn old",
    "a class name": "old = Base.__name__\nBase.__name__ = 'Other'\nreturn old",
    "bases": "old = len(Derived.__mro__)\nDerived.__bases__ = (threading.Thread,)\nreturn old",
    "a dict of a function": "old = hasattr(helper, 'n')\nhelper.__dict__ = {'n': 1}\nreturn old",
    "defaults": "old = helper()\nhelper.__defaults__ = (9,)\nreturn old",
    "all keyword defaults": "old = helper()\nhelper.__kwdefaults__ = {'m': 9}\nreturn old",
    "equal defaults": (
        "class Any:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "old = type(helper.__defaults__[0]).__name__\nhelper.__defaults__ = (Any(),)\nreturn old"
    ),
    "code": "old = helper()\nhelper.__code__ = (lambda n=2, *, m=3: 0).__code__\nreturn old",
    "doc": "old = helper.__doc__\nhelper.__doc__ = 'new'\nreturn old",
    "a subclass": "old = len(Base.__subclasses__())\nglobal Sub\nclass Sub(Base): pass\nreturn old",
    "a cell": (
        "old = Derived().name()\nDerived.name.__closure__[0].cell_contents = str\nreturn old"
    ),
}


def program_with(tmp_path: Path, body: str) -> Path:
    file = tmp_path / "program.py"
    file.write_text(HEAD + textwrap.indent(body, "    "), encoding="utf-8")
    return file


def results(machine: Machine) -> list[tuple[object, ...]]:
    return [
        (execution.result, execution.faults, execution.steps, execution.stdout)
        for execution in (machine.execute(RoundRobin(1, 1000)) for _ in range(4))
    ]


@pytest.mark.parametrize("name", HARMLESS)
def test_names_are_put_back(tmp_path: Path, name: str) -> None:
    file = program_with(tmp_path, HARMLESS[name])
    machine = new_machine(file, "main", once=True)
    found = results(machine)
    assert begins_again(machine.program)
    assert found == results(new_machine(file, "main", once=False))
    assert found == [found[0]] * 4


@pytest.mark.parametrize("name", HARMFUL)
def test_what_was_changed_is_made_anew(tmp_path: Path, name: str) -> None:
    file = program_with(tmp_path, HARMFUL[name])
    machine = new_machine(file, "main", once=True)
    found = results(machine)
    assert not begins_again(machine.program)
    assert found == results(new_machine(file, "main", once=False))
    assert found == [found[0]] * 4


@pytest.mark.parametrize(
    "beginning",
    [
        "from sys import stdout",
        "class A:\n    def __init_subclass__(cls): pass\nclass B(A): pass",
        "from enum import Enum\nclass Colour(Enum):\n    RED = 1",
        "from typing import NamedTuple\nclass Pair(NamedTuple):\n    left: int = 0",
        "from random import Random as random",
    ],
)
def test_what_is_not_known_is_made_anew(tmp_path: Path, beginning: str) -> None:
    """What could keep something, or is a class of a special kind."""
    file = tmp_path / "program.py"
    file.write_text(f"{beginning}\ndef main():\n    return 1\n", encoding="utf-8")
    machine = new_machine(file, "main", once=True)
    assert [found[:2] for found in results(machine)] == [("1", [])] * 4
    assert begins_again(machine.program) is (beginning.startswith("from random"))


BUILTINS = """\
def main():
    old = len(str(1))
    space = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
    space["len"] = lambda _: 9
    return old
"""


@pytest.mark.parametrize("is_helper", [False, True])
def test_changes_of_builtins_are_forgotten(tmp_path: Path, *, is_helper: bool) -> None:
    """Also those that another module of the program makes, which is not known when it begins."""
    file = tmp_path / "program.py"
    source = "def main():\n    import helper\n    return helper.main(), len('')\n"
    file.write_text(source if is_helper else BUILTINS, encoding="utf-8")
    (tmp_path / "helper.py").write_text(BUILTINS, encoding="utf-8")
    machine = new_machine(file, "main", once=True)
    found = results(machine)
    assert found == [found[0]] * 4
    assert not begins_again(machine.program)


def test_functions_and_classes_are_the_same_objects(tmp_path: Path) -> None:
    file = program_with(tmp_path, HARMLESS["nothing"])
    machine = new_machine(file, "main", once=True)
    machine.execute(RoundRobin(1, 1000))
    first = machine.program.modules["program"]
    helper, base = first.helper, first.Base
    machine.execute(RoundRobin(1, 1000))
    assert machine.program.modules["program"] is first
    assert (first.helper, first.Base) == (helper, base)

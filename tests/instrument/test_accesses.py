"""Each construct makes exactly these accesses, in this order, and means what it meant."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Accesses = Callable[..., list[str]]

BOX = """
class Box:
    def __init__(self, value=0):
        self.value = value
        self.items = [1, 2]
    def add(self, number):
        return number + 1
    grow = add
box = Box()
items = [3, 1, 2]
table = {"a": 1}
"""

EXPRESSIONS = {
    "an attribute": ("box.value", ["load_attr box.value"]),
    "attributes in a row": (
        "box.items.__class__",
        ["load_attr box.items", "load_attr box.items.__class__"],
    ),
    "a call of a method": ("box.grow(box.value)", ["load_attr box.grow", "load_attr box.value"]),
    "a call of a method named like a container's": ("box.add(1)", ["call_method box.add"]),
    "a container's method": ("items.count(1)", ["call_method items.count"]),
    "a container's method after its arguments": (
        "items.count(box.value)",
        ["load_attr box.value", "call_method items.count"],
    ),
    "a text that joins a list": ("','.join(['a'])", ["call_method ','.join"]),
    "an item": ("items[0]", ["load_item items[0]"]),
    "a slice": ("items[0:2]", ["load_item items[0:2]"]),
    "an item with a tuple as key": ("{(1, 2): 3}[1, 2]", ["load_item {(1, 2): 3}[1, 2]"]),
    "membership": ("1 in items", ["contains 1 in items"]),
    "no membership": ("1 not in items", ["contains 1 not in items"]),
    "a built-in function": ("len(items)", ["call_builtin len(items)"]),
    "a built-in function and a number": ("abs(-1) + len('abc')", []),
    "a comparison of lists": ("items == [3]", ["operator items == [3]"]),
    "a comparison of numbers": ("1 < 2 < 3", []),
    "a chain": ("0 < len(items) < 9", ["call_builtin len(items)"]),
    "a chain that ends in membership": ("0 < 1 in items", ["read_container items"]),
    "a chain that ends early": ("1 < 0 in items", []),
    "identity": ("items is table", []),
    "a sum of lists": ("items + items", ["operator items + items"]),
    "the truth of a list": ("not items", ["read_container items"]),
    "the truth of a list, for a default": ("items or 1", ["read_container items"]),
    "the last operand of `or`": ("0 or items", []),
    "a conditional": ("1 if items else 2", ["read_container items"]),
    "a starred argument": ("max(*items)", ["read_container items", "call_builtin max(*items)"][:1]),
    "a starred dict": ("{**table}", ["read_container table"]),
    "a starred element": ("[*items]", ["read_container items"]),
    "a formatted list": ("f'{items}'", ["read_container items"]),
    "a formatted attribute": ("f'{box.value:>{box.value}}'", ["load_attr box.value"] * 2),
    "a text formatted with %": ("'%s' % items", ["operator '%s' % items"]),
    "a comprehension": ("[x for x in items]", ["iterate items"] * 4),
    "a comprehension with a test": (
        "[x for x in (1,) if items]",
        ["read_container items"],
    ),
    "a generator consumed on the spot": ("sum(x for x in items)", ["iterate items"] * 4),
    "a lambda": ("(lambda: box.value)()", ["load_attr box.value"]),
    "a walrus": ("(y := box.value)", ["load_attr box.value"]),
    "a view": (
        "list(table.values())",
        ["call_method table.values", "call_builtin list(table.values())"],
    ),
}


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_an_expression_makes_these_accesses(
    accesses: Accesses, expression: str, expected: list[str]
) -> None:
    """In a function, and with the value that the plain expression has."""
    found = accesses(f"def f():\n    return {expression}\nresult = f()", BOX)
    assert found == [f"2 {access}" for access in expected]


STATEMENTS = {
    "a store": ("box.value = 1", ["store_attr box.value"]),
    "a store of what is loaded": (
        "box.value = box.items",
        ["load_attr box.items", "store_attr box.value"],
    ),
    "a store in an item": ("items[0] = 1", ["store_item items[0]"]),
    "a store in a slice": ("items[:] = [1]", ["store_item items[:]"]),
    "a deletion": ("del box.value", ["delete_attr box.value"]),
    "deletions": ("del items[0], table['a']", ["delete_item items[0]", "delete_item table['a']"]),
    "an augmented attribute": ("box.value += 1", ["load_attr box.value", "store_attr box.value"]),
    "an augmented attribute that is a list": (
        "box.items += [1]",
        ["load_attr box.items", "inplace box.items", "store_attr box.items"],
    ),
    "an augmented item": (
        "table['a'] -= box.value",
        ["load_item table['a']", "load_attr box.value", "store_item table['a']"],
    ),
    "an augmented local list": ("x = items\n    x += [1]", ["3 inplace x"]),
    "an augmented local number": ("x = 1\n    x += 1", []),
    "several targets": (
        "box.value = items[0] = 7",
        ["store_attr box.value", "store_item items[0]"],
    ),
    "an unpacking": (
        "box.value, items[0] = items[1:]",
        [
            "load_item items[1:]",
            "read_container items[1:]",
            "store_attr box.value",
            "store_item items[0]",
        ],
    ),
    "an unpacking of a display": ("a, b = 1, 2", []),
    "a loop": (
        "for x in items: pass",
        ["iterate items", "loop for"] * 3 + ["iterate items"],
    ),
    "a loop into an attribute": (
        "for box.value in (1,): pass",
        ["store_attr box.value", "loop for"],
    ),
    "a loop while there is something": (
        "while items: items.pop()",
        ["read_container items", "loop while", "call_method items.pop"] * 3
        + ["read_container items"],
    ),
    "an assertion": ("assert items, items[0]", ["read_container items"]),
    "an annotated store": ("box.value: items[0] = 1", ["store_attr box.value"]),
    "yield from": ("x = lambda: (yield from items)\n    list(x())", ["2 iterate items"] * 4),
    "a deletion of a local": ("x = 1\n    del x", []),
    "a match": ("match items:\n        case [a, *_]: pass", ["read_container items"]),
}


@pytest.mark.parametrize(("statement", "expected"), STATEMENTS.values(), ids=STATEMENTS.keys())
def test_a_statement_makes_these_accesses(
    accesses: Accesses, statement: str, expected: list[str]
) -> None:
    """In a function, and with the effect that the plain statement has."""
    found = accesses(f"def f():\n    {statement}\nf()\nseen = repr([vars(box), items, table])", BOX)
    found = [access for access in found if not access.startswith(("4", "5"))]
    expected = [access if access[0].isdigit() else f"2 {access}" for access in expected]
    assert found == expected


GLOBALS = {
    "an increment": (
        """
        counter = 0
        def f():
            global counter
            counter += 1
        f()
        """,
        ["1 write_global counter", "4 read_global counter", "4 write_global counter"],
    ),
    "a read and a write": (
        """
        counter = 0
        def f():
            global counter
            local = counter
            counter = local + 1
        f()
        """,
        ["1 write_global counter", "4 read_global counter", "5 write_global counter"],
    ),
    "a name bound once": ("x = 1\ny = x\ndef f(): return x\nf()", []),
    "a name bound in a loop": (
        "for x in (1,): pass\nx",
        ["1 write_global x", "1 loop for", "2 read_global x"],
    ),
    "a deleted name": (
        "x = 1\ndel x\ntry: x\nexcept NameError: pass",
        ["1 write_global x", "2 delete_global x", "3 read_global x"],
    ),
    "a function defined twice": (
        "def f(): pass\ndef f(): pass\nf()",
        ["1 write_global f", "2 write_global f", "3 read_global f"],
    ),
    "an import with a fallback": (
        "try: import json\nexcept ImportError: json = None\njson",
        ["1 write_global json", "3 read_global json"],
    ),
    "a submodule's import": (
        "import os.path\nimport os\nos",
        ["1 write_global os", "2 write_global os", "3 read_global os"],
    ),
    "a manager's value": (
        "import io\nx = 1\nwith io.StringIO() as x: pass\nx",
        ["2 write_global x", "3 load_attr io.StringIO", "3 write_global x", "4 read_global x"],
    ),
    "an exception's name": (
        "try: 1 / 0\nexcept ZeroDivisionError as e: e",
        ["2 write_global e", "2 read_global e", "2 write_global e"],
    ),
    "an unpacking": (
        "x = 0\nx, y = 1, 2\nx",
        ["1 write_global x", "2 write_global x", "3 read_global x"],
    ),
    "a starred, nested unpacking": (
        "x = y = 0\n[x, (*y, z)] = 1, (2, 3, 4)\n",
        ["1 write_global x", "1 write_global y", "2 write_global x", "2 write_global y"],
    ),
    "a capture": (
        "x = 0\nmatch 5:\n    case x: pass\nx",
        ["1 write_global x", "3 write_global x", "4 read_global x"],
    ),
    "a capture that the guard refuses": (
        "x = 0\nmatch 5:\n    case x if x > 7: pass\nx",
        ["1 write_global x", "3 write_global x", "3 read_global x", "4 read_global x"],
    ),
    "a walrus in a comprehension": (
        "[x := i for i in (1,)]\nx",
        ["1 write_global x", "2 read_global x"],
    ),
    "a class's own global": (
        "x = 0\nclass A:\n    global x\n    x = 1\n    y = x",
        ["1 write_global x", "4 write_global x", "5 read_global x"],
    ),
    "an annotated name": (
        "x: int = 0\nx: int = 1",
        ["1 write_global x", "2 write_global x"],
    ),
}


@pytest.mark.parametrize(("source", "expected"), GLOBALS.values(), ids=GLOBALS.keys())
def test_a_tracked_global_is_announced(
    accesses: Accesses, source: str, expected: list[str]
) -> None:
    """And a name that is bound once is not."""
    assert accesses(source) == expected


def test_also_track_tracks_a_name_that_is_bound_once(accesses: Accesses) -> None:
    """The kernel asks for it when it saw the binding while other tasks lived."""
    source = "import os\nx = 1\nx"
    assert accesses(source, also_track=("x",)) == ["2 write_global x", "3 read_global x"]


def test_the_one_binding_of_a_global_is_noticed(accesses: Accesses) -> None:
    """For every form of binding, after its value was evaluated."""
    source = """
    import os
    from os import path as p
    def f(): pass
    class A: pass
    x = 1
    y: int = 2
    a, (b, c) = 1, (2, 3)
    with open(os.devnull) as d: pass
    (z := 3)
    match 1:
        case m: pass
    """
    found = [access for access in accesses(source, bindings=True) if "bind_global" in access]
    names = ["os", "p", "f", "A", "x", "y", "a", "b", "c", "d", "z", "m"]
    assert sorted(access.split()[-1] for access in found) == sorted(names)


CELLS = {
    "a counter in a closure": (
        """
        def f():
            n = 0
            def g():
                nonlocal n
                n += 1
            g()
            return n
        r = f()
        """,
        ["2 write_cell n", "5 read_cell n", "5 write_cell n", "7 read_cell n"],
    ),
    "a parameter that is never rebound": ("def f(n): return (lambda: n)()\nr = f(1)", []),
    "a parameter that is rebound": (
        "def f(n):\n    n = 2\n    return (lambda: n)()\nr = f(1)",
        ["2 write_cell n", "3 read_cell n"],
    ),
    "a value bound before its function": (
        "def f():\n    n = 2\n    return (lambda: n)()\nr = f()",
        [],
    ),
    "a value bound after its function": (
        "def f():\n    g = lambda: n\n    n = 2\n    return g()\nr = f()",
        ["3 write_cell n", "2 read_cell n"],
    ),
    "a local function that calls itself": (
        "def f():\n    def g(n): return n and g(n - 1)\n    return g(2)\nr = f()",
        [],
    ),
    "a loop's variable in a lambda": (
        "def f():\n    for i in (1,): g = lambda: i\n    return g()\nr = f()",
        ["2 write_cell i", "2 loop for", "2 read_cell i"],
    ),
    "a comprehension's variable in a lambda": (
        "r = [g() for g in [lambda: i for i in (1, 2)]]",
        ["1 write_cell i", "1 write_cell i", "1 read_cell i", "1 read_cell i"],
    ),
    "a variable that only a comprehension uses": (
        "def f():\n    n = 1\n    n = 2\n    return [n for _ in (1,)]\nr = f()",
        [],
    ),
    "a variable that only a consumed generator uses": (
        "def f():\n    n = 1\n    n = 2\n    return sum(n for _ in (1,))\nr = f()",
        [],
    ),
    "a variable of a generator that escapes": (
        "def f():\n    n = 1\n    g = (n for _ in (1,))\n    n = 2\n    return next(g)\nr = f()",
        ["2 write_cell n", "4 write_cell n", "3 read_cell n"],
    ),
    "a variable seen through a class": (
        """
        def f():
            n = 1
            class A:
                m = n
                def g(self): return n
            n = 2
            return A().g()
        r = f()
        """,
        ["2 write_cell n", "4 read_cell n", "6 write_cell n", "7 load_attr A().g", "5 read_cell n"],
    ),
    "a lambda that owns a cell": (
        "f = lambda n: [(n := n + 1), (lambda: n)()]\nr = f(1)",
        ["1 read_cell n", "1 write_cell n", "1 read_cell n"],
    ),
    "a cell that is deleted": (
        "def f():\n    n = 1\n    g = lambda: n\n    del n\nf()",
        ["2 write_cell n", "4 delete_cell n"],
    ),
    "an exception that a function sees": (
        """
        def f():
            try: 1 / 0
            except ZeroDivisionError as e:
                return (lambda: str(e))()
        r = f()
        """,
        ["3 write_cell e", "4 read_cell e", "3 write_cell e"],
    ),
}


@pytest.mark.parametrize(("source", "expected"), CELLS.values(), ids=CELLS.keys())
def test_a_tracked_cell_is_announced(accesses: Accesses, source: str, expected: list[str]) -> None:
    """And a cell that nobody else can see change is not."""
    assert accesses(source) == expected


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with 3.12")
def test_type_parameters_and_aliases_keep_their_meaning(accesses: Accesses) -> None:
    """Bounds and values are evaluated lazily, and never rewritten."""
    source = """
    type Pair[T] = tuple[T, missing]
    class A[T: (int, str)](dict[str, T]):
        def get[S](self, default: S = None) -> T | S:
            return default
    r = A().get(3), A.__type_params__[0].__constraints__, Pair.__type_params__
    """
    assert "1 " not in " ".join(accesses(source))

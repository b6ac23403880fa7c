"""Which containers are taken to be a function's own: the accesses to all others need their hooks."""

from __future__ import annotations

import ast

import pytest

from parallel_cookbook.instrument.own_containers import uses_of_own_containers


def uses(body: str) -> int:
    """Return how many uses of an own container a function with this body has."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    tree = ast.parse(f"def function(given, other):\n{lines}\n")
    found = uses_of_own_containers(tree)
    assert {use.id for use in found} <= {"own", "other_own"}
    return len(found)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("own = [1]\nfor item in own: print(item)", 1),
        ("own: list[int] = []\nown.append(1)\nreturn own[0]", 2),
        ("own = [Thread() for _ in range(3)]\nreturn [item.n for item in own]", 1),
        ("own = {}\nown = {1: 2}\nreturn own[1]", 1),
        ("own = set()\nown.add(1)", 0),  # set may be anything
        ("own = {1}\nown.add(other)", 1),
        ("own = []\nother_own = []\nown.append(1)\nother_own.append(2)", 2),
        ("def inner():\n    own = []\n    own.append(1)", 1),
    ],
)
def test_what_stays_in_the_function_is_its_own(body: str, count: int) -> None:
    """A display that is only iterated over, indexed, added to."""
    assert uses(body) == count


@pytest.mark.parametrize(
    "body",
    [
        "own = []\nown.append(1)\nreturn own",
        "own = []\nown.append(1)\ngiven(own)",
        "own = []\nown.append(1)\ngiven.items = own",
        "own = []\nown.append(1)\ngiven[own[0]] = own",
        "own = []\nown.append(own)",
        "own = other = []\nown.append(1)",
        "own = []\nother = own\nown.append(1)",
        "own = [1]\nown = other\nown.append(1)",
        "own = [1]\nfor own in other: own.append(1)",
        "own = [1]\nwith other as own: own.append(1)",
        "own = [1]\nif (own := other): own.append(1)",
        "own = [1]\n(own, x) = other\nown.append(1)",
        "own = [1]\nimport other as own\nown.append(1)",
        "own = [1]\ntry: pass\nexcept ValueError as own: own.append(1)",
        "own = [1]\nmatch other:\n    case [*own]: own.append(1)",
        "own = [1]\nmatch other:\n    case own: own.append(1)",
        "own = [1]\nmatch other:\n    case {**own}: own.append(1)",
        "own = [1]\ndef own(): pass\nown.append(1)",
        "own = [1]\nclass own: pass\nown.append(1)",
        "own = []\nown.append(1)\nreturn lambda: own",
        "own = []\nown.append(1)\ndef inner(): own.append(2)",
        "own = []\nown.append(1)\nreturn (x for x in own)",
        "own = []\nown.append(1)\nreturn [own for x in other]",
        "own = []\nown.append(1)\nclass Inner: items = own",
        "own = []\nown.append(1)\nyield",
        "own = []\nyield from own",
        "global own\nown = []\nown.append(1)",
        "own = []\nown.append(1)\nreturn locals()",
        "own = []\nown.append(1)\neval('other(own)')",
        "own = {}\nreturn own.items()",
        "own = []\nown += other\nown.append(1)",
        "own = [1]\ndel own\nown.append(1)",
        "own = []\nown.append(1)\nreturn [*own]",
        "given = [1]\ngiven.append(2)",
    ],
)
def test_what_others_may_get_is_not(body: str) -> None:
    """Another name, an argument, an inner scope, a frame: the name is given up."""
    assert uses(body) == 0

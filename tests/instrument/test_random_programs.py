"""Random programs do the same, rewritten and not: same prints, results and errors.

By hand: `python -m pytest tests/instrument/test_random_programs.py`. A failing seed's program is
shown by the assertion; the generator is `Writer`.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import random
import warnings
from typing import Any

import pytest

from parallel_cookbook.instrument import SiteTable, null_hooks, recording_hooks, rewrite

PROGRAMS = 4
"""Programs for each seed."""

PREAMBLE = """
class Box:
    def __init__(self):
        self.a, self.b, self.__p = 1, [2], 0
    def go(self, n):
        self.__p += n
        return self.__p
    def get(self, *args, **kw):
        return len(args) + len(kw)
box = Box()
g, h, v, w, xs, d = 1, 2, 3, 4, [3, 1, 2], {"a": 1, "b": [5]}
"""

TEMPLATES = [
    "(ANY + ANY)",
    "(ANY * 2)",
    "('%s' % (ANY,))",
    "(ANY == ANY)",
    "(ANY != ANY in [ANY, 1])",
    "(len(str(ANY)) < 3 <= len(str(ANY)))",
    "(ANY in [ANY, ANY])",
    "(1 in xs)",
    "(ANY and ANY)",
    "(ANY or ANY)",
    "(not ANY)",
    "(ANY if ANY else ANY)",
    "[v for v in xs if ANY]",
    "{str(w): ANY for w in xs}",
    "sum(i * 2 for i in xs[:2] if isinstance(i, int))",
    "(lambda v=3: ANY)()",
    "[f() for f in [lambda: i for i in range(2)]]",
    "(g := ANY)",
    "len(str(ANY))",
    "sorted(map(str, [ANY, ANY]))",
    "f'{g!r} {box.a} {len(xs)}'",
    "[*xs, ANY]",
    "{**d, 'z': ANY}",
    "box.get(ANY, *xs, k=ANY)",
    "box.go(len(xs))",
    "d.get('a')",
    "xs.index(1)",
    "xs[::-1]",
]
"""Expressions; each ANY is another."""


class Writer:
    """Writes random programs over a few names: numbers, lists, dicts, an object, functions."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._functions = 0

    def program(self) -> str:
        """Return the text of one program."""
        lines = PREAMBLE.strip().split("\n")
        for _ in range(self._random.randint(3, 7)):
            statement = self._statement(0, in_function=False)
            lines += ["try:", *(f"    {line}" for line in statement)]
            lines += ["except Exception as error:", "    print(repr(error))"]
        lines.append("print(g, h, xs, d, box.a, box.b)")
        return "\n".join(lines)

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _expression(self, depth: int = 0) -> str:
        if depth > 2 or self._random.random() < 0.3:
            return self._pick(
                "g",
                "h",
                "xs",
                "d",
                "1",
                "0",
                "2",
                "box.a",
                "box.b",
                "xs[0]",
                "d['a']",
                "'t'",
                "v",
                "w",
            )
        text = self._random.choice(TEMPLATES)
        while "ANY" in text:
            text = text.replace("ANY", self._expression(depth + 1), 1)
        return text

    def _target(self) -> str:
        return self._pick("g", "h", "v", "w", "box.a", "xs[0]", "d['a']", "box.b", "d['n']")

    def _block(self, depth: int, *, in_function: bool) -> list[str]:
        lines = []
        for _ in range(self._random.randint(1, 3)):
            lines += self._statement(depth + 1, in_function=in_function)
        return [f"    {line}" for line in lines]

    def _statement(self, depth: int, *, in_function: bool) -> list[str]:
        one, two = self._expression(), self._expression()
        target, other = self._target(), self._target()
        simple = [
            [f"{target} = {one}"],
            [f"{target} = {other} = {one}"],
            [f"{target}, {other} = {one}, {two}"],
            [f"{target}, *{other} = {two} or [1], 2, 3"],
            [f"({target}, ({other}, v)) = {one}, [{two}, 3]"],
            [f"{target} += {one}"],
            [f"xs += [{one}]"],
            [f"{target} *= 2"],
            [f"print({one}, {two})"],
            [f"xs.append({one})"],
            [f"del {self._pick('xs[0]', 'box.a', 'v', 'd[chr(97)]')}"],
            [f"assert {one}, {two}"],
        ]
        if depth > 2 or self._random.random() < 0.4:
            return self._random.choice(simple)
        if self._random.random() < 0.25:
            return self._function(depth)
        block = self._block(depth, in_function=in_function)
        second = self._block(depth, in_function=in_function)
        deeper, deepest = ([f"    {line}" for line in lines] for lines in (block, second))
        compound = [
            [f"if {one}:", *block, "else:", *second],
            [f"for {target} in [{one}, {two}]:", *block],
            [f"for {target}, {other} in list(d.items())[:2]:", *block, "else:", *second],
            ["try:", *block, f"except (TypeError, KeyError) as {self._pick('g', 'v')}:", *second],
            ["try:", *block, "finally:", *second],
            [f"match {one}:", "    case [g, *v]:", *deeper, "    case v if v:", *deepest],
        ]
        return self._random.choice(compound)

    def _function(self, depth: int) -> list[str]:
        self._functions += 1
        name = f"f{self._functions}"
        start = self._pick("    global g", "    v = g", "    pass", "    v = w = 0")
        body = self._block(depth, in_function=True)
        inner = [f"    {line}" for line in self._block(depth, in_function=True)]
        nonlocal_ = ["        nonlocal v, w"] if start == "    v = w = 0" else []
        return [
            f"def {name}({self._pick('', 'v=1', 'w=[4], *v')}):"
            if start not in {"    v = w = 0", "    v = g"}
            else f"def {name}():",
            start,
            *body,
            f"    def inner{self._functions}():",
            *nonlocal_,
            *inner,
            f"    inner{self._functions}()",
            *self._block(depth, in_function=True),
            f"    return {self._expression()}",
            f"print({name}())",
        ]


def _outcome(code: Any, hooks: dict[str, object]) -> tuple[str, str]:  # noqa: ANN401
    """Return what a program printed and how it ended."""
    printed = io.StringIO()
    names: dict[str, Any] = {"__name__": "program", "__builtins__": {**vars(builtins), **hooks}}
    with contextlib.redirect_stdout(printed):
        try:
            exec(code, names)  # noqa: S102 - a program
        except Exception as error:  # noqa: BLE001 - part of the outcome
            trace = error.__traceback__
            lines = []
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == "<program>":
                    lines.append(trace.tb_lineno)
                trace = trace.tb_next
            end = f"{error!r} {lines}"
        else:
            end = "ends"
    return printed.getvalue(), end


@pytest.mark.parametrize("seed", range(10))
def test_a_random_program_does_the_same_rewritten(seed: int) -> None:
    """With null hooks and with hooks that stand in for methods and iterators."""
    writer = Writer(seed)
    for _ in range(PROGRAMS):
        source = writer.program()
        sites = SiteTable()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                plain = compile(source, "<program>", "exec", dont_inherit=True)
            except SyntaxError:
                continue
            code = rewrite(source, "<program>", sites)
        expected = _outcome(plain, {})
        assert _outcome(code, null_hooks()) == expected, source
        assert _outcome(code, recording_hooks(sites, [])) == expected, source


def test_most_random_programs_compile_and_many_end_well() -> None:
    """So that the test above tests something."""
    writer = Writer(0)
    ends = []
    for _ in range(40):
        with contextlib.suppress(SyntaxError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plain = compile(writer.program(), "<program>", "exec", dont_inherit=True)
            ends.append(_outcome(plain, {})[1])
    assert len(ends) > 20
    assert ends.count("ends") > 20

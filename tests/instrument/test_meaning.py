"""What rewriting must leave alone: order of evaluation, names, errors, tracebacks, docstrings."""

from __future__ import annotations

import builtins
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from parallel_cookbook.instrument import (
    SiteTable,
    builtins_with,
    null,
    null_hooks,
    recording_hooks,
    rewrite,
    strip_hook_frames,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def execute(source: str | bytes, *, is_rewritten: bool = True) -> dict[str, Any]:
    """Return the globals that a program leaves."""
    names: dict[str, Any] = {"__name__": "program"}
    if is_rewritten:
        names["__builtins__"] = {**vars(builtins), **null_hooks()}
        code = rewrite(source, "<program>", SiteTable())
    else:
        code = compile(source, "<program>", "exec", dont_inherit=True)
    exec(code, names)  # noqa: S102 - a program
    return names


ORDERED = """
log = []

class Spy:
    # Notes everything that is done with it, and yields more of its kind.
    def __init__(self, name):
        object.__setattr__(self, "name", name)
    def __getattr__(self, attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        log.append(f"get {self.name}.{attribute}")
        return Spy(f"{self.name}.{attribute}")
    def __setattr__(self, attribute, value):
        log.append(f"set {self.name}.{attribute}")
    def __delattr__(self, attribute):
        log.append(f"del {self.name}.{attribute}")
    def __getitem__(self, key):
        if isinstance(key, int) and key > 1:
            raise IndexError
        log.append(f"get {self.name}[{key}]")
        return Spy(f"{self.name}[{key}]")
    def __setitem__(self, key, value):
        log.append(f"set {self.name}[{key}]")
    def __delitem__(self, key):
        log.append(f"del {self.name}[{key}]")
    def __call__(self, *args, **kwargs):
        log.append(f"call {self.name}{args}{kwargs}")
        return Spy(f"{self.name}()")
    def __repr__(self):
        return self.name
    def __bool__(self):
        log.append(f"bool {self.name}")
        return True
    def __contains__(self, item):
        log.append(f"{item} in {self.name}")
        return True
    def __len__(self):
        log.append(f"len {self.name}")
        return 1
    def __enter__(self):
        log.append(f"enter {self.name}")
        return (Spy(f"{self.name}.0"), Spy(f"{self.name}.1"))
    def __exit__(self, *_):
        log.append(f"exit {self.name}")
    def __hash__(self):
        return hash(self.name)
    for method in "add sub mul mod or and xor lt gt le ge eq ne".split():
        exec(f'''def __{method}__(self, other):
            log.append(f"{method} {{self.name}} {{other}}")
            return Spy(f"({{self.name}}+{{other}})")''')
    for method in "add sub mul mod or and xor".split():
        exec(f'''def __i{method}__(self, other):
            log.append(f"i{method} {{self.name}} {{other}}")
            return Spy(f"({{self.name}}+={{other}})")''')

def get(name):
    log.append(name)
    return Spy(name)

def program(get):
    STATEMENT
"""

STATEMENTS = [
    "get('a').b = get('c').d",
    "get('a').b = get('c')[get('d')] = get('e')",
    "get('a').b, get('c')[get('d')] = get('e')",
    "(get('a').b, (*get('c').d,)), get('e')[0] = [get('x'), get('y')], get('z')",
    "get('a').b += get('c')",
    "get('a')[get('b')] *= get('c').d",
    "get('a')[get('b'):get('c'), get('d')] %= get('e')",
    "del get('a').b, (get('c')[get('d')], get('e').f)",
    "get('a').append(get('b').c, *get('d'), e=get('f'), **{'g': get('h')})",
    "get('a').b(get('c').d)[get('e')](get('f'))",
    "get('a') < get('b') in get('c') == get('d')",
    "get('a') in get('b') or get('c')",
    "get('a') not in get('b') and get('c')",
    "not get('a') or get('b').c if get('d') else get('e')",
    "get('a') + get('b').c % get('d') - get('e') * 2",
    'f\'{get("a").b!r:>{len(get("c").d)}}{get("e")}\'',
    "len(get('a')), max(get('b'), get('c'), key=get('d'))",
    "[get('x') for get('a').b in [1] if get('c') for get('d')[get('e')] in [2]]",
    "{get('a').b: get('c').d, **{get('e'): 1}}",
    "for get('a').b, c in [(1, get('d'))]: get('e')",
    "with get('a') as (get('b').c, get('d')[0]), get('e').f as g: get('h')",
    "while get('a').b: break",
    "assert get('a'), get('b')",
    "x = get('a'); x += get('b'); x -= 1; del x",
    "x = y = get('a').b; get('c')[x:y] = y; (lambda: x)()",
    "x, get('a').b, *z = get('c'), get('d'), get('e'); x = (lambda: (x, z))()",
    "(x := get('a')), get('b')[x]",
    "def f(a=get('a').b, *, c=get('c').d): return get('e')\n    f()",
    "@get('a').b\n    @get('c')\n    class C(get('d').e if 0 else object): pass",
    "match get('a').b:\n        case object(name=get) if get: pass",
    "try: get('a').b.c()\n    except get('d'): pass\n    finally: get('e').f",
]


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("where", ["in a function", "at the top"])
def test_effects_come_in_the_order_of_the_plain_program(statement: str, where: str) -> None:
    """Every access of a spy is noted by the spy itself, in both programs."""
    if where == "in a function":
        source = ORDERED.replace("STATEMENT", statement) + "\nprogram(get)"
    else:
        source = ORDERED.replace("STATEMENT", "pass") + statement.replace("\n    ", "\n")
    plain, rewritten = execute(source, is_rewritten=False), execute(source)
    assert rewritten["log"] == plain["log"]
    assert len(plain["log"]) > 1


def test_a_lookup_with_effects_precedes_the_arguments() -> None:
    """A property that rebinds what the arguments read is called first, as CPython does."""
    source = """
class A:
    @property
    def append(self):
        global word
        word = "after"
        return lambda *args: args
word = "before"
result = A().append(word)
"""
    assert execute(source)["result"] == ("after",)


def test_private_names_are_mangled() -> None:
    """In attributes of all kinds, and in the names of globals and cells."""
    source = """
class __A:
    __x = 1
    def __init__(self):
        self.__x = 2
        self.__x += 1
        self.__y, self.__z = 1, 2
        del self.__z
        global __g
        __g = [self.__x]
        __g += [1]
    def get(self):
        __n = 1
        def inner():
            nonlocal __n
            __n += 1
            return __n
        return self.__x, self.__y, inner(), __g
result = _A__x = __A().get(), _A__g
"""
    assert execute(source)["result"] == ((3, 1, 2, [3, 1]), [3, 1])


def test_no_hidden_name_shows() -> None:
    """Neither in `globals()` nor in `locals()`, `vars()` and `dir()` of functions with cells."""
    source = """
def f():
    n = 1
    def g():
        nonlocal n
        n, m = 2, 3
        return list(locals()), sorted(vars()), dir()
    inner = g()
    return inner, sorted(locals()), dir()
result = f()
for result_2, n in [(1, 2)]:
    pass
try:
    1 / 0
except ZeroDivisionError as n:
    seen = sorted(globals())
"""
    plain, rewritten = execute(source, is_rewritten=False), execute(source)
    for name in ("result", "seen"):
        assert sorted(map(str, rewritten[name])) == sorted(map(str, plain[name]))
    assert sorted(rewritten) == sorted(plain)


def test_a_class_namespace_is_not_asked_for_hooks() -> None:
    """A mapping that invents every missing name would otherwise hide them."""
    source = """
asked = []
class Namespace(dict):
    def __missing__(self, name):
        asked.append(name)
        if name.startswith("__"):
            raise KeyError(name)
        return name
class Meta(type):
    @classmethod
    def __prepare__(cls, *_):
        return Namespace()
class A(metaclass=Meta):
    "Says what it is."
    x = red
    y = [red].count(red)
    __qualname__ += "B"
result = A.x, A.y, A.__doc__, A.__qualname__
"""
    plain, rewritten = execute(source, is_rewritten=False), execute(source)
    assert rewritten["result"] == plain["result"] == ("red", 1, "Says what it is.", "AB")
    assert rewritten["asked"] == plain["asked"]


def test_docstrings_first_lines_and_names_stay() -> None:
    """Although statements and decorators are put before them."""
    source = '''"""Module."""
from __future__ import annotations
from __future__ import division
import functools

def f(x: undefined) -> undefined:
    """F."""
    n = x
    def g():
        """G."""
        nonlocal n
        n = 2
    return g

@functools.lru_cache
def h():
    """H."""
'''
    names = execute(source)
    assert names["__doc__"] == "Module."
    assert names["f"].__doc__ == "F."
    assert names["f"](1).__doc__ == "G."
    assert names["f"].__annotations__ == {"x": "undefined", "return": "undefined"}
    assert [names["f"].__code__.co_firstlineno, names["f"](1).__code__.co_firstlineno] == [6, 9]
    assert names["h"].__wrapped__.__code__.co_firstlineno == 15


@pytest.mark.skipif(sys.version_info < (3, 13), reason="they came with 3.13")
def test_static_attributes_stay() -> None:
    """The compiler collects them from stores that rewriting turns into calls."""
    source = """
class A:
    def f(self, other):
        self.x = self.y = 1
        self.z += 1
        other.w, self.__p = 1, 2
"""
    plain, rewritten = execute(source, is_rewritten=False), execute(source)
    expected = plain["A"].__static_attributes__
    assert sorted(rewritten["A"].__static_attributes__) == sorted(expected)


ERRORS = [
    "items = []\nitems[0]",
    "x = 1\nx.missing",
    "x = 1\nx.missing = 2",
    "x = 1\ndel x.missing",
    "def f():\n    return 1 + len(\n        missing\n    )\nf()",
    "def f():\n    x += 1\nf()",
    "def f():\n    g = lambda: x\n    g()\n    x = 1\nf()",
    "global_name = 1\ndel global_name\nglobal_name",
    "x, y = [1]",
    "x = y = None\nx += 1",
    "x = []\nx += 1",
    "a = object()\na < a",
    "a = 1\nif a in a: pass",
    "for x in len: pass",
    "[x for x in 3]",
    "a = 1\n(a\n .real\n .missing)",
    "dict(**{1: 2})",
    "'%d' % 'x'",
    "assert [], 'nothing'",
    "class A:\n    __slots__ = ()\nA().x = 1",
    "def f(a): pass\nf()",
    "raise ValueError from len([]).missing",
]


@pytest.mark.parametrize("source", ERRORS)
def test_an_error_and_its_lines_are_those_of_the_plain_program(source: str) -> None:
    """Type, message and, once the hooks' frames are taken out, the traceback with its columns."""
    seen = []
    for is_rewritten in (False, True):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the two are compared
            execute(source, is_rewritten=is_rewritten)
        assert caught.tb is not None
        here = strip_hook_frames(caught.tb, also=[__file__])
        frames = [
            (frame.name, frame.lineno, frame.end_lineno, frame.colno, frame.end_colno)
            for frame in traceback.extract_tb(here)
        ]
        seen.append((type(caught.value), str(caught.value), frames))
    plain, rewritten = seen
    assert rewritten == plain


def test_stripping_leaves_the_traceback_as_it_was() -> None:
    """It makes a copy."""
    with pytest.raises(AttributeError) as caught:
        execute("x = 1\nx.missing")
    assert caught.tb is not None
    before = traceback.format_tb(caught.tb)
    stripped = strip_hook_frames(caught.tb)
    assert traceback.format_tb(caught.tb) == before
    assert len(traceback.format_tb(stripped)) == len(before) - 1
    assert strip_hook_frames(None) is None


@pytest.mark.parametrize(
    "source",
    [
        "x = (",
        "return 1",
        "def f():\n    x = 1\n    global x",
        "é = 1 +".encode("latin-1"),
        "break",
    ],
)
def test_a_syntax_error_is_that_of_compile(source: str | bytes) -> None:
    """Those of the parser, of the scopes and of the code generator, with the same position."""
    seen = []
    compilers: list[Callable[[], object]] = [
        lambda: compile(source, "<program>", "exec", dont_inherit=True),
        lambda: rewrite(source, "<program>", SiteTable()),
    ]
    for compiler in compilers:
        with pytest.raises(SyntaxError) as caught:
            compiler()
        error = caught.value
        seen.append((error.msg, error.filename, error.lineno, error.offset, error.end_offset))
    assert seen[0] == seen[1]


def test_a_warning_of_the_compiler_is_given_once() -> None:
    """Also those that depend on nodes that rewriting replaces."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rewrite("x = 1 is 1\n(1)[0]\nassert (1, 2)", "<program>", SiteTable())
    expected = 3
    assert len(caught) == expected


@pytest.mark.parametrize(
    "source",
    [
        "# coding: latin-1\nx = 'é'.upper()".encode("latin-1"),
        "\ufeffx = 'é'.upper()".encode(),
        "x = 'é'.upper()\r\n",
        "# coding: latin-1\nx = 'é'.upper()",
        "\f\nx = 'é'.upper()",
    ],
)
def test_encodings_and_line_ends_are_read_as_compile_reads_them(source: str | bytes) -> None:
    """And the subject of a site is cut out at the right place."""
    sites = SiteTable()
    names: dict[str, Any] = {"__builtins__": builtins_with(null)}
    exec(rewrite(source, "<program>", sites), names)  # noqa: S102 - a program
    assert names["x"] == "É"
    assert "'é'.upper" in [site.subject for site in sites]


def test_sites_describe_the_source() -> None:
    """File, position, kind, subject on one line, and the function around it."""
    source = "class A:\n    def f(self):\n        self.é = (self\n            .b)\n"
    sites = SiteTable()
    rewrite(source, "a.py", sites)
    load, store, bind = sites
    assert (load.kind, load.subject, load.function) == ("load_attr", "self .b", "A.f")
    assert (load.line, load.end_line, load.column, load.end_column) == (3, 4, 19, 14)
    assert (store.kind, store.subject, store.line) == ("store_attr", "self.é", 3)
    assert (bind.kind, bind.subject, bind.function) == ("bind_global", "A", "<module>")
    assert {site.file for site in sites} == {"a.py"}
    with pytest.raises(IndexError):
        sites[-1]


def test_the_same_source_gets_the_same_sites() -> None:
    """And a second file's sites follow the first's."""
    tables = [SiteTable(), SiteTable()]
    for table in tables:
        rewrite("a = b.c\nd = e[f]", "a.py", table)
        rewrite("a.b = c", "b.py", table)
    first, second = (list(table) for table in tables)
    assert first == second
    assert first[-1].file == "b.py"


def test_each_activation_has_its_own_cells() -> None:
    """Two calls of the owner hand out two identities; an inner function keeps its owner's."""
    source = """
def make():
    n = 0
    def add():
        nonlocal n
        n += 1
    return add
a, b = make(), make()
a(), b(), a()
"""
    seen: list[object] = []
    sites = SiteTable()
    hooks = recording_hooks(sites, [])
    hooks[".read_cell"] = lambda _site, scope: seen.append(scope)
    names: dict[str, Any] = {"__builtins__": {**vars(builtins), **hooks}}
    exec(rewrite(source, "<program>", sites), names)  # noqa: S102 - a program
    assert seen == [1, 2, 1]


def test_a_comprehensions_lambdas_share_its_identity() -> None:
    """Their cell is one, whichever turn made them."""
    source = "functions = [lambda: i for i in range(3)]\n[f() for f in functions]"
    seen: list[object] = []
    sites = SiteTable()
    hooks = recording_hooks(sites, [])
    hooks[".read_cell"] = lambda _site, scope: seen.append(scope)
    hooks[".write_cell"] = lambda _site, scope, _value: seen.append(scope)
    names: dict[str, Any] = {"__builtins__": {**vars(builtins), **hooks}}
    exec(rewrite(source, "<program>", sites), names)  # noqa: S102 - a program
    assert seen == [1] * 6

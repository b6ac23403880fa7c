"""Where each value that a marked test gets comes from.

- A function-scoped fixture of the project is made anew in each execution, by its own function.
- Parameters, and the values of other fixtures, are copied for each execution, if they can be.
- `tmp_path` is a folder of its own, emptied before each execution.
- What pytest's built-in fixtures observe or change is the real program's: most are refused.
"""

from __future__ import annotations

import functools
import inspect
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import pytest

from parallel_cookbook.check.function import home_at
from parallel_cookbook.check.payload import source_file
from parallel_cookbook.errors import UnsupportedError
from parallel_cookbook.pytest_plugin.body import Body, Fixture, Folder, Request, Source, Value

if TYPE_CHECKING:
    from parallel_cookbook.check.function import Home

_OUTPUT = "what all executions print would come together in it: assert on what the code returns"
_REFUSED = {
    "request": "it is the real test's, and not an execution's",
    "monkeypatch": "it would patch the real modules, and each execution has its own: pass what differs "
    "as an argument",
    **dict.fromkeys(("capsys", "capsysbinary", "capfd", "capfdbinary", "capteesys"), _OUTPUT),
    "caplog": "it would hear nothing: each execution has its own modules",
    "recwarn": "it would collect the warnings of all executions",
    "tmp_path_factory": "each execution needs a folder of its own: use tmp_path",
    "tmpdir": "each execution needs a folder of its own: use tmp_path",
}


def plan(item: pytest.Function) -> tuple[Body, dict[str, object]]:
    """Return what an execution of the test does, and what that is made of, in words.

    Raises UnsupportedError for a fixture that cannot be made anew.
    """
    planner = _Planner(item, home_of_test(item))
    # pytest has no public way to ask for a test's own arguments.
    names = item._fixtureinfo.argnames  # noqa: SLF001
    planner.add_all_automatic()
    arguments = tuple((name, planner.key_of(name, "the test")) for name in names)
    body = Body(item.module, item.cls, item.originalname, planner.sources, arguments)
    return body, planner.parts


class _Planner:
    def __init__(self, item: pytest.Function, home: Home) -> None:
        self.sources: dict[str, Source] = {}
        self.parts: dict[str, object] = {}
        self._item = item
        self._home = home
        self._is_own = functools.partial(_is_own, home=home)
        # The same: no public way to ask which fixture a name means.
        self._known: dict[str, Any] = dict(item._fixtureinfo.name2fixturedefs)  # noqa: SLF001
        callspec = getattr(item, "callspec", None)
        self._params: dict[str, object] = dict(callspec.params) if callspec else {}

    def add_all_automatic(self) -> None:
        """Add the project's fixtures that nobody asks for by name, in pytest's order."""
        for name in self._item.fixturenames:
            definitions = self._known.get(name, ())
            if definitions and self._is_remade(definitions[-1]):
                self.key_of(name, "the test")

    def key_of(self, name: str, asker: str, level: int = -1) -> str:
        """Return the key of the fixture that `asker` gets for `name`; add it if it is not there.

        level: -1 for the innermost fixture of that name, -2 for the one that it overrides …
        """
        key = name if level == -1 else f"{name} ({level})"
        if key not in self.sources:
            self.sources[key] = self._source(name, asker, level)
        return key

    def _source(self, name: str, asker: str, level: int) -> Source:
        definitions = self._known.get(name, ())
        definition = definitions[level] if len(definitions) >= -level else None
        if definition is not None and self._is_remade(definition):
            return self._remade(name, definition, level)
        is_builtin = definition is None or not self._is_own(definition)
        if is_builtin and name in _REFUSED and name not in self._params:
            raise UnsupportedError(
                f"{asker} uses the fixture {name!r}, which cannot be used here: {_REFUSED[name]}"
            )
        value: Any = self._item.funcargs[name]
        if is_builtin and name == "tmp_path":
            return Folder(value)
        if type(value).__module__.partition(".")[0] in {"_pytest", "pytest"}:
            raise UnsupportedError(
                f"{asker} uses the fixture {name!r}, which is about the real test and not an execution"
            )
        if name in self._params:
            words = f"the parameter {name!r}"
        else:
            scope = getattr(definition, "scope", "function")
            words = f"the value of the {scope}-scoped fixture {name!r}"
        self.parts[words] = value
        return Value(value)

    def _remade(self, name: str, definition: Any, level: int) -> Fixture:  # noqa: ANN401 - a FixtureDef
        function = definition.func
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise UnsupportedError(
                f"the fixture {name!r} is asynchronous, and the steps of an event loop are not explored"
            )
        arguments = []
        for argument in definition.argnames:
            if argument == "request":
                key = f"request of {name} ({level})"
                params = (self._params[name],) if name in self._params else ()
                self.sources[key] = Request(name, params)
                self.parts[f"the parameter of the fixture {name!r}"] = params
            else:
                outer = level - 1 if argument == name else -1
                key = self.key_of(argument, f"the fixture {name!r}", outer)
            arguments.append((argument, key))
        takes_instance = isinstance(function, MethodType)
        plain = function.__func__ if isinstance(function, MethodType) else function
        self.parts[f"the function of the fixture {name!r}"] = plain
        return Fixture(plain, tuple(arguments), takes_instance)

    def _is_remade(self, definition: Any) -> bool:  # noqa: ANN401 - a FixtureDef
        return definition.scope == "function" and self._is_own(definition)


def home_of_test(item: pytest.Function) -> Home:
    """Return where a test stands."""
    home = item.stash.get(_HOME, None)
    if home is None:
        home = home_at(item.path, item.module.__name__, item.config.rootpath)
        item.stash[_HOME] = home
    return home


def is_made_inside(item: pytest.Function, definition: pytest.FixtureDef[Any]) -> bool:
    """Whether each execution makes this function-scoped fixture itself: then pytest need not."""
    return definition.argname.startswith(_SETUP_FIXTURES) or _is_own(definition, home_of_test(item))


_HOME = pytest.StashKey["Home"]()
_SETUP_FIXTURES = ("_xunit_setup_function_fixture", "_xunit_setup_method_fixture")
"""What pytest calls setup_function, setup_method and their counterparts by."""


def _is_own(definition: pytest.FixtureDef[Any], home: Home) -> bool:
    """Whether a fixture stands in the project."""
    function: object = definition.func
    function = function.__func__ if isinstance(function, MethodType) else function
    if not isinstance(function, FunctionType):
        return False
    file = source_file(function)
    return file is not None and home.owns(file)

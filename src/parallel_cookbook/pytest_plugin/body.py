"""What each execution of a marked test does: make its fixtures, call it, and clean up.

Everything here is packed once and made anew in each execution, where modules, classes and functions are
the execution's own; see `check.payload`.
"""

from __future__ import annotations

import contextlib
import inspect
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from parallel_cookbook.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

# Tests and fixtures are the reader's: of them nothing is known.
# ruff: noqa: ANN401


class Source(Protocol):
    """Where the value of a fixture comes from."""

    def make(self, made: dict[str, Any], instance: object, stack: contextlib.ExitStack) -> object:
        """Return the value for one execution; `stack` cleans up behind it."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """Plain data, or a parameter: the execution has its own copy."""

    value: object

    def make(self, made: dict[str, Any], instance: object, stack: contextlib.ExitStack) -> object:
        """Return it."""
        del made, instance, stack
        return self.value


@dataclass(frozen=True, slots=True)
class Folder:
    """`tmp_path`: the same folder in each execution, emptied before."""

    path: Path

    def make(self, made: dict[str, Any], instance: object, stack: contextlib.ExitStack) -> Path:
        """Return the folder, which is empty."""
        del made, instance, stack
        folder = self.path / "execution"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


@dataclass(frozen=True, slots=True)
class Request:
    """`request` in a fixture: its parameter, and nothing of pytest's."""

    fixture: str
    params: tuple[object, ...] = ()

    def make(self, made: dict[str, Any], instance: object, stack: contextlib.ExitStack) -> Request:
        """Return itself."""
        del made, instance, stack
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "param" and self.params:
            return self.params[0]
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(
            f"the fixture {self.fixture!r} uses request.{name}, which is the real test's and not this "
            "execution's: let it use request.param only"
        )


@dataclass(frozen=True, slots=True)
class Fixture:
    """A fixture of the project: its function is called in each execution."""

    function: Callable[..., Any]
    arguments: tuple[tuple[str, str], ...]
    """For each argument, the key of the fixture that it gets."""
    takes_instance: bool

    def make(self, made: dict[str, Any], instance: object, stack: contextlib.ExitStack) -> object:
        """Call it; leave what follows its `yield` to `stack`."""
        named = {argument: made[key] for argument, key in self.arguments}
        first = (instance,) if self.takes_instance else ()
        if not inspect.isgeneratorfunction(self.function):
            return self.function(*first, **named)
        generator: Iterator[object] = self.function(*first, **named)
        value = next(generator)
        stack.callback(_finish, generator)
        return value


def _finish(generator: Iterator[object]) -> None:
    if next(generator, generator) is not generator:
        raise ValueError("a fixture has yielded more than once")


@dataclass(frozen=True, slots=True)
class Body:
    """One execution of a test."""

    module: ModuleType
    owner: type | None
    """The test's class, if it is a method."""
    name: str
    fixtures: dict[str, Source]
    """By key, in the order in which they are made."""
    arguments: tuple[tuple[str, str], ...]
    """For each argument of the test, the key of the fixture that it gets."""

    def __call__(self) -> None:
        """Set up, call the test, clean up."""
        with contextlib.ExitStack() as stack:
            self._set_up(stack, self.module, "module", self.module)
            if self.owner is None:
                instance = None
                test = getattr(self.module, self.name)
                self._set_up(stack, self.module, "function", test)
            else:
                self._set_up(stack, self.owner, "class", self.owner)
                instance = self.owner()
                test = getattr(instance, self.name)
                self._set_up(stack, instance, "method", test)
            made: dict[str, Any] = {}
            for key, source in self.fixtures.items():
                made[key] = source.make(made, instance, stack)
            test(**{argument: made[key] for argument, key in self.arguments})

    @staticmethod
    def _set_up(stack: contextlib.ExitStack, owner: object, level: str, argument: object) -> None:
        """Call `setup_…`, leave `teardown_…` to `stack`: pytest has called them for the real module."""
        tear_down = getattr(owner, f"teardown_{level}", None)
        set_up = getattr(owner, f"setup_{level}", None)
        if set_up is not None:
            _call(set_up, argument)
        if tear_down is not None:
            stack.callback(_call, tear_down, argument)


def _call(function: Callable[..., object], argument: object) -> None:
    """Call with the argument if it takes one, as pytest does."""
    if inspect.signature(function).parameters:
        function(argument)
    else:
        function()

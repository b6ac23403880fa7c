"""Put our functions in the place of the standard library's, inside its own modules and classes.

The classes stay what they are: what the program imports, subclasses, pickles or compares is the same as
ever. Each of our functions is made by a factory that is given the original one, and calls it for the work.

A module is changed once it has been imported; none is imported for our sake.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Factory = Callable[[Any], Any]

_replacements: dict[str, list[tuple[str, Factory]]] = {}
"""By module: the name in it, dotted, and the factory."""


def replaces(module: str, *names: str) -> Callable[[Factory], Factory]:
    """Let the decorated factory make what stands for each of these names of `module`.

    A name that the module of this Python version has not is passed over.
    """

    def register(factory: Factory) -> Factory:
        _replacements.setdefault(module, []).extend((name, factory) for name in names)
        return factory

    return register


def install() -> None:
    """Replace all that is registered: now, or as soon as its module is imported."""
    for name in list(_replacements):
        if name in sys.modules:
            _change(sys.modules[name])
    if _replacements:
        sys.meta_path.insert(0, _Watcher)


def _change(module: ModuleType) -> None:
    for name, factory in _replacements.pop(module.__name__):
        *owners, last = name.split(".")
        owner: Any = module
        for part in owners:
            owner = getattr(owner, part, None)
        before = vars(owner).get(last) if owner is not None else None
        if before is None:
            continue
        inside = before.__func__ if isinstance(before, staticmethod) else before
        after = factory(inside)
        if after is not inside and not isinstance(after, type):
            _name_like(inside, after)
        setattr(owner, last, staticmethod(after) if inside is not before else after)


def _name_like(before: Any, after: Any) -> None:
    """Give a function the name, place and signature of what it stands for; functools is slow to import."""
    for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
        value = getattr(before, attribute, None)
        if value is not None:
            setattr(after, attribute, value)
    after.__wrapped__ = before


class _Watcher:
    """Sees modules being imported; stands first among Python's finders, and finds nothing itself."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _replacements:
            return None
        for finder in sys.meta_path:
            if finder is not _Watcher:
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    _change_after(spec)
                    return spec
        return None


def _change_after(spec: ModuleSpec) -> None:
    loader: Any = spec.loader
    execute = loader.exec_module

    def execute_and_change(module: ModuleType) -> None:
        del loader.exec_module
        execute(module)
        if module.__name__ in _replacements:
            _change(module)

    loader.exec_module = execute_and_change

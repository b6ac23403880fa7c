"""What a command is to work on: a recipe, a file, a function in a file, a function in a module."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from parallel_cookbook.content import is_file, is_folder
from parallel_cookbook.errors import UsageError

if TYPE_CHECKING:
    from parallel_cookbook.content import Book


@dataclass(frozen=True, slots=True)
class Target:
    """A place in the reader's code where a check begins."""

    name: str
    """As the reader wrote it, or a recipe's id."""
    file: Path
    module: str
    """`__main__` for a file that is run; else the module's name."""
    function: str
    """Empty for a file that is run."""
    root: Path
    """The folder that the program's own modules are imported from."""


def find_target(book: Book, name: str) -> Target:
    """Return what `name` means: `file.py`, `file.py::function`, `package.module:function`, a recipe's id.

    A recipe means its `main`, with its defaults; `recipe::pitfall_…` means that function.
    Raises UsageError if there is no such thing.
    """
    place, _, function = name.partition("::")
    path = Path(place)
    if path.suffix == ".py" and is_file(place):
        module = path.stem if function else "__main__"
        return Target(name, path, module, function, path.resolve().parent)
    if not function and (match := re.fullmatch(r"([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)", name)):
        return _in_module(name, match[1], match[2])
    if path.suffix == ".py" or is_folder(place):
        what = "is a folder" if is_folder(place) else "is not there"
        raise UsageError(f"the file {place!r} {what}; name a Python file or a recipe")
    try:
        recipe = book.find(place)
    except UsageError:
        if is_file(place):
            raise UsageError(
                f"{place!r} is no Python file: its name does not end in .py; name a Python file or a recipe"
            ) from None
        raise
    target = f"{recipe.id}::{function}" if function else recipe.id
    return Target(target, recipe.path, recipe.slug, function or "main", recipe.path.parent)


def _in_module(name: str, module: str, function: str) -> Target:
    folders = ["", *sys.path] if "" not in sys.path else sys.path
    for folder in folders:
        base = Path(folder or ".").joinpath(*module.split("."))
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return Target(name, file, module, function, Path(folder or ".").resolve())
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        raise UsageError(f"there is no module {module!r}; start where Python would find it")
    raise UsageError(f"the module {module!r} has no Python source that could be checked")

"""The hooks that rewritten code calls, and how they get there.

Rewritten code finds each hook in the `__builtins__` dict of its module's globals, under its name
in `Hooks` with a dot before it (`.load_attr`). No program can spell such a name, and neither
`globals()`, `dir()` nor `locals()` shows it. `entries(hooks)` makes those dict entries.

Rules for an implementation:

- A hook is called *before* its access, by the task that makes it, with the site first (after the
  value, in stores, because CPython evaluates the value first). It announces, waits until the task
  may go on, performs the access and returns its result, or raises what the access raises.
- Accesses to names are performed by the rewritten code itself, right after the hook returns, so
  that NameError and UnboundLocalError are CPython's. `read_global` and `read_cell` return None.
- A hook that is given any object (`read_container`, `iterate`, `contains`, `operate`, `inplace`,
  `call_builtin`, `load_method` …) is an access only when an operand is a built-in container
  (`CONTAINER_TYPES`) or, for views, shows one, or is an object whose own code is not rewritten.
- The result must be that of the null hooks, save that `load_method`, `iterate`, `unpack`, `delegate` and
  `call_builtin` may return a stand-in that behaves as the method or the iterator would.
- Arguments are positional only. `site` is an index into the `SiteTable`.
"""

from __future__ import annotations

import builtins
import functools
import operator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# Hooks handle objects of the program under test, of which nothing is known.
# ruff: noqa: ANN401


class Hooks(Protocol):
    """What rewritten code calls. A module of functions will do, as will an object."""

    def load_attr(self, site: int, obj: Any, name: str, /) -> Any:
        """Return `obj.name`. Private names are mangled already."""

    def load_method(self, site: int, obj: Any, name: str, /) -> Any:
        """Return `obj.name`, which is about to be called; `obj` may be a `super()`.

        When `obj` is a built-in container, or its code is not rewritten, the access is made by the call,
        once the arguments are evaluated: return a callable that announces the site and then calls
        the method.
        """

    def store_attr(self, value: Any, site: int, obj: Any, name: str, /) -> None:
        """Set `obj.name`."""

    def attr_target(self, site: int, obj: Any, name: str, /) -> Any:
        """Return an object whose attribute `value` stands for `obj.name` and is set next.

        Used where a store has no statement of its own: `a.x, b.x = ...`, `for a.x in ...`.
        """

    def del_attr(self, site: int, obj: Any, name: str, /) -> None:
        """Delete `obj.name`."""

    def begin_aug_attr(self, site: int, obj: Any, name: str, /) -> Any:
        """Load `obj.name` for an augmented assignment; return what `end_aug_attr` needs."""

    def end_aug_attr(self, begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
        """Apply `op`, the in-place operator, to what was loaded, and store the result.

        The store is site + 1 of the load; the operator, an access when what was loaded is a
        container, is site + 2.
        """

    def load_item(self, site: int, obj: Any, key: Any, /) -> Any:
        """Return `obj[key]`; a slice is a slice object."""

    def store_item(self, value: Any, site: int, obj: Any, key: Any, /) -> None:
        """Set `obj[key]`."""

    def item_target(self, site: int, obj: Any, key: Any, /) -> Any:
        """Return an object whose attribute `value` stands for `obj[key]` and is set next."""

    def del_item(self, site: int, obj: Any, key: Any, /) -> None:
        """Delete `obj[key]`."""

    def begin_aug_item(self, site: int, obj: Any, key: Any, /) -> Any:
        """Load `obj[key]` for an augmented assignment; return what `end_aug_item` needs."""

    def end_aug_item(self, begun: Any, value: Any, op: Callable[[Any, Any], Any], /) -> None:
        """Do for an item what `end_aug_attr` does for an attribute."""

    def read_global(self, site: int, /) -> None:
        """Announce the load of a tracked global; the site's subject is its name."""

    def write_global(self, site: int, value: Any, /) -> Any:
        """Announce the store (or, with None, the deletion) of a tracked global; return `value`."""

    def bind_global(self, site: int, value: Any, /) -> Any:
        """Notice the one binding of a global that is not tracked; return `value`.

        Where the binding form has no value to pass, `value` is None and the hook may run right
        after the store. If other tasks live then, the name belongs in `also_track`.
        """

    def new_scope(self) -> Any:
        """Return an identity for one activation of a function that owns tracked cells."""

    def read_cell(self, site: int, scope: Any, /) -> None:
        """Announce the load of a closure cell of the activation `scope`."""

    def write_cell(self, site: int, scope: Any, value: Any, /) -> Any:
        """Announce the store (or, with None, the deletion) of a closure cell; return `value`."""

    def call_builtin(self, site: int, func: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return `func(*args, **kwargs)`: nearly always a built-in, or imported from a standard module.

        Functions that look at their caller's frame (`super`, `locals`, `exec` ...) are not called
        through this hook.
        """

    def contains(self, site: int, item: Any, container: Any, /) -> bool:
        """Return `item in container`."""

    def operate(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        """Return `op(left, right)`, a binary operator or comparison."""

    def inplace(self, site: int, left: Any, right: Any, op: Callable[[Any, Any], Any], /) -> Any:
        """Return `op(left, right)`, an in-place operator, which may change `left`."""

    def iterate(self, site: int, iterable: Any, /) -> Any:
        """Return `iterable`, or a stand-in whose `iter()` announces each step."""

    def delegate(self, site: int, iterable: Any, /) -> Any:
        """Return `iterable`, for `yield from`; the stand-in of a container, of nothing else."""

    def read_container(self, site: int, obj: Any, /) -> Any:
        """Return `obj`, which is read as a whole next: formatting, `**obj`, `match obj`."""

    def unpack(self, site: int, obj: Any, /) -> Any:
        """Return `obj`, which is stepped through next, `a, b = obj` or `*obj`; or a stand-in for it."""

    def truth(self, site: int, obj: Any, /) -> Any:
        """Return `obj`, whose truth is tested next."""

    def own_globals(self, space: Any, /) -> Any:
        """Return `space`, what `globals()` returned."""

    def tick(self, site: int, /) -> None:
        """Count one turn of a loop."""


HOOK_NAMES = tuple(name for name in vars(Hooks) if not name.startswith("_"))

_BINARY = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Mod": operator.mod,
    "BitOr": operator.or_,
    "BitAnd": operator.and_,
    "BitXor": operator.xor,
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
}
_IN_PLACE = {
    "Add": operator.iadd,
    "Sub": operator.isub,
    "Mult": operator.imul,
    "MatMult": operator.imatmul,
    "Div": operator.itruediv,
    "Mod": operator.imod,
    "Pow": operator.ipow,
    "LShift": operator.ilshift,
    "RShift": operator.irshift,
    "BitOr": operator.ior,
    "BitXor": operator.ixor,
    "BitAnd": operator.iand,
    "FloorDiv": operator.ifloordiv,
}


def _announced(
    iterable: Iterable[Any], scope: Any, write: Callable[[int, Any, Any], Any], sites: tuple[int]
) -> Iterator[Any]:
    """Iterate; announce the stores of a comprehension's target into tracked cells."""
    return _announce_each(iter(iterable), scope, write, sites)


def _announce_each(
    iterator: Iterator[Any], scope: Any, write: Callable[[int, Any, Any], Any], sites: tuple[int]
) -> Iterator[Any]:
    for item in iterator:
        for site in sites:
            write(site, scope, None)
        yield item


def _with_scope(
    iterable: Iterable[Any], scope: Any, write: Callable[[int, Any, Any], Any], sites: tuple[int]
) -> Iterator[tuple[Any, Any]]:
    """Do the same, and hand out the identity of the comprehension's activation with each item."""
    return ((scope, item) for item in _announced(iterable, scope, write, sites))


def _without_hidden(names: Any) -> Any:
    """Take the hidden names out of what `locals()`, `vars()` or `dir()` returned."""
    hidden = [name for name in names if isinstance(name, str) and name.startswith((".scope", ".t"))]
    for name in hidden:
        if isinstance(names, dict):
            del names[name]
        elif isinstance(names, list):
            names.remove(name)
    return names


_HELPERS: dict[str, object] = {
    ".slice": slice,
    ".partial": functools.partial,
    ".announced": _announced,
    ".with_scope": _with_scope,
    ".without_hidden": _without_hidden,
    **{f".op_{name}": function for name, function in _BINARY.items()},
    **{f".op_i{name}": function for name, function in _IN_PLACE.items()},
}


def entries(hooks: Hooks) -> dict[str, object]:
    """Return what rewritten code needs in the `__builtins__` dict of its globals."""
    return {**_HELPERS, **{f".{name}": getattr(hooks, name) for name in HOOK_NAMES}}


def builtins_with(hooks: Hooks, base: Mapping[str, object] = vars(builtins)) -> dict[str, object]:
    """Return a new `__builtins__` dict: `base` and the entries of `hooks`."""
    return {**base, **entries(hooks)}

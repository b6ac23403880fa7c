"""Which names of a module other tasks could see: tracked globals and tracked closure cells.

A *cell* is a variable of a function that an inner function uses. Comprehensions, class bodies, and
generator expressions that a built-in function consumes on the spot run inside the same step of the
same task, so that their use of a variable does not make it shared; a `def` or `lambda` does. A cell
that is bound once, before anyone else can have it, needs no points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.instrument import operands
from parallel_cookbook.instrument.scopes import Binding, ScopeBuilder

if TYPE_CHECKING:
    import ast
    from collections.abc import Collection, Iterator

    from parallel_cookbook.instrument.scopes import Scope

NEVER_TRACKED = frozenset({"__class__", "__classdict__", "__debug__", "super"})
"""Names that the compiler itself gives a meaning."""


class ScopeMap:
    """The scopes of one module, and what its names stand for.

    `module` is the outermost scope, `of` gives the scope that a function, class, lambda or
    comprehension opens, `type_parameters` the scope of its type parameters (3.12), if it has any.
    """

    def __init__(self, tree: ast.Module | ast.Interactive, also_track: Collection[str]) -> None:
        builder = ScopeBuilder(tree)
        self.module = builder.module
        self.of = builder.of
        self.type_parameters = builder.type_parameters
        self._scopes = builder.scopes
        self._tracked_globals = set(also_track)
        self._bound_globals: set[str] = set()
        self._find_tracked_globals()
        self._find_tracked_cells()

    def is_tracked_global(self, scope: Scope, name: str) -> bool:
        """Whether `name` (mangled), used in `scope`, is a global that needs scheduling points."""
        return (
            name in self._tracked_globals
            and name not in NEVER_TRACKED
            and owner_of(scope, name) is self.module
        )

    def is_bound_once(self, scope: Scope, name: str) -> bool:
        """Whether `name` is a global that this module binds exactly once, outside every loop."""
        return scope is self.module and name not in self._tracked_globals

    def cell_owner(self, scope: Scope, name: str) -> Scope | None:
        """Return the owner of the tracked cell that `name` (mangled) means in `scope`, or None."""
        owner = owner_of(scope, name)
        return owner if owner is not None and name in owner.tracked_cells else None

    def is_builtin(self, scope: Scope, name: str) -> bool:
        """Whether nothing in the source binds `name` as it is used in `scope`."""
        return owner_of(scope, name) is self.module and name not in self._bound_globals

    def is_imported_function(self, scope: Scope, name: str) -> bool:
        """Whether `name` may be a function of a standard module that works on what it is given."""
        owner = owner_of(scope, name)
        return owner is not None and operands.works_on_data(owner.imported.get(name, ""), name)

    def sees_hidden_names(self, scope: Scope) -> bool:
        """Whether `locals()` could show a hidden name in `scope`."""
        return any(ancestor.tracked_cells for ancestor in _outwards(scope))

    def _find_tracked_globals(self) -> None:
        for scope in self._scopes:
            for name, bindings in scope.bindings.items():
                if owner_of(scope, name) is not self.module:
                    continue
                self._bound_globals.add(name)
                if scope is not self.module or len(bindings) > 1 or bindings[0].is_repeated:
                    self._tracked_globals.add(name)

    def _find_tracked_cells(self) -> None:
        first_escape: dict[tuple[Scope, str], int] = {}
        bindings: dict[tuple[Scope, str], list[Binding]] = {}
        for scope in self._scopes:
            for name in scope.uses | scope.bindings.keys():
                owner = owner_of(scope, name)
                if owner is None or owner is self.module or name in NEVER_TRACKED:
                    continue
                key = (owner, name)
                is_own = owner is scope
                bindings.setdefault(key, []).extend(
                    binding if is_own else Binding(binding.order, is_repeated=True)
                    for binding in scope.bindings.get(name, ())
                )
                escape = None if is_own else self._escape(scope, owner)
                if escape is not None:
                    first_escape[key] = min(escape, first_escape.get(key, escape))
        for (owner, name), escape in first_escape.items():
            known = bindings[owner, name]
            is_settled = (
                len(known) == 1 and not known[0].is_repeated and known[0].order < escape
            ) or not known
            # An asynchronous comprehension has no place for the identity of its cells.
            if not is_settled and not owner.is_async:
                owner.tracked_cells.add(name)

    def _escape(self, scope: Scope, owner: Scope) -> int | None:
        """Return when the outermost function between `scope` and `owner` is made, or None."""
        made = None
        for inner in _outwards(scope):
            if inner is owner:
                break
            if not self._is_immediate(inner):
                made = inner.created
        return made

    def _is_immediate(self, scope: Scope) -> bool:
        if scope.kind == "genexp":
            return (
                scope.consumer is not None
                and scope.parent is not None
                and self.is_builtin(scope.parent, scope.consumer)
            )
        return scope.kind in {"class", "comprehension", "types"}


def _outwards(scope: Scope) -> Iterator[Scope]:
    ancestor: Scope | None = scope
    while ancestor is not None:
        yield ancestor
        ancestor = ancestor.parent


def owner_of(scope: Scope, name: str) -> Scope | None:
    """Return the scope whose variable `name` is in `scope`; None for a class's own name."""
    try:
        return scope.places[name]
    except KeyError:
        scope.places[name] = owner = _find_owner(scope, name)
        return owner


def _find_owner(scope: Scope, name: str) -> Scope | None:
    *inner, module = _outwards(scope)
    for candidate in inner:
        if candidate is not scope and candidate.kind == "class":
            # An inner scope sees no names of a class, save the scope of type parameters.
            if scope.kind == "types" and candidate is scope.parent and name in candidate.locals:
                return None
            continue
        if name in candidate.globals:
            return module
        if name in candidate.locals and name not in candidate.nonlocals:
            return None if candidate.kind == "class" else candidate
    return module

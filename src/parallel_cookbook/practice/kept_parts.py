"""What an answer to an exercise has changed although it was to be kept.

An exercise names what may be changed: functions (`transfer`), classes (`Account`), methods
(`Buffer.get`), or `__main__`, the lines that are executed when the file is run. The rest is kept: it is
compared as a syntax tree, so that layout, comments and docstrings do not count. New imports,
functions, classes and variables may be added, if nothing that is kept uses their names.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field

MAIN = "__main__"
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class _Parts:
    """The top level of a file, taken apart. Each value is a text that two equal parts share."""

    definitions: dict[str, str] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    """What is executed and binds nothing: calls, the guard, `if`, `try`."""
    used: set[str] = field(default_factory=set)
    """The names that occur in what may not be changed."""
    rebound: list[str] = field(default_factory=list)
    """Names that are bound more than once."""
    places: dict[str, int] = field(default_factory=dict)
    """The line in which each name is bound first."""
    reached: set[str] = field(default_factory=set)
    """Names that are declared `global` in what may be changed."""


def changes_of_kept_parts(
    exercise: str, answer: str, may_change: frozenset[str]
) -> list[tuple[int, str]]:
    """Return each change of `exercise` in `answer` that `may_change` does not cover: line, and sentence.

    Both are the texts of files. The line is one of `answer`; 0 where something is missing.
    Raises SyntaxError if one of them is no Python.
    """
    before = _take_apart(ast.parse(exercise), may_change)
    after = _take_apart(ast.parse(answer), may_change)
    faults = [
        (name, f"`{name}` was changed" if name in after.places else f"`{name}` is missing")
        for old, new in (
            (before.definitions, after.definitions),
            (before.variables, after.variables),
        )
        for name, text in old.items()
        if name not in may_change and new.get(name) != text
    ]
    faults += [
        (name, f"`{name}` is no longer imported from where it was")
        for name, origin in before.imports.items()
        if name in before.used and after.imports.get(name) != origin
    ]
    if MAIN not in may_change and before.lines != after.lines:
        faults.append(("", "the lines that are executed when the file is run were changed"))
    known = {*before.definitions, *before.variables, *before.imports}
    added = {*after.definitions, *after.variables, *after.imports} - known
    faults += [
        (name, f"the new name `{name}` replaces one that is used")
        for name in sorted(added)
        if name in before.used or hasattr(builtins, name)
    ]
    faults += [
        (name, f"`{name}` is bound twice") for name in after.rebound if name not in before.rebound
    ]
    taken = (known - before.reached) | vars(builtins).keys()
    faults += [(name, f"`global {name}` reaches for it") for name in sorted(after.reached & taken)]
    return [(after.places.get(name, 0), sentence) for name, sentence in faults]


def _take_apart(tree: ast.Module, may_change: frozenset[str]) -> _Parts:
    parts = _Parts()
    bound: set[str] = set()
    for statement in _without_docstring(tree.body):
        names = _bind(parts, statement, may_change)
        parts.rebound += [name for name in names if name in bound]
        for name in names:
            parts.places.setdefault(name, statement.lineno)
        bound |= set(names)
    return parts


def _bind(parts: _Parts, statement: ast.stmt, may_change: frozenset[str]) -> list[str]:
    """File a statement of the top level among the parts; return the names that it binds."""
    walrus = _named_outside_functions(statement)
    if walrus:
        parts.variables.update(dict.fromkeys(walrus, ast.dump(statement)))
    return walrus + _bind_plainly(parts, statement, may_change)


def _bind_plainly(parts: _Parts, statement: ast.stmt, may_change: frozenset[str]) -> list[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        origin = statement.module or "." if isinstance(statement, ast.ImportFrom) else ""
        new = {alias.asname or alias.name: f"{origin}:{alias.name}" for alias in statement.names}
        parts.imports.update(new)
        return list(new)
    if isinstance(statement, _Definition):
        parts.definitions[statement.name] = _kept_text(parts, statement, may_change)
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [node.id for target in targets for node in _names(target)]
        parts.variables.update(dict.fromkeys(names, ast.dump(statement)))
        parts.used |= {node.id for node in _names(statement)} - set(names)
        if names:
            return names
    parts.lines.append(ast.dump(statement))
    if MAIN not in may_change:
        parts.used |= {node.id for node in _names(statement)}
    return []


def _named_outside_functions(node: ast.AST) -> list[str]:
    """Return the names that are bound by `:=` when the statement is executed."""
    found = []
    for field_name, value in ast.iter_fields(node):
        if field_name == "body" and isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.NamedExpr):
                found.append(child.target.id)
            if isinstance(child, ast.AST):
                found += _named_outside_functions(child)
    return found


def _kept_text(parts: _Parts, definition: _Definition, may_change: frozenset[str]) -> str:
    """Return the definition as text, without what may be changed in it and without docstrings."""
    name = definition.name
    if name in may_change:
        parts.reached |= _globals(definition)
        return ""
    if isinstance(definition, ast.ClassDef):
        for member in definition.body:
            if isinstance(member, _Definition) and f"{name}.{member.name}" in may_change:
                parts.reached |= _globals(member)
                member.body = [ast.Pass()]
    for node in ast.walk(definition):
        if isinstance(node, _Definition):
            node.body = _without_docstring(node.body) or [ast.Pass()]
    parts.used |= {node.id for node in _names(definition)}
    return ast.dump(definition)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]


def _names(node: ast.AST) -> list[ast.Name]:
    return [found for found in ast.walk(node) if isinstance(found, ast.Name)]


def _globals(node: ast.AST) -> set[str]:
    return {n for found in ast.walk(node) if isinstance(found, ast.Global) for n in found.names}


def defined_names(tree: ast.Module) -> set[str]:
    """Return the names of the functions and classes at the top level of a file."""
    return {node.name for node in tree.body if isinstance(node, _Definition)}


def kept_records(tree: ast.Module, may_change: frozenset[str]) -> set[str]:
    """Return `main` and the names of lists, sets and dictionaries, but for those that the free parts use.

    They are the exercise's records, by which it judges.
    """
    variables = {"main"}
    used: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            if isinstance(node.value, ast.List | ast.Set | ast.Dict):
                variables |= {n.id for n in _names(node) if isinstance(n.ctx, ast.Store)}
        elif isinstance(node, _Definition):
            members = node.body if isinstance(node, ast.ClassDef) else []
            free = [m for m in members if f"{node.name}.{getattr(m, 'name', '')}" in may_change]
            for part in [node] if node.name in may_change else free:
                used |= {name.id for name in _names(part)}
        elif MAIN in may_change:
            used |= {name.id for name in _names(node)}
    return variables - used


def kept_names(exercise: str, may_change: frozenset[str]) -> frozenset[str]:
    """Return the names of the functions, classes and methods ("Class.method") that are to be kept."""
    found = set()
    for node in ast.parse(exercise).body:
        if not isinstance(node, _Definition) or node.name in may_change:
            continue
        if not isinstance(node, ast.ClassDef):
            found.add(node.name)
            continue
        members = {m.name for m in node.body if isinstance(m, _Definition)}
        found |= {f"{node.name}.{m}" for m in members if f"{node.name}.{m}" not in may_change}
    return frozenset(found)

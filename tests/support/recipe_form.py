"""What a recipe's file must look like; the tests apply it to every recipe.

`violations(path)` reads one file with `ast`, imports nothing, and returns one sentence for each
rule that the file breaks. By hand: `python tests/support/recipe_form.py recipes/ch02_threads/*.py`.
"""

from __future__ import annotations

import ast
import re
import sys
import tokenize
from pathlib import Path

SECTIONS = ("Problem", "Solution", "How it works", "Pitfalls", "Cost", "See also")
FAILURE_KINDS = {
    "assertion",
    "exception",
    "deadlock",
    "livelock",
    "data-race",
    "leaked-task",
    "step-limit",
    "unsupported",
}
MAX_CODE_LINES = 60
"""Lines of the recipe itself: no docstrings, comments or blank lines, and no pitfalls."""
MAX_CODE_LINES_WITH_PITFALLS = 90
MAX_TITLE_LENGTH = 80
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def violations(path: Path) -> list[str]:
    """Return what is wrong with the form of the recipe at `path`, a sentence for each fault."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source, filename=str(path))
    return [
        *name_faults(path),
        *_docstring_faults(ast.get_docstring(tree) or ""),
        *import_faults(tree),
        *_function_faults(tree),
        *_size_faults(path, tree),
    ]


def name_faults(path: Path) -> list[str]:
    match = re.fullmatch(r"\d\d_([a-z][a-z0-9_]*)", path.stem)
    if match is None:
        return [f"the name {path.name!r} is not NN_words.py"]
    if match[1] in sys.stdlib_module_names:
        return [f"{match[1]!r} is a module of the standard library, which a copy would hide"]
    return []


def _docstring_faults(docstring: str) -> list[str]:
    title, _, rest = docstring.partition("\n")
    faults = []
    if not title.endswith(".") or len(title) > MAX_TITLE_LENGTH:
        faults.append(f"the title must be one sentence of at most {MAX_TITLE_LENGTH}: {title!r}")
    found = re.findall(r"^([A-Z][\w ]*)\n-+$", rest, flags=re.MULTILINE)
    if tuple(found) != SECTIONS:
        faults.append(f"the sections are {found}, not {list(SECTIONS)}")
    faults += [
        f"section {name!r} is empty"
        for name, body in re.findall(
            r"^([A-Z][\w ]*)\n-+\n(.*?)(?=^\w[\w ]*\n-+$|\Z)", rest, re.MULTILINE | re.DOTALL
        )
        if not body.strip()
    ]
    return faults


def import_faults(tree: ast.Module) -> list[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or ".").partition(".")[0])
    return [
        f"it imports {name!r}, which is not in the standard library"
        for name in sorted(names - set(sys.stdlib_module_names))
    ]


def _function_faults(tree: ast.Module) -> list[str]:
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    faults = []
    main = functions.get("main")
    if main is None:
        faults.append("there is no main()")
    else:
        if not callable_without_arguments(main):
            faults.append("main() cannot be called without an argument")
        if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
            faults.append("nothing is asserted")
    if not ends_with_main_guard(tree):
        faults.append("it does not end with `if __name__ == '__main__':`")
    docstring = ast.get_docstring(tree) or ""
    for name, function in functions.items():
        if name.startswith("pitfall_"):
            faults += _pitfall_faults(function, docstring)
    return faults


def _pitfall_faults(function: ast.FunctionDef, docstring: str) -> list[str]:
    faults = []
    if not callable_without_arguments(function):
        faults.append(f"{function.name}() cannot be called without an argument")
    kinds = re.findall(r"^Fails: (\S+)$", ast.get_docstring(function) or "", flags=re.MULTILINE)
    if len(kinds) != 1 or kinds[0] not in FAILURE_KINDS:
        faults.append(f"{function.name}() must say once `Fails: <kind>`; it says {kinds}")
    if f"`{function.name}`" not in docstring:
        faults.append(f"the section Pitfalls does not explain `{function.name}`")
    return faults


def callable_without_arguments(function: ast.FunctionDef) -> bool:
    spec = function.args
    required = len(spec.posonlyargs) + len(spec.args) - len(spec.defaults)
    return required == 0 and all(default is not None for default in spec.kw_defaults)


def ends_with_main_guard(tree: ast.Module) -> bool:
    last = tree.body[-1]
    return isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'"


def _size_faults(path: Path, tree: ast.Module) -> list[str]:
    total = code_lines(path, tree)
    pitfalls: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("pitfall_"):
            pitfalls |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    own = len(total - pitfalls)
    faults = []
    if own > MAX_CODE_LINES:
        faults.append(f"{own} lines of code without the pitfalls; {MAX_CODE_LINES} at most")
    if len(total) > MAX_CODE_LINES_WITH_PITFALLS:
        faults.append(
            f"{len(total)} lines of code with the pitfalls; {MAX_CODE_LINES_WITH_PITFALLS} at most"
        )
    return faults


def code_lines(path: Path, tree: ast.Module) -> set[int]:
    """Return the numbers of the lines that hold code: no docstring, comment or blank line."""
    with tokenize.open(path) as file:
        lines = {
            number
            for token in tokenize.generate_tokens(file.readline)
            if token.type not in NOT_CODE
            for number in range(token.start[0], token.end[0] + 1)
        }
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return lines


if __name__ == "__main__":
    broken = False
    for argument in sys.argv[1:]:
        for fault in violations(Path(argument)):
            broken = True
            print(f"{argument}: {fault}")  # noqa: T201 - a command's output
    sys.exit(broken)

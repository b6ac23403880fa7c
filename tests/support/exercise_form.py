"""What exercises, solutions, wrong answers and hints must look like, and what they say of themselves.

`violations(path)` reads one file of the three trees, imports nothing, and returns one sentence for
each rule that it breaks. By hand: `python tests/support/exercise_form.py exercises/*/*.py`.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from parallel_cookbook.practice.exercises import (
    docstring_of,
    facts_in,
    names_to_change,
    sections,
)
from parallel_cookbook.practice.kept_parts import MAIN, kept_names
from recipe_form import (
    FAILURE_KINDS,
    MAX_TITLE_LENGTH,
    callable_without_arguments,
    code_lines,
    ends_with_main_guard,
    import_faults,
    name_faults,
)

ROOT = Path(__file__).parent.parent.parent
EXERCISES, SOLUTIONS, WRONG = ROOT / "exercises", ROOT / "solutions", ROOT / "wrong"
GRADERS_KINDS = {"not-concurrent", "harness-changed", "busy-wait", "not-run"}
"""Why an answer may be rejected besides the kinds of failure that a check finds."""
MAX_CODE_LINES = 60
FACTS = {"Fails", "Races", "Busy-wait", "Also", "Calls", "Elsewhere", "Together", "Run"}
"""What an exercise says of itself: see exercises/README.md."""


def fact(path: Path, name: str) -> str:
    """Return what the docstring of a file says on its line `name: …`; empty if there is no such line."""
    return facts_in(docstring_of(path.read_text(encoding="utf-8"))).get(name, "")


def violations(path: Path) -> list[str]:
    """Return what is wrong with the form of the file at `path`, a sentence for each fault."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    docstring = ast.get_docstring(tree) or ""
    title = docstring.partition("\n")[0]
    faults = import_faults(tree)
    if not title.endswith(".") or len(title) > MAX_TITLE_LENGTH + 20:
        faults.append(f"the first line must be one short sentence: {title!r}")
    if path.is_relative_to(WRONG):
        faults += _wrong_answer_faults(path, docstring)
    elif path.is_relative_to(SOLUTIONS):
        faults += name_faults(path) + _section_faults(docstring, ["Why it is right"])
    else:
        faults += name_faults(path) + _exercise_faults(path, tree, docstring)
    return faults


def _section_faults(docstring: str, expected: list[str]) -> list[str]:
    found = sections(docstring)
    faults = [f"section {name!r} is empty" for name, text in found.items() if not text.strip()]
    if list(found) != expected:
        faults.append(f"the sections are {list(found)}, not {expected}")
    return faults


def _exercise_faults(path: Path, tree: ast.Module, docstring: str) -> list[str]:
    faults = _section_faults(docstring, ["What must hold", "What you may change"])
    if fact(path, "Fails") not in FAILURE_KINDS:
        faults.append(f"it must say `Fails: <kind>`; it says {fact(path, 'Fails')!r}")
    faults += _fact_faults(path, docstring)
    names = names_to_change(docstring)
    faults += [
        f"`{name}` may be changed, but is not there" for name in names - _defined(tree) - {MAIN}
    ]
    if not names:
        faults.append("nothing may be changed")
    main = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main"), None)
    if main is None or not callable_without_arguments(main):
        faults.append("there is no main() that can be called without an argument")
    if MAIN not in names and not ends_with_main_guard(tree):
        faults.append("it does not end with `if __name__ == '__main__':`")
    if path.read_text(encoding="utf-8").count("# TODO: ") != 1:
        faults.append("there must be one TODO")
    if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        faults.append("nothing is asserted")
    if len(code_lines(path, tree)) > MAX_CODE_LINES:
        faults.append(f"{len(code_lines(path, tree))} lines of code; {MAX_CODE_LINES} at most")
    return faults


def _fact_faults(path: Path, docstring: str) -> list[str]:
    facts = facts_in(docstring)
    faults = [f"nobody reads the line `{name}: …`" for name in facts.keys() - FACTS]
    for name, value in (("Races", "error"), ("Busy-wait", "rejected"), ("Run", "for real")):
        if facts.get(name, value) != value:
            faults.append(f"the line `{name}: {value}` is the only one of its kind")
    kept = kept_names(path.read_text(encoding="utf-8"), names_to_change(docstring))
    counted, _, times = facts.get("Calls", "").partition(" ")
    faults += [
        f"`{name}` is no function that is to be kept"
        for name in (counted, facts.get("Together"), facts.get("Elsewhere"))
        if name and name not in kept
    ]
    if counted and not times.isdigit():
        faults.append(f"how often is `{counted}` to be called? it says {times!r}")
    for call in filter(None, facts.get("Also", "").split(";")):
        node = ast.parse(call.strip(), mode="eval").body
        if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "main"):
            faults.append(f"{call!r} is no call of main")
    return faults


def _wrong_answer_faults(path: Path, docstring: str) -> list[str]:
    faults = []
    if re.fullmatch(r"[a-z][a-z0-9_]*", path.stem) is None:
        faults.append(f"the name {path.name!r} is not words_like_these.py")
    if fact(path, "Rejected") not in FAILURE_KINDS | GRADERS_KINDS:
        faults.append(f"it must say `Rejected: <kind>`; it says {fact(path, 'Rejected')!r}")
    line = fact(path, "Line")
    if line and line not in path.read_text(encoding="utf-8").replace(f"Line: {line}\n", ""):
        faults.append(f"no line of it reads {line!r}")
    if not docstring.partition("\n\n")[2].partition("Rejected:")[0].strip():
        faults.append("it must say what is wrong about it")
    return faults


def _defined(tree: ast.Module) -> set[str]:
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{m.name}" for m in node.body if isinstance(m, ast.FunctionDef)}
    return names


if __name__ == "__main__":
    broken = False
    for argument in sys.argv[1:]:
        for fault in violations(Path(argument).resolve()):
            broken = True
            print(f"{argument}: {fault}")  # noqa: T201 - a command's output
    sys.exit(broken)

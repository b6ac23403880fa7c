"""What exercises, solutions, wrong answers and hints must look like, and what they say of themselves.

`violations(path)` reads one file of the three trees, imports nothing, and returns one sentence for
each rule that it breaks. By hand: `python tests/support/exercise_form.py exercises/*/*.py`.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from parallel_cookbook.practice.kept_parts import MAIN
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
GRADERS_KINDS = {"not-concurrent", "harness-changed", "busy-wait"}
"""Why an answer may be rejected besides the kinds of failure that a check finds."""
HINTS = ("A nudge", "Where to look", "The idea")
MAX_CODE_LINES = 60


@dataclass(frozen=True)
class Exercise:
    """An exercise, and the files that belong to it."""

    path: Path

    @property
    def id(self) -> str:
        """Its place in each of the trees: `chNN_topic/NN_slug`."""
        return self.path.relative_to(EXERCISES).with_suffix("").as_posix()

    @property
    def source(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @property
    def solution(self) -> Path:
        """The file that passes."""
        return SOLUTIONS / f"{self.id}.py"

    @property
    def hints(self) -> Path:
        """Three hints, from a nudge to the idea."""
        return EXERCISES / f"{self.id}.hints.md"

    @property
    def wrong_answers(self) -> list[Path]:
        """Answers that must be rejected."""
        return sorted((WRONG / self.id).glob("*.py"))

    @property
    def may_change(self) -> frozenset[str]:
        """What an answer may change: see `kept_parts`."""
        return names_to_change(docstring_of(self.path))

    @property
    def races(self) -> str:
        """How the check is to take data races."""
        return fact(self.path, "Races") or "warn"

    @property
    def uses_processes(self) -> bool:
        """Whether it is about processes."""
        return "multiprocessing" in self.source


def all_exercises() -> list[Exercise]:
    """Return the exercises in the order of the book."""
    return [Exercise(path) for path in sorted(EXERCISES.glob("ch[0-9][0-9]_*/[0-9][0-9]_*.py"))]


def docstring_of(path: Path) -> str:
    """Return the docstring of the module at `path`; empty if there is none."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def fact(path: Path, name: str) -> str:
    """Return what the docstring says on its line `name: …`; empty if there is no such line."""
    match = re.search(rf"^{name}: (.+)$", docstring_of(path), flags=re.MULTILINE)
    return match[1] if match else ""


def names_to_change(docstring: str) -> frozenset[str]:
    """Return the names between backticks in the section "What you may change"."""
    return frozenset(re.findall(r"`([\w.]+)`", sections(docstring).get("What you may change", "")))


def sections(docstring: str) -> dict[str, str]:
    """Return the underlined sections of a docstring: title and text."""
    pieces = re.split(r"^([A-Z][\w ]*)\n-+\n", docstring, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def hints_in(text: str) -> dict[str, str]:
    """Return the hints of a file of hints, by their headings."""
    pieces = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return {title: body.strip() for title, body in zip(pieces[1::2], pieces[2::2], strict=True)}


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
    if fact(path, "Races") not in {"", "error"}:
        faults.append("the line `Races: error` is the only one of its kind")
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

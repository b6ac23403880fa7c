"""Runs one of the interpreter's own test modules, as it is or rewritten, and prints the outcomes.

By hand: `python tests/support/language_runner.py test_scope rewritten [--verbose]`. The module
is read from the installed interpreter's `test` package and executed in this process; source that
it gives to `exec`, and the examples of its doctests, are rewritten too. The last line of the
output is a JSON object: outcome by test.
"""

from __future__ import annotations

import builtins
import doctest
import importlib.util
import json
import re
import sys
import unittest
import warnings
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parallel_cookbook.instrument import SiteTable, null_hooks, rewrite

# unittest's names are its own; this module is a script.
# ruff: noqa: N802, T201

if TYPE_CHECKING:
    from types import CodeType, ModuleType

SITES = SiteTable()
_KNOWN_BUILTINS = (builtins, vars(builtins))


class Outcomes(unittest.TestResult):
    """Notes the outcome of every test; that of a failing subtest is its test's."""

    def __init__(self) -> None:
        super().__init__()
        self.by_test: dict[str, str] = {}
        self.reports: list[str] = []

    def startTest(self, test: unittest.TestCase) -> None:
        """Assume that the test passes."""
        super().startTest(test)
        self.by_test[_name(test)] = "passed"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        """Note a skip; a class that is skipped as a whole was never started."""
        super().addSkip(test, reason)
        self.by_test[_name(test)] = "skipped"

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401
        """Note an expected failure."""
        super().addExpectedFailure(test, err)
        self.by_test[_name(test)] = "failed as expected"

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        """Note an unexpected success."""
        super().addUnexpectedSuccess(test)
        self.by_test[_name(test)] = "passed unexpectedly"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401
        """Note a failed assertion, or example."""
        super().addFailure(test, err)
        self._note(test, "failed", self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401
        """Note an exception."""
        super().addError(test, err)
        self._note(test, "error", self.errors[-1][1])

    def addSubTest(
        self,
        test: unittest.TestCase,
        subtest: unittest.TestCase,
        err: Any,  # noqa: ANN401
    ) -> None:
        """Note a failed subtest."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed", "".join(map(str, err)))

    def _note(self, test: unittest.TestCase, outcome: str, report: str) -> None:
        self.by_test[_name(test)] = outcome
        self.reports.append(f"{_name(test)}: {outcome}\n{report}")


def _name(test: unittest.TestCase) -> str:
    # A class that could not be set up is called "setUpClass (test.test_x.Class)".
    return re.sub(r" at 0x\w+", "", test.id()).removeprefix("test.")


def load(name: str, *, is_rewritten: bool) -> ModuleType:
    """Execute the test module of that name and return it."""
    package = importlib.util.find_spec("test")
    assert package is not None
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0])
    path = folder / f"{name}.py"
    if not path.exists():
        path = folder / name / "__init__.py"
    full_name = f"test.{name}"
    loader = SourceFileLoader(full_name, str(path))
    spec = importlib.util.spec_from_file_location(full_name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = module
    source = path.read_bytes()
    if is_rewritten:
        vars(builtins).update(null_hooks())
        doctest.compile = _compile_example  # type: ignore[attr-defined]
        code = rewrite(source, str(path), SITES)
        if b"from __future__" not in source:
            vars(module)["exec"] = _exec_rewritten
    else:
        code = compile(source, str(path), "exec", dont_inherit=True)
    exec(code, vars(module))  # noqa: S102 - this is how a module is loaded
    return module


def _compile_example(
    source: str, filename: str, mode: str, flags: int = 0, dont_inherit: int = 1
) -> CodeType:
    if mode == "single" and flags == 0:
        return rewrite(source, filename, SITES, mode="single")
    code: CodeType = compile(source, filename, mode, flags, bool(dont_inherit))
    return code


def _exec_rewritten(source: Any, *namespaces: Any, **named: Any) -> None:  # noqa: ANN401
    if not namespaces and "globals" not in named:
        caller = sys._getframe(1)
        namespaces = (caller.f_globals, caller.f_locals)
    scope = namespaces[0] if namespaces else named["globals"]
    if isinstance(source, str | bytes) and (
        # A namespace with built-ins of its own has no hooks.
        not isinstance(scope, dict) or scope.get("__builtins__", builtins) in _KNOWN_BUILTINS
    ):
        source = rewrite(source, "<string>", SITES)
    exec(source, *namespaces, **named)  # noqa: S102 - it stands for exec


def main() -> None:
    """Run the tests and print their outcomes."""
    name, how, *options = sys.argv[1:]
    warnings.simplefilter("default")
    module = load(name, is_rewritten=how == "rewritten")
    outcomes = Outcomes()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(outcomes)
    assert len(SITES) > 0 or how == "plain", "nothing was rewritten"
    if options:
        print(*outcomes.reports, sep="\n", file=sys.stderr)
    sys.stdout.flush()
    print(f"\n{json.dumps(outcomes.by_test)}", flush=True)


if __name__ == "__main__":
    main()

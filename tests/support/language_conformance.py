"""Which of CPython's own tests of the language are run on rewritten code, and which differ, and why.

The modules are the installed interpreter's (its `test` package), executed as they are and
rewritten with null hooks, each in a process of its own. Every difference is listed in `EXCEPTED`
with its reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

RUNNER = Path(__file__).with_name("language_runner.py")
SOURCES = Path(__file__).parents[2] / "src"

MODULES = [
    "test_grammar",
    "test_scope",
    "test_listcomps",
    "test_setcomps",
    "test_dictcomps",
    "test_genexps",
    "test_generators",
    "test_generator_stop",
    "test_yield_from",
    "test_coroutines",
    "test_asyncgen",
    "test_with",
    "test_contextlib",
    "test_patma",
    "test_unpack",
    "test_unpack_ex",
    "test_dataclasses",
    "test_named_expressions",
    "test_augassign",
    "test_class",
    "test_metaclass",
    "test_descr",
    "test_super",
    "test_subclassinit",
    "test_property",
    "test_decorators",
    "test_exceptions",
    "test_except_star",
    "test_exception_variations",
    "test_exception_group",
    "test_raise",
    "test_funcattrs",
    "test_fstring",
    "test_string_literals",
    "test_keywordonlyarg",
    "test_positional_only_arg",
    "test_extcall",
    "test_compare",
    "test_contains",
    "test_iter",
    "test_slice",
    "test_global",
    "test_dynamic",
    "test_opcodes",
    "test_operator",
    "test_builtin",
    "test_typing",
    "test_type_params",
    "test_type_aliases",
    "test_type_annotations",
    "test_genericclass",
    "test_genericalias",
    "test_enum",
    "test_functools",
    "test_collections",
    "test_itertools",
    "test_copy",
    "test_weakref",
    "test_syntax",
    "test_inspect",
    "test_traceback",
]

FREE_NAMES = "the test looks at co_freevars or __closure__, where a hidden name stands"
HOOK_FRAME = "the test compares a traceback, or a warning's line, where a hook's frame stands"
HOOKS_IN_BUILTINS = "the test goes through all names in builtins, where this runner puts the hooks"
EXEC = "the test calls exec, which this runner replaces"

EXCEPTED: dict[str, dict[str, str]] = {
    "test_dataclasses": {"*test_field_named_like_builtin*": HOOKS_IN_BUILTINS},
    "test_funcattrs": {
        "*CellTest.test_comparison": FREE_NAMES,
        "*test_empty_cell": FREE_NAMES,
    },
    "test_builtin": {"*test_exec_closure": FREE_NAMES},
    "test_traceback": {
        "*CaretTests.test_*": HOOK_FRAME,
    },
}
"""Pattern of the test's name: reason, by module; for every version."""

EXCEPTED_SINCE_3_13: dict[str, dict[str, str]] = {
    "test_typing": {"*test_collect_parameters": HOOK_FRAME},
    "test_functools": {"*test_partial_as_method": HOOK_FRAME},
    "test_builtin": {"*test_exec_kwargs": EXEC},
    "test_inspect": {"*test_builtins_have_signatures": HOOKS_IN_BUILTINS},
    "test_traceback": {
        "*test_summary_should_show_carets": EXEC,
        "*test_getattr_suggestions_underscored": HOOK_FRAME,
    },
}
"""The same, for 3.13 and later."""


def excepted(module: str) -> dict[str, str]:
    """Return pattern and reason of what may differ in `module` on this version."""
    newer = EXCEPTED_SINCE_3_13.get(module, {}) if sys.version_info >= (3, 13) else {}
    return {**EXCEPTED.get(module, {}), **newer}


def outcomes(module: str, how: str) -> dict[str, str]:
    """Return the outcome of each test of `module`, executed "plain" or "rewritten"."""
    search = [str(SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, str(RUNNER), module, how],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def exists(module: str) -> bool:
    """Whether this interpreter has the test module."""
    try:
        return find_spec(f"test.{module}") is not None
    except ImportError:
        return False


@dataclass(frozen=True)
class Comparison:
    """A test module's outcomes as it is and rewritten."""

    tests: int
    unlisted: dict[str, tuple[str | None, str | None]]
    """Differences that no pattern lists: the test's outcome as it is, and rewritten."""
    excepted: dict[str, int]
    """How many tests differ, by the pattern that lists them."""


def compare(module: str) -> Comparison:
    """Run `module` both ways, in the present folder, where its tests may leave files."""
    plain, rewritten = outcomes(module, "plain"), outcomes(module, "rewritten")
    unlisted = {}
    patterns = dict.fromkeys(excepted(module), 0)
    for name in plain.keys() | rewritten.keys():
        before, after = plain.get(name), rewritten.get(name)
        if before == after:
            continue
        pattern = next((one for one in patterns if fnmatch(name, one)), None)
        if pattern is None:
            unlisted[name] = before, after
        else:
            patterns[pattern] += 1
    return Comparison(len(plain), unlisted, patterns)

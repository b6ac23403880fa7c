"""pytest's part: `@pytest.mark.interleavings` runs a test under every interleaving of its threads.

pytest collects the test, sets up and reports, as for any other. Only the call of the test function is
another: its module is loaded anew for each execution, the project's function-scoped fixtures are made
anew, and what else the test is given is copied. A failure is raised as the shortest counterexample raised
it, with its traceback, so that all of pytest's that looks at exceptions works: --tb, -l, --pdb, xfail.

Nothing but this file is imported until a marked test runs.
"""

from __future__ import annotations

import inspect
import unittest
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

MARK = "interleavings"
_OPTIONS = frozenset(
    [
        "strategy",
        "max_seconds",
        "max_executions",
        "max_steps",
        "seed",
        "races",
        "include",
        "unknown",
    ]
)
_UNKNOWN = ("fail", "skip", "pass")
_MADE_INSIDE = object()
"""The value, outside of the executions, of a fixture that each execution makes itself."""
_COUNT, _VERDICT = "interleavings", "interleavings_verdict"
COUNTEREXAMPLE = pytest.StashKey[str]()
"""What is shown below a failure."""


class InterleavingsWarning(UserWarning):
    """Something dangerous that did no harm in any execution: a data race, locks in opposite order."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line, and of the configuration file."""
    group = parser.getgroup("cookbook", "tests under every interleaving of their threads")
    group.addoption(
        "--cookbook-replay",
        metavar="SCHEDULE",
        help="Run one marked test under this schedule only; with --pdb, to debug it.",
    )
    group.addoption(
        "--cookbook-max-seconds",
        type=float,
        metavar="SECONDS",
        help="How long to search at the most, for each marked test; 0: no limit. Overrides the marks.",
    )
    group.addoption(
        "--cookbook-trace",
        action="store_true",
        help="Record what the tests do for real into .cookbook_trace; `cookbook trace --from` shows it.",
    )
    parser.addini("cookbook_max_seconds", "How long to search, for each marked test.", default="60")
    parser.addini(
        "cookbook_unknown",
        "What becomes of a test whose interleavings could not all be explored: fail, skip or pass.",
        default="fail",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and look at the options."""
    config.addinivalue_line(
        "markers",
        f"{MARK}({', '.join(sorted(_OPTIONS))}): run the test under every interleaving of its threads.",
    )
    _check_unknown(config.getini("cookbook_unknown"), "the ini option cookbook_unknown")
    if config.getoption("cookbook_trace"):
        from parallel_cookbook.pytest_plugin.tracing import Tracing  # noqa: PLC0415 - as below

        config.pluginmanager.register(Tracing(config), "cookbook_tracing")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """See to it that a schedule is replayed in the one test that it belongs to."""
    if config.getoption("cookbook_replay") is None:
        return
    marked = [item for item in items if item.get_closest_marker(MARK)]
    if len(marked) != 1:
        raise pytest.UsageError(
            f"--cookbook-replay is for one test marked with {MARK}, and {len(marked)} are selected: "
            "name the one test, as the line `replay:` of the failure does"
        )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse marked tests that are not called as functions: their mark would do nothing."""
    if item.get_closest_marker(MARK) is None:
        return
    cls = getattr(item, "cls", None)
    function = getattr(item, "obj", None)
    if not isinstance(item, pytest.Function):
        reason = "is no function"
    elif isinstance(cls, type) and issubclass(cls, unittest.TestCase):
        reason = (
            "is a method of a unittest.TestCase; make it a function, or a method of a plain class"
        )
    elif inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        reason = "is asynchronous, and the steps of an event loop are not explored"
    else:
        return
    pytest.fail(f"@pytest.mark.{MARK}: {item.name} {reason}", pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> object | None:
    """Do not make what each execution of a marked test makes itself.

    Otherwise what such a fixture does after its `yield` would look at something that no test has used.
    """
    if fixturedef.scope != "function" or request.node.get_closest_marker(MARK) is None:
        return None
    from parallel_cookbook.pytest_plugin.fixtures import is_made_inside  # noqa: PLC0415 - as below

    if not is_made_inside(request.node, fixturedef):
        return None
    key = fixturedef.cache_key(request)  # type: ignore[arg-type] # it is a SubRequest, which is private
    fixturedef.cached_result = (_MADE_INSIDE, key, None)
    return _MADE_INSIDE


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a marked test under every interleaving; leave the others to pytest."""
    __tracebackhide__ = True
    if pyfuncitem.get_closest_marker(MARK) is None:
        return None
    options = _options_of(pyfuncitem)
    from parallel_cookbook.pytest_plugin.running import run  # noqa: PLC0415 - only marked tests need it

    run(pyfuncitem, options)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the counterexample below the failure."""
    report = yield
    text = item.stash.get(COUNTEREXAMPLE, None)
    add = getattr(report.longrepr, "addsection", None)
    if call.when == "call" and text and add is not None:
        add("how it comes about", text)
    return report


def pytest_report_teststatus(report: Any) -> tuple[str, str, object] | None:  # noqa: ANN401 - of either kind
    """Say with -v how many interleavings a test has passed."""
    known = dict(getattr(report, "user_properties", ()))
    if _COUNT not in known or not report.passed or report.when != "call":
        return None
    if hasattr(report, "wasxfail"):
        return None
    count = known[_COUNT]
    word = f"PASSED ({count} interleaving{'s' * (count != 1)}{_LIMITS.get(known[_VERDICT], '')})"
    return "passed", ".", (word, {"green": True})


_LIMITS = {"unknown": ", not all", "replayed": ", replayed"}


def record(item: pytest.Item, count: int, verdict: str) -> None:
    """Note down how much was explored, for the reports."""
    item.user_properties += [(_COUNT, count), (_VERDICT, verdict)]


def _options_of(item: pytest.Item) -> dict[str, Any]:
    """Return the options of the mark, of the command line and of the configuration file."""
    options: dict[str, Any] = {
        "max_seconds": float(item.config.getini("cookbook_max_seconds")),
        "unknown": item.config.getini("cookbook_unknown"),
    }
    for mark in reversed(list(item.iter_markers(MARK))):
        wrong = [repr(argument) for argument in mark.args] + sorted(set(mark.kwargs) - _OPTIONS)
        if wrong:
            known = ", ".join(f"{name}=" for name in sorted(_OPTIONS))
            pytest.fail(
                f"@pytest.mark.{MARK} does not know {', '.join(wrong)}; it knows {known}",
                pytrace=False,
            )
        options |= mark.kwargs
    given = item.config.getoption("cookbook_max_seconds")
    if given is not None:
        options["max_seconds"] = given
    try:
        _check_unknown(options["unknown"], f"@pytest.mark.{MARK}(unknown=…)")
    except pytest.UsageError as error:
        pytest.fail(str(error), pytrace=False)
    return options


def _check_unknown(value: object, where: str) -> None:
    if value not in _UNKNOWN:
        raise pytest.UsageError(f"{where} is {value!r}; choose one of {', '.join(_UNKNOWN)}")

"""`@pytest.mark.interleavings`, as a project of its own sees it: each test runs pytest in a process."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, TypeAlias
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]
Run: TypeAlias = "Callable[..., pytest.RunResult]"

HEAD = """
import threading
import pytest

class Account:
    def __init__(self, balance=0):
        self.balance = balance
        self.lock = threading.Lock()
    def deposit(self, amount):
        self.balance += amount
    def deposit_safely(self, amount):
        with self.lock:
            self.balance += amount

def both(function, *arguments):
    threads = [threading.Thread(target=function, args=arguments) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

"""
RACY = """
@pytest.mark.interleavings
def test_deposits():
    account = Account()
    both(account.deposit, 10)
    assert account.balance == 20
"""
SAFE = RACY.replace(".deposit,", ".deposit_safely,").replace("test_deposits", "test_safe")


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Return a function that runs pytest on one file with the head above, and the text given."""

    def run_pytest(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=HEAD + dedent(source))
        return pytester.runpytest_subprocess("-p", "no:randomly", "--color=no", *arguments)

    return run_pytest


def text_of(result: pytest.RunResult) -> str:
    return result.stdout.str()


def replay_arguments(result: pytest.RunResult) -> list[str]:
    """Return what the line `replay:` of a failure says to call pytest with."""
    found = re.search(
        r"^replay: pytest (\S+) (--cookbook-replay) (\S+)$", text_of(result), re.MULTILINE
    )
    assert found is not None, text_of(result)
    return [found[1].strip("'"), found[2], found[3]]


# --- verdicts -----------------------------------------------------------------------------------


def test_a_test_that_holds_under_all_interleavings_passes(run: Run) -> None:
    """With -v, the result says how many there were."""
    result = run(SAFE, "-v")
    result.assert_outcomes(passed=1)
    assert "test_safe PASSED (2 interleavings)" in text_of(result)


def test_a_failure_reads_as_pytest_users_expect(run: Run) -> None:
    """The line, what was compared, the interleaving, and how to see it again, in this order."""
    result = run(RACY)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*assert account.balance == 20",
            "E*assert 10 == 20",
            "E*where 10 = <test_it.Account object at *>.balance",
            "test_it.py:*: AssertionError",
            "*how it comes about*",
            "*Thread-1 (deposit)*Thread-2 (deposit)*",
            "*A lost update*",
            "replay: pytest test_it.py::test_deposits --cookbook-replay 1-*",
            "FAILED test_it.py::test_deposits - assert 10 == 20",
        ]
    )


def test_an_unmarked_test_is_left_alone(run: Run) -> None:
    """It runs once, with real threads."""
    result = run("def test_it():\n    assert type(threading.Lock()).__module__ == '_thread'\n")
    result.assert_outcomes(passed=1)


def test_a_deadlock_fails_without_a_traceback(run: Run) -> None:
    """Nothing was raised, so the message and the interleaving are all there is."""
    result = run(
        """
        @pytest.mark.interleavings
        def test_it():
            a, b = threading.Lock(), threading.Lock()
            def one():
                with a, b: pass
            def two():
                with b, a: pass
            threads = [threading.Thread(target=work) for work in (one, two)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["deadlock: *", "*how it comes about*", "replay: *", "FAILED*deadlock*"]
    )
    assert "hidden" not in text_of(result)


def test_an_exception_in_a_thread_fails_the_test_where_it_was_raised(run: Run) -> None:
    """The traceback is the thread's."""
    result = run(
        """
        def work():
            raise ValueError("no such parcel")
        @pytest.mark.interleavings
        def test_it():
            both(work)
        """
    )
    result.stdout.fnmatch_lines(
        [">*raise ValueError*", "E*ValueError: no such parcel", "*: ValueError"]
    )


@pytest.mark.parametrize(
    ("mark", "outcome"),
    [
        ("max_executions=1", "failed"),
        ("max_executions=1, unknown='skip'", "skipped"),
        ("max_executions=1, unknown='pass'", "passed"),
    ],
)
def test_a_search_that_was_cut_short_is_no_proof(run: Run, mark: str, outcome: str) -> None:
    """It fails, and says what was covered, unless the mark says otherwise."""
    result = run(SAFE.replace("interleavings", f"interleavings({mark})"), "-v", "-rs")
    result.assert_outcomes(**{outcome: 1})
    said = "PASSED (1 interleaving, not all)" if outcome == "passed" else "not all are explored"
    assert said in text_of(result)


def test_the_configuration_file_says_what_becomes_of_an_unfinished_search(
    run: Run, pytester: pytest.Pytester
) -> None:
    """As the mark does, for all tests."""
    pytester.makeini("[pytest]\ncookbook_unknown = skip\ncookbook_max_seconds = 0.000001")
    run(SAFE).assert_outcomes(skipped=1)


def test_the_command_line_overrides_the_marks_seconds(run: Run) -> None:
    """So that a CI job can allow more, or less."""
    source = SAFE.replace("interleavings", "interleavings(max_seconds=60)")
    run(source, "--cookbook-max-seconds", "0.000001").assert_outcomes(failed=1)


def test_a_search_ends_before_pytest_timeout_would_end_it(run: Run) -> None:
    """So that the failure says what was covered, and not where the alarm struck."""
    result = run(
        """
        @pytest.mark.interleavings
        @pytest.mark.timeout(4, method="signal")
        def test_it():
            lock = threading.Lock()
            def work():
                for _ in range(9):
                    with lock: pass
            both(lambda: both(work))
        """
    )
    result.assert_outcomes(failed=1)
    assert "not all are explored; stopped at" in text_of(result)


def test_an_unsupported_call_fails_with_its_reason(run: Run) -> None:
    """What cannot be controlled proves nothing."""
    result = run(
        """
        import socket
        @pytest.mark.interleavings
        def test_it():
            socket.create_connection(("localhost", 1))
        """
    )
    result.assert_outcomes(failed=1)
    assert "unsupported" in text_of(result)
    assert "socket" in text_of(result)


def test_a_race_that_does_no_harm_is_a_warning(run: Run) -> None:
    """The test passes."""
    result = run(RACY.replace("== 20", "in {10, 20}"))
    result.assert_outcomes(passed=1, warnings=result.parseoutcomes()["warnings"])
    assert "InterleavingsWarning: data-race: self.balance" in text_of(result)


def test_races_can_be_errors(run: Run) -> None:
    """`races="error"` fails the test for a race that does no harm."""
    result = run(
        RACY.replace("== 20", "in {10, 20}").replace(
            "interleavings", "interleavings(races='error')"
        )
    )
    result.assert_outcomes(failed=1)
    assert "data-race" in text_of(result)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("pytest.skip('not here')", "skipped"),
        ("pytest.xfail('known')", "xfailed"),
        ("pytest.fail('on purpose')", "failed"),
    ],
)
def test_pytests_own_outcomes_mean_what_they_mean(run: Run, body: str, outcome: str) -> None:
    """Raised in the test, they decide it."""
    run(f"@pytest.mark.interleavings\ndef test_it():\n    {body}\n").assert_outcomes(**{outcome: 1})


def test_an_expected_failure_is_one(run: Run) -> None:
    """`xfail(raises=AssertionError)` sees the exception of the counterexample."""
    mark = "@pytest.mark.xfail(raises=AssertionError, strict=True)"
    run(f"{mark}\n{RACY.lstrip()}").assert_outcomes(xfailed=1)


def test_pytest_raises_works_inside(run: Run) -> None:
    """With exceptions of the test's own module too."""
    result = run(
        """
        class Refused(Exception): pass
        @pytest.mark.interleavings
        def test_it():
            with pytest.raises(Refused, match="no"):
                raise Refused("no")
        """
    )
    result.assert_outcomes(passed=1)


def test_the_difference_of_two_values_is_pytests(run: Run) -> None:
    """Hooks for it are asked, as for any other test."""
    result = run(
        """
        @pytest.mark.interleavings
        def test_it():
            seen = []
            def work(i):
                seen.append(i)
            threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert seen == [0, 1], "order"
        """
    )
    result.stdout.fnmatch_lines(
        ["E*AssertionError: order", "E*assert ?1, 0? == ?0, 1?", "E*At index 0 diff: 1 != 0"]
    )


# --- forms of tests -----------------------------------------------------------------------------


def test_each_parameter_set_is_a_check_of_its_own(run: Run) -> None:
    """Parameters are copied, lambdas are those of the execution, nothing leaks from one to the next."""
    result = run(
        """
        @pytest.mark.interleavings
        @pytest.mark.parametrize("amounts", [[1, 1], [2, 2]], ids=["ones", "twos"])
        @pytest.mark.parametrize("act", [
            lambda account, n: account.deposit_safely(n),
            lambda account, n: account.deposit(n),
        ], ids=["safe", "racy"])
        def test_it(act, amounts):
            account, expected = Account(), sum(amounts)
            def work():
                act(account, amounts.pop())
            both(work)
            assert account.balance == expected
            assert amounts == []
        """,
        "-v",
    )
    result.assert_outcomes(passed=2, failed=2)
    assert "test_it[safe-ones] PASSED" in text_of(result)
    assert "test_it[racy-twos] FAILED" in text_of(result)


def test_a_method_gets_a_new_instance_in_each_execution(run: Run) -> None:
    """And setup and teardown run in each, at every level."""
    result = run(
        """
        log = []
        def setup_module(module):
            log.append("module")
        def teardown_module():
            log.append("end")
        class TestAccount:
            count = 0
            def setup_class(cls):
                log.append("class")
            def setup_method(self, method):
                log.append(method.__name__)
                self.account = Account()
            def teardown_method(self):
                log.append("teardown")
                assert self.account.balance % 10 == 0
            @pytest.mark.interleavings
            def test_method(self):
                type(self).count += 1
                assert self.count == 1
                assert log == ["module", "class", "test_method"]
                both(self.account.deposit, 10)
                assert self.account.balance == 20
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*assert 10 == 20"])


def test_a_mark_on_a_class_marks_its_tests(run: Run) -> None:
    """The nearest mark's options win."""
    result = run(
        """
        @pytest.mark.interleavings(max_executions=1)
        class TestAccount:
            @pytest.mark.interleavings(unknown="skip")
            def test_method(self):
                both(Account().deposit_safely, 1)
        """
    )
    result.assert_outcomes(skipped=1)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("async def test_it(): pass", "asynchronous"),
        ("@pytest.mark.interleavings(depth=3)\ndef test_it(): pass", "does not know depth"),
        ("@pytest.mark.interleavings(3)\ndef test_it(): pass", "does not know 3"),
        ("@pytest.mark.interleavings(unknown='no')\ndef test_it(): pass", "unknown=…) is 'no'"),
        ("@pytest.mark.interleavings(strategy='luck')\ndef test_it(): pass", "strategy 'luck'"),
    ],
)
def test_a_wrong_use_of_the_mark_fails_with_its_reason(run: Run, source: str, reason: str) -> None:
    """It is never ignored."""
    result = run(f"@pytest.mark.interleavings\n{source}\n")
    assert result.ret == 1
    assert reason in text_of(result)
    assert "hidden" not in text_of(result)


def test_a_unittest_testcase_is_refused(run: Run) -> None:
    """Its methods are not called as functions, so that the mark would do nothing."""
    result = run(
        """
        import unittest
        class TestIt(unittest.TestCase):
            @pytest.mark.interleavings
            def test_it(self): pass
        """
    )
    assert result.ret == 1
    assert "unittest.TestCase" in text_of(result)


# --- fixtures -----------------------------------------------------------------------------------


def test_a_fixture_of_the_project_is_made_anew_in_each_execution(run: Run) -> None:
    """With its locks, its parameters, its own fixtures and its teardown."""
    result = run(
        """
        @pytest.fixture(params=[5, 7])
        def start(request):
            return request.param
        @pytest.fixture
        def account(start):
            account = Account(start)
            yield account
            assert account.balance != start
        @pytest.mark.interleavings
        def test_it(account, start):
            assert account.balance == start
            both(account.deposit_safely, 1)
            assert account.balance == start + 2
        """,
        "-v",
    )
    result.assert_outcomes(passed=2)
    assert "test_it[7] PASSED (2 interleavings)" in text_of(result)


def test_what_follows_a_fixtures_yield_is_part_of_the_test(run: Run) -> None:
    """It fails the test as the test itself would; pytest does not call the fixture a second time."""
    result = run(
        """
        @pytest.fixture
        def account():
            account = Account()
            yield account
            assert account.balance == 2
        @pytest.mark.interleavings
        def test_it(account):
            both(account.deposit, 1)
        """
    )
    result.assert_outcomes(failed=1, errors=0)
    result.stdout.fnmatch_lines(["E*assert 1 == 2"])


def test_fixtures_come_from_conftest_and_override_each_other(
    run: Run, pytester: pytest.Pytester
) -> None:
    """Also from two files named conftest, whose modules have one name."""
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef log():\n    return ['outer']\n")
    folder = pytester.mkdir("sub")
    (folder / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef log(log):\n    return [*log, 'inner']\n"
        "@pytest.fixture(autouse=True)\ndef automatic(log):\n    log.append('auto')\n"
    )
    (folder / "test_sub.py").write_text(
        "import pytest\n@pytest.mark.interleavings\ndef test_it(log):\n"
        "    log.append('test')\n    assert log == ['outer', 'inner', 'auto', 'test']\n"
    )
    run("").assert_outcomes(passed=1)


def test_a_fixture_may_be_a_method(run: Run) -> None:
    """It is called on the execution's instance."""
    result = run(
        """
        class TestIt:
            def setup_method(self):
                self.lock = threading.Lock()
            @pytest.fixture
            def lock(self):
                return self.lock
            @pytest.mark.interleavings
            def test_it(self, lock):
                assert lock is self.lock
                both(lambda: lock.acquire() and lock.release())
        """
    )
    result.assert_outcomes(passed=1)


def test_plain_data_of_wider_fixtures_is_copied(run: Run) -> None:
    """What one execution does to it, no other sees."""
    result = run(
        """
        @pytest.fixture(scope="session")
        def settings():
            return {"amounts": [1, 2]}
        @pytest.mark.interleavings
        def test_it(settings):
            def work():
                settings["amounts"].pop()
            both(work)
            assert settings == {"amounts": []}
        def test_after(settings):
            assert settings == {"amounts": [1, 2]}
        """
    )
    result.assert_outcomes(passed=2)


def test_a_wider_fixture_that_cannot_be_copied_is_refused(run: Run) -> None:
    """The message names it, and says why."""
    result = run(
        """
        @pytest.fixture(scope="module")
        def account():
            return Account()
        @pytest.mark.interleavings
        def test_it(account): pass
        """
    )
    result.assert_outcomes(failed=1)
    assert "the value of the module-scoped fixture 'account'" in text_of(result)
    assert "a real _thread.lock" in text_of(result)


def test_tmp_path_is_empty_at_the_beginning_of_each_execution(run: Run) -> None:
    """And the same folder, so that its name is no difference between executions."""
    result = run(
        """
        @pytest.mark.interleavings
        def test_it(tmp_path):
            assert list(tmp_path.iterdir()) == []
            def work():
                (tmp_path / "file").write_text("x")
            both(work)
            assert (tmp_path / "file").exists()
        """
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "name", ["monkeypatch", "capsys", "capfd", "caplog", "request", "recwarn", "tmp_path_factory"]
)
def test_a_fixture_about_the_real_process_is_refused(run: Run, name: str) -> None:
    """It would observe or change what no execution uses."""
    result = run(f"@pytest.mark.interleavings\ndef test_it({name}): pass\n")
    result.assert_outcomes(failed=1)
    assert name in text_of(result)


def test_a_fixture_that_looks_at_the_real_test_is_refused(run: Run) -> None:
    """Only `request.param` is there."""
    result = run(
        """
        @pytest.fixture
        def name(request):
            return request.node.name
        @pytest.mark.interleavings
        def test_it(name): pass
        """
    )
    result.assert_outcomes(failed=1)
    assert "request.node" in text_of(result)


# --- the program --------------------------------------------------------------------------------


def test_the_projects_own_packages_are_explored_too(run: Run, pytester: pytest.Pytester) -> None:
    """Wherever they lie below the root folder: the code under test is what matters."""
    pytester.makeini("[pytest]\npythonpath = src\n")
    package = pytester.mkdir("src") / "bank"
    package.mkdir()
    (package / "__init__.py").write_text("from bank.account import total, deposit\n")
    (package / "account.py").write_text(
        "import threading\nlock = threading.Lock()\ntotal = [0]\n"
        "def deposit():\n    n = total[0]\n    with lock:\n        total[0] = n + 1\n"
    )
    result = run(
        """
        import bank
        @pytest.mark.interleavings
        def test_it():
            both(bank.deposit)
            assert bank.total == [2]
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*assert ?1? == ?2?"])


def test_module_state_begins_anew(run: Run) -> None:
    """Neither executions nor other tests see what an execution did."""
    result = run(
        """
        counter = 0
        def work():
            global counter
            counter += 1
        @pytest.mark.interleavings
        def test_it():
            assert counter == 0
            both(work)
        def test_after():
            assert counter == 0
        """
    )
    result.assert_outcomes(passed=2)


# --- replay, and pytest's options ---------------------------------------------------------------


def test_a_schedule_can_be_replayed(run: Run, pytester: pytest.Pytester) -> None:
    """The line `replay:` is a command that shows the same failure, also after lines were added."""
    arguments = replay_arguments(run(RACY))
    again = pytester.runpytest_subprocess(*arguments)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["E*assert 10 == 20", "replay: *"])
    file = pytester.path / "test_it.py"
    file.write_text("# a comment\n\n" + file.read_text())
    pytester.runpytest_subprocess(*arguments).assert_outcomes(failed=1)


def test_the_schedule_of_another_program_is_refused(run: Run, pytester: pytest.Pytester) -> None:
    """It says which step does not fit."""
    arguments = replay_arguments(run(RACY))
    file = pytester.path / "test_it.py"
    file.write_text(file.read_text().replace("account.deposit, 10", "account.deposit_safely, 10"))
    result = pytester.runpytest_subprocess(*arguments)
    result.assert_outcomes(failed=1)
    assert "of the schedule" in text_of(result)


def test_a_schedule_is_for_one_test(run: Run) -> None:
    """With more tests selected it means nothing."""
    result = run(RACY + SAFE, "--cookbook-replay", "1--")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "2 are selected" in result.stderr.str()


def test_pdb_stops_where_the_counterexample_fails(run: Run, pytester: pytest.Pytester) -> None:
    """In the test's own line, with its variables."""
    arguments = replay_arguments(run(RACY))
    result = pytester.run(
        *(sys.executable, "-m", "pytest", "--pdb", *arguments),
        stdin=b"p 'balance is', account.balance\nq\n",
    )
    result.stdout.fnmatch_lines(
        [
            "> *test_it.py(*)test_deposits()",
            "-> assert account.balance == 20",
            "*('balance is', 10)*",
        ]
    )


def test_a_breakpoint_stops_in_a_replay(run: Run, pytester: pytest.Pytester) -> None:
    """And what the debugger prints is no step of the program."""
    arguments = replay_arguments(run(RACY))
    file = pytester.path / "test_it.py"
    file.write_text(
        file.read_text().replace(
            "    assert acc", "    breakpoint()\n    print('on')\n    assert acc"
        )
    )
    result = pytester.run(
        *(sys.executable, "-m", "pytest", *arguments), stdin=b"p account.balance + 1000\nc\n"
    )
    result.stdout.fnmatch_lines(
        ["> *test_it.py(*)test_deposits()", "*1010", "E*assert 10 == 20", "*Captured stdout*"]
    )


def test_a_breakpoint_is_refused_in_a_search(run: Run) -> None:
    """It would stop in each execution."""
    result = run("@pytest.mark.interleavings\ndef test_it():\n    breakpoint()\n")
    result.assert_outcomes(failed=1)
    assert "--cookbook-replay" in text_of(result)


def test_what_the_test_printed_is_shown(run: Run) -> None:
    """That of the counterexample, and not of all executions."""
    result = run(
        RACY + "    print('never')\n".replace("never", "x") + RACY.replace("test_", "test_b_")
    )
    assert result.ret == 1
    printed = run(RACY.replace("    both", "    print('once')\n    both"))
    assert text_of(printed).count("once\n") == 1


def test_xdist_reports_the_same(run: Run) -> None:
    """The counterexample, and the number of interleavings, come through from the workers."""
    pytest.importorskip("xdist")
    result = run(RACY + SAFE, "-n", "2", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*PASSED (2 interleavings)*"])
    result.stdout.fnmatch_lines(["*how it comes about*", "replay: *", "FAILED*assert 10 == 20"])


def _parsed(file: Path) -> ET.ElementTree[ET.Element]:
    return ET.parse(file)  # noqa: S314 - it is our own


def test_the_xml_file_holds_what_was_explored(run: Run, pytester: pytest.Pytester) -> None:
    """As properties of the test case; the failure holds the counterexample, without colours."""
    run(RACY + SAFE, "--junitxml", "report.xml", "--color=yes")
    cases = {
        case.get("name"): case for case in _parsed(pytester.path / "report.xml").iter("testcase")
    }
    properties = {p.get("name"): p.get("value") for p in cases["test_safe"].iter("property")}
    assert properties == {"interleavings": "2", "interleavings_verdict": "pass"}
    failure = cases["test_deposits"].find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("assert 10 == 20")
    assert "replay: pytest" in (failure.text or "")
    assert "#x1B" not in (failure.text or "")


def test_colours_are_pytests(run: Run) -> None:
    """None without, some with."""
    assert "\x1b" not in text_of(run(RACY))
    assert "\x1b" in text_of(run(RACY, "--color=yes")).partition("how it comes about")[2]


def test_nothing_is_imported_before_a_marked_test_runs(run: Run, pytester: pytest.Pytester) -> None:
    """So that pytest starts as fast as without the plugin."""
    pytester.makeconftest(
        "import sys\ndef pytest_unconfigure():\n"
        "    print('loaded', sorted({'greenlet', 'rich', 'parallel_cookbook.check'} & set(sys.modules)))\n"
    )
    assert "loaded []" in text_of(run("def test_it(): pass\n", "-s"))
    assert "loaded ['greenlet'" in text_of(run(RACY, "-s"))


# --- the documentation --------------------------------------------------------------------------


def test_the_example_of_the_docs_is_real(pytester: pytest.Pytester) -> None:
    """Its program, its test, its failure and its proof, word for word; positions on the screen apart."""
    page = (Path(__file__).parents[2] / "docs" / "pytest.md").read_text(encoding="utf-8")
    program, test = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[:2]
    shown, proof = re.findall(r"```text\n(.*?)```", page, re.DOTALL)[:2]
    (pytester.mkdir("src") / "bank.py").write_text(program)
    (pytester.mkdir("tests") / "test_bank.py").write_text(test)
    pytester.makeini("[pytest]\npythonpath = src\n")
    said = text_of(pytester.runpytest_subprocess("-p", "no:randomly", "--color=no"))
    assert _words(shown) in _words(said)
    body = program.index("        if self.balance")
    fixed = (
        "        with self._lock:\n"
        "            if self.balance < amount:\n"
        '                raise ValueError("not enough money")\n'
        "            self.balance -= amount\n"
    )
    (pytester.path / "src" / "bank.py").write_text(program[:body] + fixed)
    said = text_of(pytester.runpytest_subprocess("-p", "no:randomly", "--color=no", "-v"))
    assert _words(proof) in _words(said)


def _words(text: str) -> str:
    """Return the text without addresses, white space, and the marks that not all versions set."""
    return " ".join(re.sub(r"0x[0-9a-f]+|\^+", "", text).split())

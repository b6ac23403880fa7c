"""`cookbook check` as a command: its contract with scripts, and what it says to people."""

from __future__ import annotations

import importlib
import json
import shlex
import signal
import subprocess
import textwrap
from typing import TYPE_CHECKING, Any

import click
import pytest

from commands import COOKBOOK, cookbook
from parallel_cookbook.check import check_entry
from parallel_cookbook.cli.check import check

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import CheckReport, Entry

RACY = """\
import threading
counter = 0
def work():
    global counter
    counter += 1
threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
print("counted", counter)
assert counter == 2
"""
LOCKED = RACY.replace("    counter += 1", "    with lock: counter += 1").replace(
    "counter = 0", "counter = 0\nlock = threading.Lock()", 1
)
KINDS = {"assertion", "exception", "deadlock", "livelock", "data-race", "leaked-task", "step-limit"}


@pytest.fixture
def racy(tmp_path: Path) -> Path:
    file = tmp_path / "counter.py"
    file.write_text(RACY)
    return file


def report_of(*arguments: str | Path, cwd: Path | None = None) -> tuple[int, dict[str, Any]]:
    """Run `cookbook check … --json`; return its exit code, and the one object it prints."""
    done = cookbook("check", *arguments, "--json", cwd=cwd)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return done.returncode, report


def test_the_object_has_all_fields_of_the_contract(racy: Path) -> None:
    """Scripts rely on each name and type; a failing program makes exit code 1."""
    code, report = report_of("counter.py", cwd=racy.parent)
    assert code == 1
    assert report["schema"] == 1
    assert report["target"] == "counter.py"
    assert (report["verdict"], report["exhaustive"]) == ("fail", False)
    assert isinstance(report["strategy"], str)
    assert all(isinstance(report[name], int) for name in ("executions", "steps"))
    assert isinstance(report["seconds"], float)
    (failure,) = report["failures"]
    assert failure["kind"] == "assertion"
    assert failure["location"] == "counter.py:10"
    assert failure["task"] == "MainThread"
    assert failure["preemptions"] == 1
    assert all(isinstance(failure[name], str) for name in ("message", "schedule"))
    assert {warning["kind"] for warning in report["warnings"]} == {"data-race"}
    for outcome in report["outcomes"]:
        assert outcome.keys() >= {"stdout", "result", "executions", "schedule"}


def test_keep_going_shows_every_outcome(racy: Path) -> None:
    """Both things that the program can print are among them, and the search has come to its end."""
    _, report = report_of(racy, "--keep-going")
    assert {outcome["stdout"] for outcome in report["outcomes"]} == {"counted 1\n", "counted 2\n"}


def test_a_program_that_is_right_passes(tmp_path: Path) -> None:
    """Exit code 0, and the claim that all was explored."""
    file = tmp_path / "locked.py"
    file.write_text(LOCKED)
    code, report = report_of(file)
    assert (code, report["verdict"], report["exhaustive"]) == (0, "pass", True)
    assert (report["failures"], report["warnings"]) == ([], [])


def test_a_budget_that_is_spent_is_no_verdict(tmp_path: Path) -> None:
    """Exit code 3, verdict unknown."""
    file = tmp_path / "many.py"
    file.write_text(LOCKED.replace("range(2)", "range(6)").replace("counter == 2", "counter == 6"))
    code, report = report_of(file, "--max-executions", "5")
    assert (code, report["verdict"], report["exhaustive"]) == (3, "unknown", False)
    assert report["failures"] == []


def test_races_can_be_errors_or_nothing(tmp_path: Path) -> None:
    """With `error` the race alone fails; with `ignore` nobody hears of it."""
    file = tmp_path / "harmless.py"
    file.write_text(RACY.replace("assert counter == 2", ""))
    code, report = report_of(file, "--races", "error")
    assert (code, {failure["kind"] for failure in report["failures"]}) == (1, {"data-race"})
    code, report = report_of(file, "--races", "ignore")
    assert (code, report["verdict"], report["warnings"]) == (0, "pass", [])
    code, report = report_of(file)
    assert (code, report["verdict"]) == (0, "pass")
    assert {warning["kind"] for warning in report["warnings"]} == {"data-race"}


@pytest.mark.parametrize("target", ["two.py::broken", "two:broken"])
def test_a_function_is_a_target(tmp_path: Path, target: str) -> None:
    """By its file, or by its module as Python would import it."""
    body = textwrap.indent(RACY.replace("global", "nonlocal"), "    ")
    (tmp_path / "two.py").write_text(f"def broken():\n{body}\ndef fine(): pass\n")
    code, report = report_of(target, cwd=tmp_path)
    assert (code, report["target"], report["verdict"]) == (1, target, "fail")


def test_a_recipe_is_a_target() -> None:
    """Any unambiguous part of its id will do."""
    code, report = report_of("threads/lock::pitfall_check_then_act")
    assert (code, report["verdict"]) == (1, "fail")
    code, report = report_of("threads/lock")
    assert (code, report["verdict"]) == (0, "pass")


def test_a_replay_shows_the_failure_again_and_fails(racy: Path) -> None:
    """Exit code 1, for people and for scripts; after unrelated lines were added, too."""
    _, report = report_of(racy)
    schedule = report["failures"][0]["schedule"]
    racy.write_text("# a comment\nimport os\n\n" + RACY)
    code, again = report_of(racy, "--replay", schedule)
    assert (code, again["verdict"], again["strategy"]) == (1, "fail", "replay")
    assert again["failures"][0]["kind"] == "assertion"
    assert again["failures"][0]["location"].endswith(":13")
    shown = cookbook("check", racy, "--replay", schedule)
    assert shown.returncode == 1
    assert "assertion: AssertionError" in shown.stdout
    assert "printed: counted 1" in shown.stdout


def test_a_replay_of_a_good_schedule_succeeds(racy: Path) -> None:
    """Exit code 0; but one schedule proves nothing."""
    _, report = report_of(racy, "--keep-going")
    good = next(each for each in report["outcomes"] if each["stdout"] == "counted 2\n")
    code, again = report_of(racy, "--replay", good["schedule"])
    assert (code, again["verdict"], again["failures"]) == (0, "unknown", [])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.py"], "nowhere.py"),
        (["counter.py::nothing"], "nothing"),
        (["counter.py", "--replay", "gibberish"], "gibberish"),
        (["counter.py", "--strategy", "luck"], "luck"),
        (["counter.py", "--max-seconds", "-1"], "-1"),
        (["broken.py"], "broken.py:1"),
        (["no-such-recipe"], "no-such-recipe"),
        (["--faults", "counter.py"], "put --faults behind the program"),
        (["counter.py", "--faults", "10"], "'10' is not from 0 to 9"),
    ],
)
def test_a_mistake_gets_a_sentence_and_exit_code_2(
    racy: Path, arguments: list[str], sentence: str
) -> None:
    """What is wrong is named, and there is no traceback of ours."""
    (racy.parent / "broken.py").write_text("def f(:\n")
    done = cookbook("check", *arguments, cwd=racy.parent)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_what_cannot_be_controlled_is_refused(tmp_path: Path) -> None:
    """The verdict is error, the failure names call and line, the exit code is 2."""
    file = tmp_path / "net.py"
    file.write_text("import socket\nsocket.create_connection(('127.0.0.1', 9))\n")
    code, report = report_of(file)
    assert (code, report["verdict"]) == (2, "error")
    (failure,) = report["failures"]
    assert failure["kind"] == "unsupported"
    assert "socket.create_connection" in failure["message"]
    assert failure["location"].endswith("net.py:2")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import no_such_module", "not installed in the Python that cookbook runs on"),
        ("assert input()", "A program under check has no input"),
    ],
)
def test_what_is_missing_around_the_program_is_not_blamed_on_orders(
    tmp_path: Path, source: str, sentence: str
) -> None:
    """A module that is not installed, an input that is not there: also if the command has an input."""
    file = tmp_path / "lacking.py"
    file.write_text(f"{source}\n")
    done = subprocess.run(
        [*COOKBOOK, "check", file], input="given\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert sentence in " ".join(done.stdout.split())
    assert "every order" not in done.stdout


def test_ctrl_c_ends_a_search(tmp_path: Path) -> None:
    """Exit code 130, what was found so far, and no traceback."""
    file = tmp_path / "large.py"
    begun = tmp_path / "begun"
    large = LOCKED.replace("range(2)", "range(9)").replace("counter == 2", "counter == 9")
    file.write_text(f"open({str(begun)!r}, 'w').close()\n{large}")
    with subprocess.Popen(
        [*COOKBOOK, "check", str(file), "--strategy", "dpor", "--max-seconds", "100"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not begun.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert "interrupted: found nothing in " in stderr


def test_what_an_interrupted_search_has_found_can_be_replayed(
    racy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failure is named, with a command that shows it again."""

    def interrupted(entry: Entry, **options: Any) -> CheckReport:  # noqa: ANN401 - passed on
        check_entry(entry, **options)
        raise KeyboardInterrupt

    module = importlib.import_module("parallel_cookbook.check")  # in the package it is a function
    monkeypatch.setattr(module, "check_entry", interrupted)
    monkeypatch.setattr("parallel_cookbook.cli.check.stand_guard", lambda *_: lambda _is_on: None)
    with pytest.raises((click.Abort, KeyboardInterrupt)):
        check.main([str(racy), "--keep-going"], standalone_mode=False)
    stderr = capsys.readouterr().err
    assert "interrupted: found 1 failure in " in stderr
    assert "assertion in MainThread (counter.py:10): AssertionError" in stderr
    (command,) = (line for line in stderr.splitlines() if line.startswith("replay: cookbook "))
    shown = cookbook(*shlex.split(command)[2:])
    assert (shown.returncode, "assertion: AssertionError" in shown.stdout) == (1, True)

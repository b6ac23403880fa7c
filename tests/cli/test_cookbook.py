"""The command line: what a user types, sees, and gets back as exit code."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from commands import COOKBOOK, NEVER_ENDS, ROOT, cookbook

if TYPE_CHECKING:
    from pathlib import Path


def test_alone_it_shows_the_chapters_and_what_to_try() -> None:
    """The first thing a newcomer types is answered with something to do."""
    shown = cookbook()
    assert shown.returncode == 0
    assert "2  Thread-based parallelism" in shown.stdout
    assert "cookbook run --chapter 1" in shown.stdout


def test_list_shows_each_recipe_on_a_line() -> None:
    """A line is the id and the title, without colour codes in a pipe."""
    lines = cookbook("list").stdout.splitlines()
    assert sum(line.startswith("   threads/lock ") for line in lines) == 1
    assert not any("\x1b" in line for line in lines)


def test_list_as_json_is_one_object() -> None:
    """The JSON holds what the lines hold, and the files' paths."""
    data = json.loads(cookbook("list", "--json").stdout)
    assert [chapter["number"] for chapter in data["chapters"]] == [1, 2, 3, 4, 5]
    assert sum(len(chapter["recipes"]) for chapter in data["chapters"]) >= 48


def test_list_into_a_closed_pipe_is_no_error() -> None:
    """`cookbook list | head -1` ends quietly."""
    command = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{COOKBOOK[0]} -m parallel_cookbook list | head -1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.stderr == ""


def test_show_renders_prose_and_code() -> None:
    """The title, a section and a line of code are there, without escape codes in a pipe."""
    shown = cookbook("show", "threads/lock").stdout
    assert "Protect a shared balance with a Lock" in shown
    assert "Pitfalls" in shown
    assert "class Account:" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("name", ["2", "threads"])
def test_show_renders_a_chapters_introduction(name: str) -> None:
    """A chapter is named by its number or its topic."""
    assert "Thread-based parallelism" in cookbook("show", name).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "threads/lokc"], "threads/lock"),
        (["run", "lock"], "may mean threads/lock"),
        (["run", "no/such/file.py"], "is not there"),
        (["run", "recipes"], "is a folder"),
        (["run"], "--all"),
        (["run", "--chapter", "99"], "no chapter 99"),
        (["run", "--start-method", "thread", "threads/lock"], "--start-method"),
        (["run", "--timeout", "-1", "threads/lock"], "--timeout"),
        (["new", "somewhere"], "RECIPE"),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_mistake_in_the_command_is_explained(arguments: list[str], message: str) -> None:
    """Exit code 2, the reason on standard error, nothing on standard output, no traceback."""
    failed = cookbook(*arguments, cwd=ROOT)
    assert failed.returncode == 2
    assert message in failed.stderr
    assert failed.stdout == ""
    assert "Traceback" not in failed.stderr


def test_run_passes_a_single_programs_output_through(tmp_path: Path) -> None:
    """Standard output is the program's alone, so that it can be piped on."""
    file = tmp_path / "mine.py"
    file.write_text("import sys\nprint(sys.argv[1:])\nprint('oops', file=sys.stderr)\n")
    ran = cookbook("run", file, "--", "--all", "x y", "--")
    assert ran.returncode == 0
    assert ran.stdout == "['--all', 'x y', '--']\n"
    assert ran.stderr.startswith("oops\n")


def test_run_goes_on_after_a_failure_and_exits_with_1(tmp_path: Path) -> None:
    """Each failure has its verdict; what comes later still runs."""
    programs = {
        "hangs.py": NEVER_ENDS,
        "crashes.py": "1 / 0",
        "floods.py": "while True: print('x' * 99)",
        "works.py": "print('fine')",
    }
    for name, source in programs.items():
        (tmp_path / name).write_text(source)
    ran = cookbook(
        "run", *programs, "--timeout", "1", "--max-output", "100000", "--json", cwd=tmp_path
    )
    assert ran.returncode == 1
    assert ran.stderr == ""
    data = json.loads(ran.stdout)
    assert data["verdict"] == "fail"
    verdicts = [item["verdict"] for item in data["recipes"]]
    assert verdicts == ["time-out", "exception", "flood", "pass"]
    assert data["recipes"][0]["stdout"] == "started\n"


def test_run_of_several_shows_each_under_its_heading() -> None:
    """Headings, output, verdicts, totals and what to try next, as plain text in a pipe."""
    ran = cookbook("run", "threads/lock", "threads/rlock")
    assert ran.returncode == 0
    assert "Chapter 2: Thread-based parallelism" in ran.stdout
    assert "▸ threads/lock" in ran.stdout
    assert "│ 2 customers wanted 1 coin(s): 1 got one" in ran.stdout
    assert "All 2 passed" in ran.stdout
    assert "Try:" in ran.stdout
    assert "\x1b" not in ran.stdout


@pytest.mark.parametrize("folder", ["missing", "locked"])
def test_a_folder_that_cannot_be_read_ends_in_one_line(tmp_path: Path, folder: str) -> None:
    """A recipe that takes a folder says what is wrong with it, without a traceback."""
    (tmp_path / "locked").write_text("a file, no folder")
    ran = cookbook("run", "messages/pipeline", "--", tmp_path / folder)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert folder in ran.stderr


def test_new_copies_a_recipe_and_never_overwrites(tmp_path: Path) -> None:
    """The copy runs by itself, and a second copy onto it is refused."""
    folder = tmp_path / "deep" / "mine"
    assert cookbook("new", folder, "threads/lock", "threads/rlock").returncode == 0
    assert cookbook("run", folder / "lock.py").returncode == 0
    (folder / "lock.py").write_text("edited")
    again = cookbook("new", folder, "threads/lock")
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert (folder / "lock.py").read_text() == "edited"


def test_new_refuses_two_files_of_one_name_and_a_file_for_a_folder(tmp_path: Path) -> None:
    """Nothing is copied when not everything can be."""
    assert cookbook("new", tmp_path, "threads/lock", "synchronisation/lock").returncode == 2
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert cookbook("new", tmp_path / "file", "threads/lock").returncode == 2


def test_doctor_tells_what_is_there() -> None:
    """The facts are this interpreter's, as text and as JSON."""
    assert "start methods" in cookbook("doctor").stdout
    data = json.loads(cookbook("doctor", "--json").stdout)
    assert "spawn" in data["facts"]["start_methods"]
    assert data["facts"]["usable_cores"] >= 1
    assert "greenlet" in data["extras"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    """The script asks `cookbook` itself for completions."""
    printed = cookbook("completion", shell)
    assert printed.returncode == 0
    assert "_COOKBOOK_COMPLETE" in printed.stdout


def test_a_shell_can_complete_recipe_names() -> None:
    """What bash would ask is answered with ids."""
    answer = cookbook(
        "run", _COOKBOOK_COMPLETE="bash_complete", COMP_WORDS="cookbook run lock_o", COMP_CWORD="2"
    )
    assert "threads/lock_ordering" in answer.stdout


def test_no_color_is_honoured() -> None:
    """With NO_COLOR set, no colour is printed even where a terminal is claimed."""
    shown = cookbook("show", "threads/lock", NO_COLOR="1", FORCE_COLOR="1")
    assert "\x1b[3" not in shown.stdout

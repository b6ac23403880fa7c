"""The command line: what a user types, sees, and gets back as exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from commands import NEVER_ENDS, ROOT, cookbook, on_terminal
from parallel_cookbook.cli.run import find_program, find_programs
from parallel_cookbook.content import load_book
from parallel_cookbook.errors import UsageError


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


def test_show_in_a_pipe_is_the_file_itself() -> None:
    """`cookbook show threads/lock > mine.py` is a program, byte for byte."""
    source = (ROOT / "recipes/ch02_threads/06_lock.py").read_text()
    assert cookbook("show", "threads/lock").stdout == source
    assert cookbook("show", "threads/lock", PYTHONIOENCODING="ascii").stdout == source
    assert cookbook("show", "recipes/ch02_threads/06_lock.py", cwd=ROOT).stdout == source


@pytest.mark.parametrize("name", ["2", "threads"])
def test_show_in_a_pipe_prints_a_chapters_markdown(name: str) -> None:
    """A chapter is named by its number or its topic."""
    assert cookbook("show", name).stdout == (ROOT / "recipes/ch02_threads/README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "threads/lokc"], "threads/lock"),
        (["show", "Makefile"], "the file 'Makefile' is no recipe of the book"),
        (["check", "README.md"], "'README.md' is no Python file"),
        (["run", "lock"], "may mean threads/lock"),
        (["run", "no/such/file.py"], "is not there"),
        (["run", "recipes"], "is a folder"),
        (["run", "/dev/null"], "is no regular file"),
        (["run", "x" * 300], "File name too long"),
        (["run", ""], "no recipe ''"),
        (["run", "threads"], "--chapter 2"),
        (["run", "2"], "--chapter 2"),
        (["run", "t"], "more; name one of them"),
        (["run", "threads/lock::nothing"], "pitfall_check_then_act"),
        (["run"], "--all"),
        (["run", "--chapter", "99"], "no chapter 99"),
        (["run", "--start-method", "thread", "threads/lock"], "--start-method"),
        (["run", "--chapter", "x"], "no number"),
        (["run", "--timeout", "-1", "threads/lock"], "--timeout"),
        (["run", "--timeout", "inf", "threads/lock"], "'inf' is no time"),
        (["run", "--timeout", "nan", "threads/lock"], "'nan' is no time"),
        (["run", "--timeout", "abc", "threads/lock"], "'abc' is no number of seconds"),
        (["new", "somewhere"], "RECIPE"),
        (["new", "threads/lock", "my dir"], "new 'my dir' threads/lock"),
        (["check", "x" * 300], "no recipe"),
        (["check", "x" * 300 + ".py"], "is not there"),
        (["new", "x" * 300, "threads/lock"], "File name too long"),
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
    assert "│ 2 customers, 1 coin(s): 1 of them got one" in ran.stdout
    assert "All 2 passed" in ran.stdout
    assert "Try:" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_a_pitfall_can_be_run_and_fails_like_any_program() -> None:
    """The wrong twin's own function runs, and nothing else of the file."""
    ran = cookbook("run", "threads/work_queue::pitfall_one_sentinel", "--timeout", "0.5")
    assert ran.returncode == 1
    assert "time-out" in ran.stderr
    listed = json.loads(cookbook("list", "--json").stdout)
    assert "pitfall_one_sentinel" in str(listed)


def test_a_function_of_a_file_can_be_run(tmp_path: Path) -> None:
    """`file.py::function` calls it, with the program's arguments in sys.argv."""
    (tmp_path / "mine.py").write_text("import sys\ndef f():\n    print(sys.argv)\nprint('top')\n")
    ran = cookbook("run", "mine.py::f", "--", "x", cwd=tmp_path)
    assert ran.stdout == "top\n['mine.py', 'x']\n"


def test_a_recipe_named_twice_runs_once() -> None:
    """An id, a part of it and the file's path are one program."""
    ran = cookbook("run", "--json", "threads/lock", "recipes/ch02_threads/06_lock.py", cwd=ROOT)
    assert [item["id"] for item in json.loads(ran.stdout)["recipes"]] == ["threads/lock"]


def test_a_recipe_named_beside_all_runs_in_its_chapter(tmp_path: Path) -> None:
    """No chapter is opened twice; what is no part of the chapters comes first."""
    book = load_book()
    mine = tmp_path / "mine.py"
    mine.write_text("")
    names = ("threads/lock", str(mine))
    found = find_programs(book, names, (2,), everything=True)
    assert [target.name for target in found] == [str(mine), *(one.id for one in book.recipes)]
    found = find_programs(book, ("threads/lock", "messages/pipe"), (2,), everything=False)
    own = [recipe.id for recipe in book.chapter(2).recipes]
    assert [target.name for target in found] == ["messages/pipe", *own]


def test_a_path_that_may_not_be_entered_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, whatever the system says of the path."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    book = load_book()
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(UsageError, match=r"cannot read 'secret/x.py': Permission denied"):
        find_program(book, "secret/x.py")


@pytest.mark.parametrize(
    "recipe", ["messages/pipeline", "threads/work_queue", "threads/thread_pool"]
)
def test_a_recipe_that_takes_files_works_on_a_whole_folder(tmp_path: Path, recipe: str) -> None:
    """All files in the folder and below it, not the few of the defaults."""
    (tmp_path / "deep").mkdir()
    for name in ("one", "two", "deep/three"):
        (tmp_path / name).write_text("same\n")
    ran = cookbook("run", recipe, "--", tmp_path)
    assert ran.returncode == 0
    for name in ("one", "two", "three"):
        assert name in ran.stdout


def test_a_wrong_argument_of_a_recipe_ends_in_one_line() -> None:
    """A recipe, too, says what it takes, without a traceback."""
    ran = cookbook("run", "processes/chunk_sizes", "--", "x")
    assert ran.returncode == 1
    assert ran.stderr.startswith("usage:")
    assert "Traceback" not in ran.stderr


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


def test_new_suggests_a_command_that_can_be_typed(tmp_path: Path) -> None:
    """A folder with a space is quoted."""
    made = cookbook("new", "my dir", "threads/lock", cwd=tmp_path)
    assert "run 'my dir/lock.py')" in made.stdout


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


def test_doctor_breaks_no_note_within_a_word_at_the_edge() -> None:
    """On a terminal what is too long for a line goes below it, as a whole or between words."""
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal("doctor")).splitlines()
    begin = next(number for number, line in enumerate(shown) if line.startswith("  gil "))
    assert re.fullmatch(r"  gil +(yes|no)( .*)?", shown[begin])
    long = [line for line in shown if len(line) > 80]
    assert all(line.startswith(("  executable ", "  platform ")) for line in long)
    assert "to come" not in "".join(line for line in shown if "trace" in line)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    """The script asks `cookbook` itself for completions."""
    printed = cookbook("completion", shell)
    assert printed.returncode == 0
    assert "_COOKBOOK_COMPLETE" in printed.stdout

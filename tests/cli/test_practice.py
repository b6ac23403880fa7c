"""`cookbook practice`: what a learner types, sees and keeps, on a terminal and without one."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from commands import COOKBOOK, ROOT, cookbook, wait_until_none
from parallel_cookbook.practice.exercises import load_exercises
from parallel_cookbook.practice.folder import MARKER, Folder, make_folder
from practice_terminal import PracticeTerminal

EXERCISES = load_exercises()
FIRST = EXERCISES[0]
PLACE = f"{FIRST.place}.py"
TOTAL = len(EXERCISES)
SOLUTION = FIRST.solution.read_text()


def passed_in(folder: Path) -> set[str]:
    """Return the ids of the exercises that were passed in a learner's folder."""
    progress = Folder(folder, EXERCISES).progress
    return {exercise.id for exercise in EXERCISES if progress.has_passed(exercise.id)}


def broken(line: str) -> str:
    """Return the first exercise with a line put into the function that may be changed."""
    todo = "    # TODO"
    assert todo in FIRST.source
    return FIRST.source.replace(todo, f"    {line}\n{todo}", 1)


# --- on a terminal ----------------------------------------------------------------------------------


def test_from_an_empty_folder_to_the_first_pass(tmp_path: Path) -> None:
    """A newcomer sees what was made, the task, how it fails, hints, the pass, and the next exercise."""
    with PracticeTerminal(tmp_path) as terminal:
        shown = terminal.wait_for("As it stands, it goes wrong: deadlock")
        assert f"{TOTAL} exercises were copied here" in shown
        assert FIRST.title in shown
        assert f"{PLACE}:{FIRST.todo_line}" in shown
        terminal.type("r")
        terminal.wait_for("waits for ever")
        terminal.type("h")
        terminal.wait_for("A nudge")
        terminal.save(PLACE, SOLUTION)
        shown = terminal.wait_for(f"1 of {TOTAL} passed")
        assert "proven right" in shown
        assert f"{PLACE}:" not in shown.rpartition("Your file")[2]  # the solution has no TODO
        terminal.type("n")
        terminal.wait_for(EXERCISES[1].title)
        terminal.type("q")
        assert terminal.wait_for_end() == 0
        assert terminal.state == "restored"
    assert passed_in(tmp_path) == {FIRST.id}
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for(EXERCISES[1].title)


def test_the_file_is_a_link_on_the_terminal(tmp_path: Path) -> None:
    """A click on it opens the file at its TODO (OSC 8)."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("Your file")
        target = f"{(tmp_path / PLACE).as_uri()}#{FIRST.todo_line}"
        assert f";{target}\x1b\\" in terminal.raw


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def f(:\n", "this is no Python"),
        ("", "and nothing else"),
        (b"\xff\xfe\x00", "this is no Python"),
        ("import nonsense\n" + SOLUTION, "there is no module `nonsense`"),
        (broken("while True: pass"), "it goes on and on"),
        (broken("while True: print('x' * 99)"), "it goes on and on"),
        (broken("import os; os._exit(0)"), "not yours to change"),
        (SOLUTION[: len(SOLUTION) // 2], "✗ "),
    ],
    ids=[
        "syntax",
        "empty",
        "bytes",
        "import",
        "endless loop",
        "prints for ever",
        "os._exit",
        "half-written",
    ],
)
def test_a_bad_file_gets_a_clear_line_and_the_next_save_counts(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    """No traceback of ours, whatever is saved; a right answer afterwards passes."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        terminal.save(PLACE, text)
        terminal.wait_for(told)
        terminal.save(PLACE, SOLUTION)
        terminal.wait_for("proven right")
        assert "Traceback" not in terminal.raw
    assert passed_in(tmp_path) == {FIRST.id}


def test_a_file_that_is_removed_and_comes_back(tmp_path: Path) -> None:
    """It is said to be missing; x makes a new one; so does the learner."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        (tmp_path / PLACE).unlink()
        terminal.wait_for("missing file")
        terminal.type("x")
        terminal.wait_for("y or n")
        terminal.type("y")
        terminal.wait_for("the file is as the book has it")
        assert (tmp_path / PLACE).read_bytes() == FIRST.path.read_bytes()
        (tmp_path / PLACE).unlink()
        terminal.wait_for("missing file")
        terminal.save(PLACE, SOLUTION)
        terminal.wait_for("proven right")


def test_a_task_whose_file_was_changed_too_much_says_so_in_words(tmp_path: Path) -> None:
    """The task's page speaks as the grade's does."""
    folder = make_folder(tmp_path, EXERCISES)
    folder.path(FIRST).write_text(broken("import os; os._exit(0)"))
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("it goes wrong: not yours to change in line")


def test_reset_keeps_the_old_file(tmp_path: Path) -> None:
    """After the question, the learner's file is aside, and the book's in its place."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        terminal.save(PLACE, "mine = 1\n")
        terminal.wait_for("and nothing else")
        terminal.type("xy")
        terminal.wait_for("yours is kept as kept/ch01_introduction/01_eager_call.1.py")
    assert (tmp_path / "kept" / "ch01_introduction" / "01_eager_call.1.py").read_text() == (
        "mine = 1\n"
    )


def test_two_windows_see_each_others_progress(tmp_path: Path) -> None:
    """A pass in one window is shown in the other, without a key."""
    with PracticeTerminal(tmp_path) as one:
        one.wait_for("As it stands")
        with PracticeTerminal(tmp_path, "start_and_join") as two:
            two.wait_for(EXERCISES[1].title)
            one.save(PLACE, SOLUTION)
            one.wait_for(f"1 of {TOTAL} passed")
            two.wait_for(f"1 of {TOTAL} passed")
            two.save(f"{EXERCISES[1].place}.py", EXERCISES[1].solution.read_text())
            two.wait_for(f"2 of {TOTAL} passed")
            one.wait_for(f"2 of {TOTAL} passed")
    assert passed_in(tmp_path) == {EXERCISES[0].id, EXERCISES[1].id}


def test_a_folder_that_is_removed_meanwhile_is_told(tmp_path: Path) -> None:
    """The window goes on, and says what is missing; a new file can still be made."""
    mine = tmp_path / "mine"
    mine.mkdir()
    with PracticeTerminal(mine) as terminal:
        terminal.wait_for("As it stands")
        for place in (MARKER, "ch01_introduction"):
            shutil.rmtree(mine / place)
        terminal.wait_for("missing file")
        terminal.type("xy")
        terminal.wait_for("your progress cannot be written")
        assert (mine / PLACE).read_bytes() == FIRST.path.read_bytes()
        assert "Traceback" not in terminal.raw


def test_progress_that_is_damaged_meanwhile_is_told_and_rebuilt(tmp_path: Path) -> None:
    """A line on the screen says where the damaged file is; the window goes on."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        (tmp_path / MARKER / "progress.json").write_text("nonsense")
        terminal.wait_for("it is kept as 'progress.damaged-1.json'")
        terminal.save(PLACE, SOLUTION)
        terminal.wait_for(f"1 of {TOTAL} passed")
    assert passed_in(tmp_path) == {FIRST.id}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGQUIT, -signal.SIGQUIT),
    ],
)
@pytest.mark.parametrize("is_grading", [False, True])
def test_a_signal_restores_the_terminal_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals, code: int, is_grading: bool
) -> None:
    """On every way out, also in the midst of a grade."""
    token = f"{os.getpid()}-{tmp_path.name}"
    with PracticeTerminal(tmp_path, COOKBOOK_TEST=token) as terminal:
        terminal.wait_for("As it stands")
        assert terminal.state == "in use"
        if is_grading:
            terminal.save(PLACE, broken("sum(iter(int, 1))"))
            terminal.wait_for("grading")
        terminal.signal(number)
        assert terminal.wait_for_end() == code
        assert terminal.state == "restored"
        assert "Traceback" not in terminal.raw
    assert wait_until_none("COOKBOOK_TEST", token) == []


def test_ctrl_c_on_the_terminal_ends_it(tmp_path: Path) -> None:
    """The key itself, and not only the signal."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        terminal.type("\x03")
        assert terminal.wait_for_end() == 130
        assert terminal.state == "restored"


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(tmp_path: Path) -> None:
    """A stopped window leaves the shell a usable terminal, and draws itself anew when it goes on."""
    with PracticeTerminal(tmp_path, command=("sh", "-i"), PS1="ready> ") as terminal:
        terminal.wait_for("ready> ")
        terminal.type(f"{shlex.join(COOKBOOK)} practice\n")
        terminal.wait_for("As it stands")
        assert terminal.state == "in use"
        terminal.type("\x1a")
        terminal.wait_for("ready> ")
        assert terminal.state == "restored"
        terminal.type("fg\n")
        terminal.wait_for(f"0 of {TOTAL} passed")
        assert terminal.state == "in use"
        terminal.type("q")
        terminal.wait_for("ready> ")
        assert terminal.state == "restored"


def test_a_resized_terminal_is_drawn_anew(tmp_path: Path) -> None:
    """Lines are broken for the new width."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        terminal.type("l")
        terminal.wait_for("type its number")
        terminal.resize(24, 60)
        terminal.signal(signal.SIGWINCH)
        shown = terminal.wait_for("type its number")
        assert "after" in shown


def test_a_page_that_is_too_long_says_so(tmp_path: Path) -> None:
    """What has left the window at the top is above; the list keeps within the window."""
    with PracticeTerminal(tmp_path, size=(16, 100)) as terminal:
        terminal.wait_for("scroll up")
        terminal.type("l")
        shown = terminal.wait_for("watching")
        assert "scroll up" not in shown
        assert "▸  1" in shown
        assert "after" in shown


def test_the_end_of_input_ends_it(tmp_path: Path) -> None:
    """Ctrl-D leaves, as it does elsewhere."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        terminal.type("\x04")
        assert terminal.wait_for_end() == 0


def test_arrow_keys_do_nothing(tmp_path: Path) -> None:
    """What they send is no text: the A of an arrow is no key."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        terminal.type("\x1b[A")
        terminal.type("?")
        shown = terminal.wait_for("quit (also Ctrl-C)")
        assert "does nothing" not in shown


def test_on_a_terminal_that_cannot_move_it_prints_line_by_line(tmp_path: Path) -> None:
    """No escape codes; what a key came to is shown in a line of its own."""
    with PracticeTerminal(tmp_path, TERM="dumb") as terminal:
        terminal.wait_for("As it stands")
        terminal.type("s")
        terminal.wait_for("after your own")
        terminal.save(PLACE, SOLUTION)
        terminal.wait_for("proven right")
        assert "\x1b" not in terminal.raw


def test_a_page_that_has_not_changed_is_not_drawn_again(tmp_path: Path) -> None:
    """A key that only has a message leaves the page alone; so does looking at the file."""
    with PracticeTerminal(tmp_path) as terminal:
        terminal.wait_for("As it stands")
        terminal.type("t")  # takes away what was told at the beginning
        terminal.wait_for("watching")
        terminal.type("s")
        shown = terminal.wait_for("after your own")
        assert FIRST.title not in shown


# --- without a terminal -----------------------------------------------------------------------------


def test_without_a_terminal_it_grades_once_and_says_so(tmp_path: Path) -> None:
    """The task, one grade, its exit code; no styles, no traceback."""
    ran = subprocess.run(
        [*COOKBOOK, "practice"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "This is no terminal: your file is graded once" in ran.stdout
    assert "deadlock" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert ran.stderr == ""


def test_without_standard_input_it_grades_once_too(tmp_path: Path) -> None:
    """A closed standard input is no terminal."""
    command = shlex.join([*COOKBOOK, "practice"])
    ran = subprocess.run(
        ["sh", "-c", f"{command} <&-"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "This is no terminal" in ran.stdout
    assert "Traceback" not in ran.stderr
    assert ran.returncode == 1


def test_in_a_folder_with_other_files_it_makes_one_within(tmp_path: Path) -> None:
    """And finds it again from beside it, from within it, and by --dir."""
    (tmp_path / "thesis.tex").write_text("")
    cookbook("practice", cwd=tmp_path)
    folder = tmp_path / "cookbook-practice"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cookbook-practice", "thesis.tex"]
    (folder / PLACE).write_text(SOLUTION)
    assert cookbook("practice", "check", cwd=tmp_path).returncode == 0
    for cwd, arguments in (
        (tmp_path, []),
        (folder / "ch02_threads", []),
        (ROOT, ["--dir", str(folder)]),
    ):
        listed = cookbook("practice", "list", "--json", *arguments, cwd=cwd)
        assert json.loads(listed.stdout)["passed"] == 1


def test_list_before_the_beginning_makes_nothing(tmp_path: Path) -> None:
    """To look is not to begin."""
    listed = cookbook("practice", "list", cwd=tmp_path)
    assert listed.returncode == 0
    assert f"{TOTAL}   {EXERCISES[-1].id}" in listed.stdout
    assert "`cookbook practice` makes a folder" in listed.stdout
    data = json.loads(cookbook("practice", "list", "--json", cwd=tmp_path).stdout)
    assert data["folder"] is None
    assert {item["status"] for item in data["exercises"]} == {"untouched"}
    assert not list(tmp_path.iterdir())


def test_list_of_another_folder_is_about_that_one(tmp_path: Path) -> None:
    """In a learner's folder, too, --dir names another."""
    make_folder(tmp_path, EXERCISES).note_pass(FIRST, "digest")
    listed = cookbook("practice", "list", "--json", "--dir", "nowhere", cwd=tmp_path)
    assert json.loads(listed.stdout)["passed"] == 0


def test_list_as_json_tells_a_teacher_how_far_it_is(tmp_path: Path) -> None:
    """One object: each exercise with its file and status, and nothing else on standard output."""
    folder = make_folder(tmp_path, EXERCISES)
    folder.note_pass(EXERCISES[0], "digest")
    folder.note_hints(EXERCISES[1], 2)
    folder.path(EXERCISES[1]).write_text("begun")
    folder.path(EXERCISES[2]).unlink()
    data = json.loads(cookbook("practice", "list", "--json", cwd=tmp_path).stdout)
    assert data["schema"] == 1
    items = data["exercises"]
    assert [item["number"] for item in items] == list(range(1, len(EXERCISES) + 1))
    assert [item["status"] for item in items[:4]] == ["passed", "begun", "missing", "untouched"]
    assert items[0]["passed_at"].endswith("Z")
    assert items[1]["hints"] == 2
    assert Path(items[1]["file"]).read_text() == "begun"


def test_hints_grow_with_each_call(tmp_path: Path) -> None:
    """A nudge, then where to look, then the idea."""
    make_folder(tmp_path, EXERCISES)
    heads = ["A nudge", "Where to look", "The idea"]
    for number in (1, 2, 3, 3):
        shown = cookbook("practice", "hint", "visitor_count", cwd=tmp_path).stdout
        assert [head in shown for head in heads] == [number >= level for level in (1, 2, 3)]


def test_check_grades_notes_and_exits(tmp_path: Path) -> None:
    """By name, all, as JSON: 1 as long as one is wrong; what passes is noted."""
    folder = make_folder(tmp_path, EXERCISES)
    wrong = cookbook("practice", "check", "visitor_count", "--json", cwd=tmp_path)
    assert wrong.returncode == 1
    data = json.loads(wrong.stdout)
    assert data["verdict"] == "fail"
    assert [grade["exercise"] for grade in data["grades"]] == ["threads/visitor_count"]
    assert data["grades"][0]["counterexample"]
    for exercise in EXERCISES:
        folder.path(exercise).write_bytes(exercise.solution.read_bytes())
    right = cookbook("practice", "check", "--all", cwd=tmp_path)
    assert right.returncode == 0, right.stdout
    assert f"{TOTAL} of {TOTAL} proven right" in right.stdout
    assert passed_in(tmp_path) == {exercise.id for exercise in EXERCISES}
    assert f"{TOTAL} of {TOTAL} exercises passed" in cookbook(cwd=tmp_path).stdout


def test_a_message_of_the_learners_moves_no_cursor(tmp_path: Path) -> None:
    """Escape codes in it are shown, and not sent to the terminal: a teacher may be reading."""
    make_folder(tmp_path, EXERCISES)
    (tmp_path / PLACE).write_text(broken(r"raise ValueError('\x1b[2J\x1b]0;title\x07')"))
    ran = cookbook("practice", "check", FIRST.id, cwd=tmp_path)
    assert r"ValueError: \x1b[2J\x1b]0;title\x07" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_a_pipe_in_place_of_the_answer_is_not_waited_for(tmp_path: Path) -> None:
    """It is told at once; nobody will ever write to it."""
    make_folder(tmp_path, EXERCISES)
    (tmp_path / PLACE).unlink()
    os.mkfifo(tmp_path / PLACE)
    ran = cookbook("practice", "check", FIRST.id, cwd=tmp_path)
    assert ran.returncode == 1
    assert "it is no regular file" in ran.stdout


def test_what_is_not_proven_in_time_is_no_pass(tmp_path: Path) -> None:
    """Exit code 3, the budget's."""
    make_folder(tmp_path, EXERCISES)
    (tmp_path / PLACE).write_text(broken("while True: pass"))
    ran = cookbook("practice", "check", FIRST.id, cwd=tmp_path)
    assert ran.returncode == 3
    assert passed_in(tmp_path) == set()


def test_solution_is_for_after_a_pass(tmp_path: Path) -> None:
    """Before, --force; in a pipe it is the file itself."""
    folder = make_folder(tmp_path, EXERCISES)
    refused = cookbook("practice", "solution", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert refused.stdout == ""
    assert cookbook("practice", "solution", "--force", cwd=tmp_path).stdout == SOLUTION
    folder.note_pass(FIRST, "digest")
    assert cookbook("practice", "solution", FIRST.id, cwd=tmp_path).stdout == SOLUTION


def test_next_and_previous_move_on(tmp_path: Path) -> None:
    """Each shows the exercise to which it moves; the next command is about that one."""
    make_folder(tmp_path, EXERCISES)
    assert EXERCISES[1].title in cookbook("practice", "next", cwd=tmp_path).stdout
    assert EXERCISES[2].title in cookbook("practice", "next", cwd=tmp_path).stdout
    assert EXERCISES[1].title in cookbook("practice", "previous", cwd=tmp_path).stdout
    assert EXERCISES[1].id in cookbook("practice", "check", cwd=tmp_path).stdout


def test_reset_says_where_the_old_file_is(tmp_path: Path) -> None:
    """The command does what the key does, without the question."""
    make_folder(tmp_path, EXERCISES)
    (tmp_path / PLACE).write_text("mine")
    ran = cookbook("practice", "reset", cwd=tmp_path)
    assert ran.returncode == 0
    assert "kept/ch01_introduction/01_eager_call.1.py" in ran.stdout
    assert (tmp_path / PLACE).read_bytes() == FIRST.path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["practice", "check"], "`cookbook practice` makes the exercises"),
        (["practice", "hint"], "`cookbook practice` makes the exercises"),
        (["practice", "list", "--dir", "/dev/null"], "'/dev/null' is no folder"),
        (["practice", "--dir", "/dev/null/x"], "name another one with --dir"),
        (["practice", "visitor_cuont"], "threads/visitor_count"),
        (["practice", "check", "visitor_count", "--all"], "not both"),
        (["practice", "grade", "nowhere"], "No such file or directory"),
        (["practice", "grade", "."], "holds no answers"),
        (["practice", "grade", ".", "--exercise", "nonsense"], "no exercise 'nonsense'"),
        (["practice", "check", "--max-seconds", "soon"], "no number of seconds"),
    ],
)
def test_a_mistake_is_explained(tmp_path: Path, arguments: list[str], message: str) -> None:
    """Exit code 2, the reason on standard error, nothing on standard output, and nothing is made."""
    failed = cookbook(*arguments, cwd=tmp_path)
    assert failed.returncode == 2
    assert message in failed.stderr
    assert failed.stdout == ""
    assert "Traceback" not in failed.stderr
    assert not list(tmp_path.iterdir())


def test_alone_cookbook_shows_the_progress(tmp_path: Path) -> None:
    """Before the beginning it says what there is, then how far it is and what is next."""
    assert f"{TOTAL} exercises, graded by proof" in cookbook(cwd=tmp_path).stdout
    make_folder(tmp_path, EXERCISES).note_pass(FIRST, "digest")
    shown = cookbook(cwd=tmp_path).stdout
    assert f"1 of {TOTAL} exercises passed; go on with {EXERCISES[1].id}" in shown


def test_in_a_folder_that_is_gone_it_is_a_sentence(tmp_path: Path) -> None:
    """Neither the overview nor the practice shows a traceback where there is no current folder."""
    gone = tmp_path / "gone"
    for arguments, code in (("", 0), ("practice", 2), ("practice list", 2)):
        command = f"mkdir {gone} && cd {gone} && rmdir {gone} && {shlex.join(COOKBOOK)} {arguments}"
        ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        assert ran.returncode == code, ran
        assert "the current folder cannot be used" in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr


def test_the_shell_completes_the_names_of_exercises() -> None:
    """Wherever one may be typed."""
    for words in (
        ["cookbook", "practice", "visitor"],
        ["cookbook", "practice", "hint", "visitor"],
        ["cookbook", "practice", "grade", ".", "--exercise", "visitor"],
    ):
        offered = cookbook(
            _COOKBOOK_COMPLETE="bash_complete",
            COMP_WORDS="\n".join(words),
            COMP_CWORD=str(len(words) - 1),
        ).stdout
        assert offered == "plain,threads/visitor_count\n"


# --- a classroom ------------------------------------------------------------------------------------


def classroom(root: Path) -> None:
    """Ada has two right answers; Bob one that is wrong, and another one missing."""
    for learner, texts in {
        "ada": (EXERCISES[0].solution, EXERCISES[1].solution),
        "bob": (EXERCISES[0].path,),
    }.items():
        for exercise, text in zip(EXERCISES, texts, strict=False):
            path = root / learner / f"{exercise.place}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.read_bytes())


def test_a_classroom_is_graded_into_junits_xml(tmp_path: Path) -> None:
    """A suite for each learner, a case for each exercise that anybody has; nothing is written beside."""
    classroom(tmp_path / "class")
    report = tmp_path / "report.xml"
    ran = cookbook("practice", "grade", "class", "--junit", report, "--json", cwd=tmp_path)
    assert ran.returncode == 1
    data = json.loads(ran.stdout)
    assert data["verdict"] == "fail"
    verdicts = {
        learner["name"]: [grade["verdict"] for grade in learner["grades"]]
        for learner in data["learners"]
    }
    assert verdicts == {"ada": ["pass", "pass"], "bob": ["fail", "error"]}
    suites = ET.parse(report).getroot().findall("testsuite")  # noqa: S314 - our own
    assert [(suite.get("name"), suite.get("tests")) for suite in suites] == [
        ("ada", "2"),
        ("bob", "2"),
    ]
    assert not list(tmp_path.rglob(MARKER))


def test_nothing_is_believed_or_changed_in_a_learners_folder(tmp_path: Path) -> None:
    """Neither progress that somebody has written by hand, nor damaged progress, which stays as it is."""
    make_folder(tmp_path / "ada", EXERCISES).note_pass(FIRST, "digest")
    make_folder(tmp_path / "bob", EXERCISES)
    damaged = tmp_path / "bob" / MARKER / "progress.json"
    damaged.write_text("nonsense")
    ran = cookbook("practice", "grade", ".", "--exercise", FIRST.id, "--json", cwd=tmp_path)
    learners = json.loads(ran.stdout)["learners"]
    assert [learner["grades"][0]["verdict"] for learner in learners] == ["fail", "fail"]
    assert damaged.read_text() == "nonsense"
    assert sorted(path.name for path in damaged.parent.iterdir()) == ["lock", "progress.json"]


def test_one_learners_folder_is_graded_too(tmp_path: Path) -> None:
    """For a pipeline in the learner's own repository: 0 when what was asked for is right."""
    classroom(tmp_path)
    right = cookbook("practice", "grade", "ada", cwd=tmp_path)
    assert right.returncode == 0
    assert "2 of 2 proven right" in right.stdout
    wrong = cookbook("practice", "grade", "bob", "--exercise", EXERCISES[1].id, cwd=tmp_path)
    assert wrong.returncode == 1
    assert "missing file" in wrong.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_report_that_cannot_be_written_is_a_mistake(tmp_path: Path) -> None:
    """A missing folder is told before anything is graded; a full disk after it."""
    classroom(tmp_path)
    for file in ("no/such/folder.xml", "/dev/full"):
        ran = cookbook("practice", "grade", "ada", "--junit", file, cwd=tmp_path)
        assert ran.returncode == 2
        assert f"cannot write '{file}'" in ran.stderr
        assert "Traceback" not in ran.stderr


def test_ctrl_c_while_grading_ends_it(tmp_path: Path) -> None:
    """Exit code 130, at once, and no traceback."""
    folder = make_folder(tmp_path, EXERCISES)
    second = folder.path(EXERCISES[1])
    text = EXERCISES[1].source.replace("    # TODO", "    sum(iter(int, 1))\n    # TODO", 1)
    assert text != EXERCISES[1].source
    second.write_text(text)
    with subprocess.Popen(
        [*COOKBOOK, "practice", "check", "--all", "--max-seconds", "1000"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout
        assert command.stderr
        assert FIRST.id in command.stdout.readline()
        command.send_signal(signal.SIGINT)  # while the second is graded
        assert "Traceback" not in command.stderr.read()
    assert command.returncode == 130

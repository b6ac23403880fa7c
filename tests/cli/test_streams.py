"""The command's output where something is wrong with it, and on a terminal."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from commands import COOKBOOK, cookbook, on_terminal
from parallel_cookbook.content import load_book
from parallel_cookbook.report.book import chapter_page

if TYPE_CHECKING:
    from parallel_cookbook.content import Chapter

BOOK = load_book()
ESCAPE = "\x1b"


def in_shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `$C` is the command."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "C": " ".join(COOKBOOK), **variables},
    )


@pytest.mark.parametrize(
    "command", ["", "list", "list --json", "show 2", "doctor", "--help", "run --help"]
)
def test_nobody_reading_on_is_no_error(command: str) -> None:
    """`cookbook list | head` ends quietly with exit code 0, even if nothing at all is read."""
    ended = in_shell(f"$C {command} | true")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_run_that_nobody_reads_does_not_claim_success() -> None:
    """It ends quietly too, but not all has run: exit code 1."""
    ended = in_shell("$C run threads/lock threads/rlock | true")
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.parametrize("command", ["list", "show 2", "run threads/lock", "run --json once"])
def test_a_full_disk_is_reported_in_one_line(command: str) -> None:
    """No traceback of ours, and exit code 2."""
    ended = in_shell(f"$C {command} > /dev/full")
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "cookbook: cannot write the output: No space left on device"
    ]


def test_a_closed_standard_output_is_reported_in_one_line() -> None:
    """`>&-` leaves nothing to write to; a closed standard error does no harm."""
    ended = in_shell("$C run threads/lock >&-")
    assert (ended.returncode, ended.stderr) == (
        2,
        "cookbook: cannot write the output: standard output is closed\n",
    )
    ended = in_shell("$C run threads/lock 2>&- <&-")
    assert ended.returncode == 0
    assert "2 customers" in ended.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_encoding_without_our_characters_is_no_error(encoding: str) -> None:
    """What it lacks becomes a question mark, and an escape in JSON."""
    ran = cookbook("run", "threads/lock", "threads/rlock", PYTHONIOENCODING=encoding)
    assert ran.returncode == 0
    assert "? threads/lock" in ran.stdout
    assert ran.stderr == ""
    listed = json.loads(cookbook("list", "--json", PYTHONIOENCODING=encoding).stdout)
    assert listed == json.loads(cookbook("list", "--json").stdout)


def test_a_verdict_begins_its_own_line_on_a_terminal(tmp_path: Path) -> None:
    """Output without a final newline does not run into it; in a pipe nothing is added."""
    (tmp_path / "mine.py").write_text("print('no newline', end='')")
    shown = on_terminal("run", "mine.py", cwd=tmp_path)
    assert shown.splitlines()[0] == "no newline"
    assert cookbook("run", "mine.py", cwd=tmp_path).stdout == "no newline"


def test_list_gives_each_recipe_one_line_of_a_terminal() -> None:
    """No line is wider than the terminal; a title that does not fit ends with three dots in one."""
    lines = on_terminal("list", NO_COLOR="1").splitlines()
    assert max(map(len, lines)) <= 80
    for recipe in BOOK.recipes:
        (line,) = [one for one in lines if f" {recipe.id} " in f" {one} "]
        shown = line.partition(recipe.id)[2].strip()
        assert shown == recipe.title or recipe.title.startswith(shown.removesuffix("…"))


def test_show_on_a_terminal_cuts_no_code_off() -> None:
    """A line that is wider than the terminal is folded: its last word is there."""
    shown = on_terminal("show", "--no-pager", "threads/work_queue", NO_COLOR="1")
    recipe = BOOK.find("threads/work_queue")
    wide = [line for line in recipe.code.splitlines() if len(line) > 80]
    assert wide
    for line in wide:
        assert line.split()[-1] in shown
    assert "threads/work_queue::pitfall_one_sentinel" in shown


@pytest.mark.parametrize("chapter", BOOK.chapters, ids=lambda chapter: chapter.topic)
def test_diagrams_stay_whole_on_80_columns(chapter: Chapter) -> None:
    """Every line of a code block of a chapter's introduction is a line of what is shown."""
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as captured:
        console.print(chapter_page(chapter))
    shown = [line.strip() for line in captured.get().splitlines()]
    for block in MarkdownIt().parse(chapter.introduction):
        if block.type in {"fence", "code_block"}:
            for line in block.content.splitlines():
                assert len(line) <= 76
                assert line.strip() in shown


@pytest.mark.parametrize(
    "variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"]
)
@pytest.mark.parametrize("command", [("list",), ("show", "--no-pager", "2"), ("doctor",)])
def test_colours_are_left_out_where_they_are_not_wanted(
    command: tuple[str, ...], variables: dict[str, str]
) -> None:
    """No escape code at all is printed, by click's commands and by rich's."""
    assert ESCAPE not in on_terminal(*command, cwd=None, **variables)


def test_an_empty_no_color_says_nothing() -> None:
    """As no-color.org has it."""
    assert ESCAPE in on_terminal("list", NO_COLOR="")
    assert re.search(ESCAPE + r"\[\d*;?3\d", on_terminal("show", "--no-pager", "2", NO_COLOR=""))


def test_the_help_shows_whole_summaries() -> None:
    """A summary that is cut off with three dots helps nobody; `check` is the one that is long."""
    commands = cookbook("--help").stdout.partition("Commands:")[2].splitlines()
    cut_off = [line.split()[0] for line in commands if line.endswith("...")]
    assert set(cut_off) <= {"check"}


def test_the_suggestions_name_the_command_as_it_was_called() -> None:
    """What is suggested can be typed: `cookbook` alone only where that is this command."""
    assert "-m parallel_cookbook list" in cookbook().stdout
    beside = Path(sys.executable).parent
    called = in_shell(str(beside / "cookbook"))
    assert f"  {beside}/cookbook list" in called.stdout
    assert "  cookbook list" in in_shell("cookbook", PATH=f"{beside}:/usr/bin:/bin").stdout

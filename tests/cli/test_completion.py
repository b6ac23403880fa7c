"""What a shell is told when the user presses Tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands import cookbook

if TYPE_CHECKING:
    from pathlib import Path


def completed(line: str, cwd: Path | None = None) -> list[str]:
    """Return what bash is offered for the last word of `line`: lines of `type,value`."""
    words = line.split(" ")
    return cookbook(
        cwd=cwd,
        _COOKBOOK_COMPLETE="bash_complete",
        COMP_WORDS="\n".join(words),
        COMP_CWORD=str(len(words) - 1),
    ).stdout.splitlines()


def test_what_begins_with_the_typed_comes_before_what_contains_it() -> None:
    """`threads/l` is more likely the start of an id than a part of one."""
    offered = completed("cookbook run processes")
    assert offered[0].startswith("plain,processes/")
    assert offered[-1] == "plain,introduction/threads_and_processes"


def test_run_also_completes_python_files(tmp_path: Path) -> None:
    """The reader's own files, in a folder too; a shell's own completion where nothing fits."""
    (tmp_path / "mine").mkdir()
    for name in ("lock_mine.py", "mine/other.py"):
        (tmp_path / name).write_text("")
    assert completed("cookbook run lock_m", tmp_path) == ["plain,lock_mine.py"]
    assert completed("cookbook run mine/o", tmp_path) == ["plain,mine/other.py"]
    assert completed("cookbook run nothing/lik", tmp_path) == ["file,nothing/lik"]


def test_show_completes_chapters_too() -> None:
    """`cookbook show threads` shows a chapter."""
    assert "plain,threads" in completed("cookbook show thr")
    assert "plain,threads" not in completed("cookbook run thr")


def test_chapter_completes_numbers() -> None:
    """The chapters there are."""
    assert completed("cookbook run --chapter ")[:2] == ["plain,1", "plain,2"]


def test_after_the_dashes_only_files_are_offered() -> None:
    """What stands there belongs to the program, not to us."""
    assert completed("cookbook run threads/lock -- thr") == ["file,thr"]

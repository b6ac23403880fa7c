"""The learner's folder: what is copied, renewed, kept; and that nothing of the learner's is lost."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.errors import UsageError
from parallel_cookbook.practice.exercises import Exercise, load_exercises
from parallel_cookbook.practice.folder import (
    MARKER,
    NEW_NAME,
    Folder,
    find_folder,
    make_folder,
    new_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


@pytest.fixture
def book(tmp_path: Path) -> tuple[Exercise, ...]:
    """A book of its own with two exercises, which a test may change."""
    for place in ("ch01_introduction/01_first", "ch02_threads/01_second"):
        path = tmp_path / "book" / "exercises" / f"{place}.py"
        path.parent.mkdir(parents=True)
        path.write_text(f'"""{place}."""\n# TODO: mend it.\n')
    return load_exercises(tmp_path / "book")


@pytest.fixture
def folder(tmp_path: Path, book: tuple[Exercise, ...]) -> Folder:
    """A learner's folder as it is just after it was made."""
    return make_folder(tmp_path / "mine", book)


def later(folder: Folder) -> Folder:
    """Return the folder as the next window opens it."""
    opened = Folder(folder.root, folder.exercises)
    opened.bring_up_to_date()
    return opened


def test_each_exercise_is_copied_and_the_book_is_untouched(tmp_path: Path) -> None:
    """The copies have the book's bytes; the book's files are only read."""
    exercises = load_exercises()
    before = {exercise: exercise.path.stat() for exercise in exercises}
    folder = make_folder(tmp_path / "mine", exercises)
    for exercise in exercises:
        assert folder.path(exercise).read_bytes() == exercise.path.read_bytes()
        assert folder.status(exercise) == "untouched"
        assert exercise.path.stat().st_mtime_ns == before[exercise].st_mtime_ns
    assert folder.current is exercises[0]


def test_a_file_that_was_there_before_is_not_overwritten(
    tmp_path: Path, book: tuple[Exercise, ...]
) -> None:
    """Even in a folder that is made a learner's only now."""
    mine = tmp_path / "mine" / f"{book[0].place}.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    folder = make_folder(tmp_path / "mine", book)
    assert mine.read_text() == "mine"
    assert folder.status(book[0]) == "begun"


def test_a_removed_file_stays_removed(folder: Folder) -> None:
    """What the learner has taken away does not come back by itself, and is said to be missing."""
    first = folder.exercises[0]
    folder.path(first).unlink()
    opened = later(folder)
    assert opened.status(first) == "missing"
    assert not opened.path(first).exists()


def test_an_untouched_copy_is_renewed_with_the_book(folder: Folder) -> None:
    """A new version of an exercise takes the place of the old one, and a sentence says so."""
    first = folder.exercises[0]
    first.path.write_text("new version")
    opened = later(folder)
    assert opened.path(first).read_text() == "new version"
    (notice,) = opened.take_notices()
    assert "renewed" in notice
    assert first.id in notice
    assert later(opened).take_notices() == []


def test_a_touched_copy_is_never_renewed(folder: Folder) -> None:
    """The learner is told once of the new version, and the file stays."""
    first = folder.exercises[0]
    folder.path(first).write_text("half an answer")
    first.path.write_text("new version")
    opened = later(folder)
    assert opened.path(first).read_text() == "half an answer"
    (notice,) = opened.take_notices()
    assert "yours is kept" in notice
    assert later(opened).take_notices() == []
    first.path.write_text("still newer version")
    assert len(later(opened).take_notices()) == 1


def test_a_touched_copy_is_not_renewed_after_its_progress_was_damaged(folder: Folder) -> None:
    """What is not known to be untouched counts as touched."""
    first = folder.exercises[0]
    old = folder.path(first).read_text()
    (folder.root / MARKER / "progress.json").write_text("nonsense")
    first.path.write_text("new version")
    assert later(folder).path(first).read_text() == old


def test_a_new_exercise_is_copied_later(folder: Folder, tmp_path: Path) -> None:
    """The next version of the book may have more."""
    third = tmp_path / "book" / "exercises" / "ch02_threads" / "02_third.py"
    third.write_text('"""Third."""\n')
    opened = Folder(folder.root, load_exercises(tmp_path / "book"))
    assert opened.bring_up_to_date() == 1
    assert (folder.root / "ch02_threads" / "02_third.py").read_text() == '"""Third."""\n'


def test_a_learners_file_keeps_its_name_when_the_book_renumbers(
    folder: Folder, tmp_path: Path
) -> None:
    """An exercise is known by its id; where the copy stands is noted."""
    second = folder.exercises[1]
    folder.path(second).write_text("half an answer")
    second.path.rename(second.path.with_name("07_second.py"))
    opened = Folder(folder.root, load_exercises(tmp_path / "book"))
    opened.bring_up_to_date()
    assert opened.path(opened.exercises[1]).read_text() == "half an answer"
    assert not (folder.root / "ch02_threads" / "07_second.py").exists()


def test_reset_keeps_each_old_file(folder: Folder) -> None:
    """Every reset keeps what was there, under a name of its own; the copy is the book's again."""
    first = folder.exercises[0]
    for number in (1, 2):
        folder.path(first).write_text(f"answer {number}")
        kept = folder.reset(first)
        assert kept == folder.root / "kept" / "ch01_introduction" / f"01_first.{number}.py"
        assert kept.read_text() == f"answer {number}"
        assert folder.path(first).read_bytes() == first.path.read_bytes()
    assert folder.status(first) == "untouched"


def test_reset_keeps_nothing_where_there_is_nothing_to_keep(folder: Folder) -> None:
    """An untouched or a missing file leaves no copy."""
    first = folder.exercises[0]
    assert folder.reset(first) is None
    folder.path(first).unlink()
    assert folder.reset(first) is None
    assert folder.path(first).read_bytes() == first.path.read_bytes()
    assert not (folder.root / "kept").exists()


def a_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [a_link, a_folder, a_pipe])
def test_reset_keeps_what_is_no_file(folder: Folder, make: Callable[[Path], None]) -> None:
    """Whatever stands in the answer's place is moved aside, and the book's file takes the place."""
    first = folder.exercises[0]
    path = folder.path(first)
    path.unlink()
    make(path)
    kind = path.lstat().st_mode
    kept = folder.reset(first)
    assert kept is not None
    assert kept.lstat().st_mode == kind
    assert path.read_bytes() == first.path.read_bytes()
    assert not path.is_symlink()


def test_reset_that_cannot_keep_the_file_leaves_it(folder: Folder) -> None:
    """If the old file cannot be kept, it is not replaced either."""
    first = folder.exercises[0]
    folder.path(first).write_text("mine")
    (folder.root / "kept").write_text("in the way")
    with pytest.raises(UsageError, match="your file is as it was"):
        folder.reset(first)
    assert folder.path(first).read_text() == "mine"


def test_passes_are_seen_by_the_other_window(folder: Folder) -> None:
    """Two windows of one folder share their progress."""
    other = Folder(folder.root, folder.exercises)
    first, second = folder.exercises
    folder.note_pass(first, "digest")
    other.note_pass(second, "digest")
    assert other.passed == 2
    folder.reload()
    assert folder.passed == 2


def test_the_first_pass_is_dated_and_stays(folder: Folder) -> None:
    """To pass again, or to break the answer later, takes nothing away."""
    first = folder.exercises[0]
    folder.note_pass(first, "one")
    passed_at = folder.progress.of(first.id).passed_at
    folder.note_pass(first, "two")
    assert folder.progress.of(first.id).passed_at == passed_at
    folder.path(first).write_text("broken")
    assert folder.status(first) == "passed"


def test_the_current_exercise_is_the_last_or_the_next_open_one(folder: Folder) -> None:
    """The window opens where the learner left off; after a pass, at what is open; after all, anywhere."""
    first, second = folder.exercises
    folder.choose(second)
    assert Folder(folder.root, folder.exercises).current is second
    folder.note_pass(second, "digest")
    assert folder.current is first
    folder.note_pass(first, "digest")
    assert folder.current in folder.exercises
    assert folder.previous(first) is second


@pytest.mark.parametrize("place", ["../../outside.py", "/etc/passwd", ""])
def test_no_progress_file_leads_out_of_the_folder(folder: Folder, place: str) -> None:
    """A place outside that stands in a progress file is not believed."""
    first = folder.exercises[0]
    folder._file.update(lambda old: old.with_entry(first.id, file=place))
    opened = Folder(folder.root, folder.exercises)
    assert opened.path(first) == folder.root / "ch01_introduction" / "01_first.py"


def test_a_folder_is_found_from_within_and_from_above(folder: Folder, tmp_path: Path) -> None:
    """In it, below it, and beside it if it bears its usual name."""
    assert find_folder(folder.root) == folder.root
    assert find_folder(folder.root / "ch02_threads") == folder.root
    assert find_folder(tmp_path) is None
    shutil.move(folder.root, tmp_path / NEW_NAME)
    assert find_folder(tmp_path) == tmp_path / NEW_NAME


def test_an_empty_folder_is_used_itself_and_another_gets_one(tmp_path: Path) -> None:
    """Exercises are not strewn among other files."""
    assert new_folder(tmp_path) == tmp_path
    (tmp_path / "thesis.tex").write_text("")
    assert new_folder(tmp_path) == tmp_path / NEW_NAME
    (tmp_path / MARKER).mkdir()  # by another window, just now
    assert new_folder(tmp_path) == tmp_path


@pytest.mark.skipif(
    sys.platform != "linux" and os.geteuid() == 0, reason="root may write everywhere on this system"
)
@pytest.mark.parametrize("before", ["new", "made", "damaged"])
def test_in_a_read_only_folder(tmp_path: Path, before: str) -> None:
    """To begin there is refused in a sentence; to go on works, and says that nothing can be noted."""
    root = tmp_path / "mine"
    root.mkdir()
    if before != "new":
        make_folder(root, load_exercises())
    if before == "damaged":
        (root / MARKER / "progress.json").write_text("nonsense")
    for place in (root / MARKER, root):
        if place.exists():
            place.chmod(0o555)
    ran = subprocess.run(
        [sys.executable, "-m", "parallel_cookbook", "practice"],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=obey_permissions,
    )
    assert "Traceback" not in ran.stderr
    if before == "new":
        assert "Permission denied; name another one with --dir" in ran.stderr
        assert ran.returncode == 2
        return
    assert "introduction/eager_call  not right yet" in ran.stdout
    told = "damaged, and cannot be kept" if before == "damaged" else "progress cannot be written"
    assert told in ran.stderr
    assert ran.returncode == 1
    if before == "damaged":
        assert (root / MARKER / "progress.json").read_text() == "nonsense"


def obey_permissions() -> None:
    """Let even root obey the permissions of files, from the next program on."""
    if os.geteuid() == 0:
        assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0

"""The learner's folder: a copy of each exercise to work on, and the progress beside them.

The book's own files are only read. A file that the learner has changed is never overwritten: `reset` keeps it
aside first. A copy that nobody has touched is renewed when the book brings a new version of its exercise.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from parallel_cookbook.errors import UsageError
from parallel_cookbook.practice.progress import Progress, ProgressFile, write_at_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parallel_cookbook.practice.exercises import Exercise

MARKER = ".cookbook-practice"
"""The folder within a learner's folder by which that is known; it holds the progress."""
NEW_NAME = "cookbook-practice"
"""What a learner's folder is called that is made beside other things."""
KEPT = "kept"
"""The folder within a learner's folder for files that were reset."""
_MOST_BYTES = 4 << 20
"""No answer is so large; of what is larger only the outside is looked at."""

EMPTY = hashlib.sha256(b"").hexdigest()
"""The digest of an empty file."""

Status = Literal["passed", "begun", "untouched", "missing"]


class Folder:
    """A learner's folder with a copy of each exercise."""

    def __init__(self, root: Path, exercises: Sequence[Exercise]) -> None:
        self.root = root
        self.exercises = tuple(exercises)
        self._file = ProgressFile(root / MARKER / "progress.json")
        self._notices: list[str] = []
        self.progress = self._file.read()
        """As it was read last."""

    # --- reading --------------------------------------------------------------------------------

    def reload(self) -> Progress:
        """Read the progress again, which another window may have changed."""
        self.progress = self._file.read()
        return self.progress

    def take_notices(self) -> list[str]:
        """Return what the learner should know of the folder, each sentence once."""
        notices, self._notices = self._notices, []
        return self._file.take_notices() + notices

    def path(self, exercise: Exercise) -> Path:
        """Return where the learner's copy stands, or would stand."""
        return answer_path(self.root, self.progress, exercise)

    def status(self, exercise: Exercise) -> Status:
        """Return how far an exercise has come. Reads its files."""
        if self.progress.has_passed(exercise.id):
            return "passed"
        digest = digest_of(self.path(exercise))
        if not digest:
            return "missing"
        untouched = {self.progress.of(exercise.id).copied, _digest(exercise.path.read_bytes())}
        return "untouched" if digest in untouched else "begun"

    @property
    def passed(self) -> int:
        """How many exercises were passed."""
        return sum(self.progress.has_passed(exercise.id) for exercise in self.exercises)

    @property
    def current(self) -> Exercise:
        """The exercise to work on: that of the last time, or, if it was passed, the next open one."""
        for exercise in self.exercises:
            if exercise.id == self.progress.current:
                is_done = self.progress.has_passed(exercise.id)
                return self.next_open(exercise) if is_done else exercise
        return self.next_open(None)

    def next_open(self, exercise: Exercise | None) -> Exercise:
        """Return the next exercise that was not passed, from the beginning again after the last.

        If all were passed, the next one of all. None stands before the first.
        """
        start = -1 if exercise is None else self.exercises.index(exercise)
        ahead = self.exercises[start + 1 :] + self.exercises[: start + 1]
        return next((each for each in ahead if not self.progress.has_passed(each.id)), ahead[0])

    def previous(self, exercise: Exercise) -> Exercise:
        """Return the exercise before, passed or not; the last one before the first."""
        return self.exercises[self.exercises.index(exercise) - 1]

    # --- writing --------------------------------------------------------------------------------

    def choose(self, exercise: Exercise) -> None:
        """Note that this exercise is worked on."""
        if self.progress.current != exercise.id:
            self.progress = self._file.update(lambda old: replace(old, current=exercise.id))

    def note_pass(self, exercise: Exercise, digest: str) -> None:
        """Note that the answer with this digest was proven right."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

        def change(old: Progress) -> Progress:
            passed_at = old.of(exercise.id).passed_at or now
            return old.with_entry(exercise.id, passed_at=passed_at, answer=digest)

        self.progress = self._file.update(change)

    def note_hints(self, exercise: Exercise, number: int) -> None:
        """Note that so many hints were shown."""

        def change(old: Progress) -> Progress:
            return old.with_entry(exercise.id, hints=max(number, old.of(exercise.id).hints))

        self.progress = self._file.update(change)

    def reset(self, exercise: Exercise) -> Path | None:
        """Put the book's version in the place of the learner's copy; return where that is kept.

        None: there was nothing to keep. Raises UsageError if it cannot be kept or written: then nothing
        has changed.
        """
        path = self.path(exercise)
        text = exercise.path.read_bytes()
        try:
            kept = (
                self._keep(path) if _is_there(path) and digest_of(path) != _digest(text) else None
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            write_at_once(path, text)
        except OSError as error:
            raise UsageError(
                f"cannot reset {str(path)!r}: {error.strerror}; your file is as it was"
            ) from None
        place = path.relative_to(self.root).as_posix()
        digest = _digest(text)
        self.progress = self._file.update(
            lambda old: old.with_entry(exercise.id, file=place, copied=digest, told="")
        )
        return kept

    def bring_up_to_date(self) -> int:
        """Copy exercises that are new, renew copies that nobody has touched; return how many are new.

        Raises UsageError if a file cannot be written.
        """
        changes: dict[str, dict[str, str]] = {}
        for exercise in self.exercises:
            try:
                change = self._bring_up_to_date(exercise)
            except OSError as error:
                raise UsageError(
                    f"cannot write {str(self.path(exercise))!r}: {error.strerror}; "
                    f"correct that, or name another folder with --dir"
                ) from None
            if change:
                changes[exercise.id] = change
        new = [name for name in changes if not self.progress.of(name).file]
        if changes:
            self.progress = self._file.update(lambda old: _with_changes(old, changes))
        return len(new)

    # --- inside ---------------------------------------------------------------------------------

    def _bring_up_to_date(self, exercise: Exercise) -> dict[str, str]:
        """Copy or renew an exercise if that is due; return what is to be noted of it."""
        path, entry = self.path(exercise), self.progress.of(exercise.id)
        text = exercise.path.read_bytes()
        book, digest = _digest(text), digest_of(path)
        is_there = _is_there(path)
        if entry.copied == book or (entry.file and not is_there):
            return {}  # as it was copied; or the learner has taken it away
        if not is_there:
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError), path.open("xb") as file:
                file.write(text)
        elif entry.copied and digest == entry.copied:
            write_at_once(path, text)
            self._notices.append(f"{exercise.id} is renewed: the book has a new version of it")
        elif entry.file and digest != book:
            return self._tell_of_new_version(exercise, book)
        place = path.relative_to(self.root).as_posix()
        return {"file": place, "copied": book, "told": ""}

    def _tell_of_new_version(self, exercise: Exercise, book: str) -> dict[str, str]:
        if self.progress.of(exercise.id).told == book:
            return {}
        self._notices.append(
            f"the book has a new version of {exercise.id}; yours is kept, because you have changed it "
            f"(`cookbook practice reset {exercise.id}` takes the new one)"
        )
        return {"told": book}

    def _keep(self, path: Path) -> Path:
        """Keep what stands at `path` in the folder of kept files, under a name of its own.

        A file is copied, so that it is always at its place; a link or a folder is moved.
        """
        place = path.relative_to(self.root)
        folder = self.root / KEPT / place.parent
        folder.mkdir(parents=True, exist_ok=True)
        is_plain = path.is_file() and not path.is_symlink()
        data = path.read_bytes() if is_plain else b""
        number = 1
        while True:
            kept = folder / f"{place.stem}.{number}{place.suffix}"
            try:
                with kept.open("xb") as file:
                    file.write(data)
            except FileExistsError:
                number += 1
                continue
            if not is_plain:
                kept.unlink()
                path.rename(kept)
            return kept


def _with_changes(progress: Progress, changes: Mapping[str, dict[str, str]]) -> Progress:
    for name, change in changes.items():
        progress = progress.with_entry(name, **change)
    return progress


def answer_path(root: Path, progress: Progress, exercise: Exercise) -> Path:
    """Return where the answer to an exercise stands in the folder `root`, or would stand."""
    place = progress.of(exercise.id).file
    return root / (place if _is_inside(place) else f"{exercise.place}.py")


def find_folder(start: Path) -> Path | None:
    """Return the learner's folder that `start` is, is in, or holds under its usual name; None if none."""
    for folder in (start, *start.parents, start / NEW_NAME):
        if is_folder(folder):
            return folder
    return None


def is_folder(root: Path) -> bool:
    """Whether this is a learner's folder that can be looked into."""
    return os.path.isdir(root / MARKER)  # noqa: PTH112 - a Path would raise without permission


def new_folder(start: Path) -> Path:
    """Return where a learner's folder is to be made: an empty folder itself, else one within.

    Raises UsageError if `start` cannot be listed.
    """
    try:
        others = any(path.name != MARKER for path in start.iterdir())
    except FileNotFoundError:
        return start
    except OSError as error:
        raise UsageError(
            f"cannot use {str(start)!r}: {error.strerror}; name another folder with --dir"
        ) from None
    # Another window may have made it a learner's folder since somebody looked.
    return start / NEW_NAME if others and not is_folder(start) else start


def make_folder(root: Path, exercises: Sequence[Exercise]) -> Folder:
    """Make `root` a learner's folder, with a copy of each exercise. No file that is there is touched.

    Raises UsageError if it cannot be made.
    """
    try:
        (root / MARKER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {str(root)!r}: {error.strerror}; name another one with --dir"
        ) from None
    folder = Folder(root, exercises)
    folder.bring_up_to_date()
    return folder


def digest_of(path: Path) -> str:
    """Return a digest of a file's bytes; empty if it is no regular file that can be read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # to read a pipe would wait
            return ""
        if status.st_size > _MOST_BYTES:
            return f"{status.st_size} bytes of {status.st_mtime_ns}"
        return _digest(path.read_bytes())
    except OSError:
        return ""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _is_inside(place: str) -> bool:
    """Whether a progress file names a place within the folder: it may have been edited."""
    path = PurePosixPath(place)
    return bool(place) and not path.is_absolute() and ".." not in path.parts

"""What a learner has done so far: a file in his folder that survives crashes and two windows at once.

Each change is read, made and written under a lock on a file beside it, and the new text takes the place of
the old in one step. So a reader needs no lock, and a crash leaves the old text or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from parallel_cookbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SCHEMA = 1
_LOCK_S = 5.0
"""How long the lock is waited for: who has it needs milliseconds, unless it was stopped in between."""
_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one exercise in a learner's folder."""

    file: str = ""
    """Where the learner's copy stands, from the folder; empty if there never was one."""
    copied: str = ""
    """The digest of the book's text that the copy began with."""
    told: str = ""
    """The digest of a newer text of the book's of which the learner was told."""
    passed_at: str = ""
    """When an answer was first proven right, as ISO 8601 in UTC; empty if never."""
    answer: str = ""
    """The digest of the answer that was proven right last."""
    hints: int = 0
    """How many hints were shown."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of all exercises, by their ids."""

    current: str = ""
    """The id of the exercise that was worked on last; empty at the beginning."""
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def of(self, exercise: str) -> Entry:
        """Return what is known of an exercise; an empty entry if that is nothing."""
        return self.entries.get(exercise, Entry())

    def has_passed(self, exercise: str) -> bool:
        """Whether an answer to it was proven right."""
        return bool(self.of(exercise).passed_at)

    def with_entry(self, exercise: str, **changes: Any) -> Progress:  # noqa: ANN401 - an Entry's fields
        """Return the same with some fields of an exercise's entry changed."""
        entry = replace(self.of(exercise), **changes)
        return replace(self, entries={**self.entries, exercise: entry})


class ProgressFile:
    """The file of a learner's progress.

    Guarantees: no change of another process is lost; a file that cannot be understood is kept aside, not
    overwritten; what cannot be written now is written with the next change that can.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path.with_name("lock")
        self._unwritten: list[Callable[[Progress], Progress]] = []
        self._notices: list[str] = []
        self._has_told_of_damage = False

    def take_notices(self) -> list[str]:
        """Return what there is to tell of the file, each sentence once."""
        notices, self._notices = self._notices, []
        return notices

    def read(self) -> Progress:
        """Return the progress as it stands now, with what could not be written.

        Raises UsageError if the file may not be read, or belongs to a newer version of this package.
        """
        try:
            progress = self.parse()
        except _CorruptError:
            progress = self._set_aside()
        for change in self._unwritten:
            progress = change(progress)
        return progress

    def update(self, change: Callable[[Progress], Progress]) -> Progress:
        """Make a change and return what came of it; blocks while another process makes one.

        change: returns the new progress, and does nothing else: it may be called again.

        Raises UsageError as `read` does. That the file cannot be written is no error: it is told in
        `take_notices`, and the change is kept in memory.
        """
        had_failed = bool(self._unwritten)
        self._unwritten.append(change)
        try:
            with self._locked():
                progress = old = self._read_or_set_aside()
                for each in self._unwritten:
                    progress = each(progress)
                if progress != old or not self.path.exists():
                    self._write(progress)
        except OSError as error:
            if not had_failed:
                self._notices.append(
                    f"your progress cannot be written to {str(self.path)!r}: {error.strerror}; "
                    f"it lasts until you leave"
                )
            return self.read()
        except UsageError:
            self._unwritten.pop()
            raise
        self._unwritten.clear()
        return progress

    # --- inside ---------------------------------------------------------------------------------

    def _set_aside(self) -> Progress:
        """Keep a damaged file aside, and begin a new one; return what another window has begun, if any."""
        try:
            with self._locked():
                return self._read_or_set_aside()
        except OSError as error:
            if not self._has_told_of_damage:
                self._has_told_of_damage = True
                self._notices.append(
                    f"the file of your progress, {str(self.path)!r}, is damaged, and cannot be kept "
                    f"aside: {error.strerror}; what you do now is not noted"
                )
            return Progress()

    def _read_or_set_aside(self) -> Progress:
        """Return what the file says; under the lock. A file that cannot be understood is kept aside.

        Raises OSError if it cannot be.
        """
        try:
            return self.parse()
        except _CorruptError as error:
            kept = _free_name(self.path)
            self.path.rename(kept)
            self._notices.append(
                f"the file of your progress was damaged ({error}); it is kept as {kept.name!r}, and a "
                f"new one is begun; `cookbook practice check --all` finds what you have solved"
            )
            return Progress()

    def parse(self) -> Progress:
        """Return what the file says; what `read` and `update` begin with."""
        try:
            data = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return Progress()
        except IsADirectoryError:
            raise _CorruptError("it is a folder") from None
        except OSError as error:
            raise UsageError(
                f"cannot read your progress in {str(self.path)!r}: {error.strerror}; "
                f"correct that, or name another folder with --dir"
            ) from None
        except (ValueError, RecursionError):
            raise _CorruptError("it is no JSON") from None
        return _progress_from(data, self.path)

    def _write(self, progress: Progress) -> None:
        entries = {name: asdict(entry) for name, entry in progress.entries.items()}
        data = {"schema": SCHEMA, "current": progress.current, "exercises": entries}
        write_at_once(self.path, json.dumps(data, indent=1).encode())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock. Raises OSError if there can be none."""
        try:
            handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            if self.path.exists() and not os.access(self.path.parent, os.W_OK):
                yield  # nobody writes here, so there is nothing to exclude
                return
            raise
        try:
            _lock(handle)
            yield
        finally:
            os.close(handle)


def peek(path: Path) -> Progress:
    """Return the progress in a file of somebody else's, and change nothing; none if it makes no sense."""
    try:
        return ProgressFile(path).parse()
    except (_CorruptError, UsageError):
        return Progress()


def write_at_once(path: Path, data: bytes) -> None:
    """Put `data` in the place of what `path` holds, in one step; under a lock of the caller's.

    After a crash the file holds the old bytes or the new ones. Raises OSError.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


class _CorruptError(Exception):
    """The file holds something else than progress."""


def _lock(handle: int) -> None:
    deadline = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise OSError(
                    errno.EBUSY, "another window has been writing to it for long"
                ) from None
            time.sleep(_LOOK_S)
        except OSError:  # some network folders know no locks: the change is still made in one step
            return
        else:
            return


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    return kept


def _progress_from(data: object, path: Path) -> Progress:
    """Return what a file's JSON says. Raises _CorruptError, and UsageError for that of a newer version."""
    if not isinstance(data, dict):
        raise _CorruptError("it is no JSON object")
    schema = data.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise UsageError(
            f"your progress in {str(path)!r} was written by a newer version of cookbook "
            f"(schema {schema}, known is {SCHEMA}); install that one, or name another folder with --dir"
        )
    current, exercises = data.get("current"), data.get("exercises")
    if schema != SCHEMA or not isinstance(current, str) or not isinstance(exercises, dict):
        raise _CorruptError("something is missing in it")
    return Progress(current, {name: _entry_from(entry) for name, entry in exercises.items()})


def _entry_from(data: object) -> Entry:
    if not isinstance(data, dict):
        raise _CorruptError("an exercise's entry is no object")
    known: dict[str, Any] = {}
    for each in fields(Entry):
        value = data.get(each.name, each.default)
        if type(value) is not type(each.default):
            raise _CorruptError(f"{each.name!r} of an exercise is {value!r:.40}")
        known[each.name] = value
    if known["hints"] < 0:
        raise _CorruptError(f"'hints' of an exercise is {known['hints']!r:.40}")
    return Entry(**known)

"""Write a process' records: through a memory map, so that each is safe once it is written.

The file is as long as it may ever become, but has room on the disk only for the part that `Tape.view` covers;
`overflow` gives it more room. A writer claims a place, which is never claimed twice, and
packs a record there; if the view is too short, that raises, and `overflow` takes over. So the common case
has no lock and no check, and a disk that is full is found out before anybody writes where there is no room
(that would kill the program with SIGBUS).
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
from _thread import allocate_lock, get_ident
from itertools import count, repeat
from struct import error
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import (
    HAS_MORE,
    HEADER,
    HEADER_BYTES,
    LOST_AT,
    MAGIC,
    MORE,
    MORE_RECORD,
    RECORD,
    RECORD_BYTES,
    USED_AT,
)

TYPE_CHECKING = False  # typing takes longer to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK_BYTES = 1 << 20
MAX_BYTES = 1 << 29
"""What the records of one process may take: 16 million of them. Mapped, it counts as address space."""
_SIZES = (MAX_BYTES, 1 << 26, 1 << 22)
_NOWHERE = 1 << 62
_MIN, _MAX = -(1 << 31), (1 << 31) - 1
_CLAIMED_BYTES = 1 << 15
"""More than all threads can have claimed and not yet written; less than the reader takes for the end."""
_RETRY_AFTER = 4096
"""Lost records until the disk is asked again for room."""


class Tape:
    """Where this process writes what it does.

    `view` and `claim` may change at any moment; every place is valid with every view, or
    beyond its end.
    """

    __slots__ = (
        "_base",
        "_grower",
        "_is_full",
        "_lock",
        "_lost",
        "_map",
        "_max",
        "_names",
        "_names_id",
        "_room",
        "claim",
        "folder",
        "stem",
        "view",
    )

    def __init__(self) -> None:
        self.folder = ""
        self.stem = ""
        self._names = -1
        self._forget()

    def _forget(self) -> None:
        """Be closed; another thread may have held the lock when we were forked."""
        self.view = memoryview(b"")
        self.claim: Callable[[], int] = repeat(_NOWHERE).__next__
        self._base = ""
        self._lock = allocate_lock()
        self._room = self._lost = self._grower = 0
        self._is_full = False
        self._max = 0
        self._map: mmap.mmap | None = None

    @property
    def is_open(self) -> bool:
        """Whether this process is recorded."""
        return self._map is not None

    def open(self, folder: str, **about: object) -> None:
        """Begin the files of this process; `about` is what their reader is to know of it.

        Also in a forked child, which leaves those of its parent alone.
        """
        self._close_names()
        self._forget()
        moment = monotonic_ns()
        about |= {"process": os.getpid(), "began": moment, "main": get_ident()}
        self.folder = folder
        self.stem = f"{os.getpid()}-{moment}"
        self._base = os.path.join(folder, self.stem)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        file = -1
        try:
            self._names = os.open(self._base + ".names", flags | os.O_APPEND, 0o600)
            self._names_id = _identity(self._names)
            file = os.open(self._base + ".tape", flags, 0o600)
            self._max, self._map = _map_largest(file)
        except OSError:  # no room, or no folder any more: the program goes on, unrecorded
            return
        finally:
            if file >= 0:
                os.close(file)
        HEADER.pack_into(self._map, 0, MAGIC, os.getpid(), moment, 0, 0)
        self.view = memoryview(self._map)[:_CHUNK_BYTES]
        self._room = _CHUNK_BYTES
        self.name(**about)
        self.claim = count(HEADER_BYTES, RECORD_BYTES).__next__

    def name(self, **words: object) -> None:
        """Write a line of words."""
        if not self._base:
            return
        line = (repr(words) + "\n").encode("utf-8", "backslashreplace")
        try:
            if self._names < 0 or _identity(self._names) != self._names_id:
                # The program has closed what it does not know, and may have files of its own there.
                flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
                self._names = os.open(self._base + ".names", flags)
                self._names_id = _identity(self._names)
            os.write(self._names, line)
        except OSError:
            self._lose()

    def _close_names(self) -> None:
        if self._names >= 0 and _identity(self._names) == self._names_id:
            os.close(self._names)
        self._names = -1

    def write(
        self,
        kind: int,
        thing: int = 0,
        site: int = 0,
        value: int = 0,
        flags: int = 0,
        moment: int = 0,
        ident: int = 0,
    ) -> None:
        """Write a record of something that takes no time: at `moment`, or now."""
        ident = ident or get_ident()
        if not _MIN <= value <= _MAX:
            self.write_long(
                kind, moment or monotonic_ns(), thing, site, value, flags, moment, ident
            )
            return
        words = (moment or monotonic_ns(), ident, site, thing, value, flags, kind)
        try:
            RECORD.pack_into(self.view, self.claim(), *words)
        except error:
            self.overflow(*words)

    def write_long(
        self,
        kind: int,
        began: int,
        thing: int = 0,
        site: int = 0,
        value: int = 0,
        flags: int = 0,
        moment: int = 0,
        ident: int = 0,
        extra: int = -1,
    ) -> None:
        """Write a record of something that began at `began` and ended at `moment`, or now."""
        ident = ident or get_ident()
        moment = moment or monotonic_ns()
        low = (value - _MIN) % (1 << 32) + _MIN
        more = (began, ident, extra, value >> 32, flags, MORE)
        try:
            MORE_RECORD.pack_into(self.view, self.claim(), *more)
        except error:
            if not self._overflow(MORE_RECORD.pack_into, more):
                return
        words = (moment, ident, site, thing, low, flags | HAS_MORE, kind)
        try:
            RECORD.pack_into(self.view, self.claim(), *words)
        except error:
            self.overflow(*words)

    def overflow(self, *words: int) -> None:
        """Write a record for which the view was too short, or count it as lost."""
        self._overflow(RECORD.pack_into, words)

    def _overflow(self, pack: Callable[..., None], words: tuple[int, ...]) -> bool:
        if self._map is None:
            return False
        while True:
            place = self.claim()
            if place == _NOWHERE:
                self._lose()
                if self._lost % _RETRY_AFTER or not self._make_room():
                    return False
                continue
            while place + RECORD_BYTES > self._room:
                if not self._make_room(place):
                    self._lose()
                    return False
            pack(self.view, place, *words)
            return True

    def _make_room(self, place: int = _NOWHERE) -> bool:
        """Let the view cover more; False if the disk has no room, or the file may not grow."""
        if self._grower == get_ident():  # a signal handler, in the midst of this very function
            return False
        with self._lock:
            if place + RECORD_BYTES <= self._room or (place == _NOWHERE and not self._is_full):
                return True  # another thread did it
            self._grower = get_ident()
            try:
                return self._grow()
            finally:
                self._grower = 0

    def _grow(self) -> bool:
        assert self._map is not None  # noqa: S101 - looked at before
        begin, room = self._room, self._room + _CHUNK_BYTES
        if room > self._max or not _reserve_at(self._base + ".tape", begin):
            self.claim = repeat(_NOWHERE).__next__
            self._is_full = True
            return False
        # What lies far behind is written; its pages need not count as this process' memory.
        behind = begin - 4 * _CHUNK_BYTES
        if behind >= 0 and sys.platform == "linux":
            self._map.madvise(mmap.MADV_DONTNEED, behind, _CHUNK_BYTES)
        # In this order: making the view may collect garbage, which may be recorded.
        self.view = memoryview(self._map)[:room]
        self._room = room
        if self._is_full:  # no longer; places near the beginning may have been claimed before
            self.claim = count(begin + _CLAIMED_BYTES, RECORD_BYTES).__next__
            self._is_full = False
        return True

    def _lose(self) -> None:
        self._lost += 1
        if self._map is not None:
            self._map[LOST_AT : LOST_AT + 8] = self._lost.to_bytes(8, "little")

    def finish(self) -> None:
        """Note how much is used, and give back the rest. What is written after that is still kept."""
        if self._map is None:
            return
        used = min(self.claim(), self._room)
        self._map[USED_AT : USED_AT + 8] = used.to_bytes(8, "little")


def _reserve_at(path: str, begin: int) -> bool:
    """Give the next chunk of a file room on the disk; False if there is none."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        _reserve(file, begin, _CHUNK_BYTES)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def _map_largest(file: int) -> tuple[int, mmap.mmap]:
    """Map as much of a file as this process may; raise OSError if that is next to nothing.

    A program may have limits: of the size of files, of its address space.
    """
    for size in _SIZES:
        try:
            os.ftruncate(file, size)
            _reserve(file, 0, _CHUNK_BYTES)
            return size, mmap.mmap(file, size)
        except OSError as error:
            if size == _SIZES[-1] or error.errno == errno.ENOSPC:
                raise
    raise AssertionError


def _reserve(file: int, begin: int, length: int) -> None:
    """Give this part of a file room on the disk; raise OSError if there is none."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, begin, length)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:
                raise
        else:
            return
    zeros = bytes(1 << 16)  # macOS, and file systems that cannot do better
    for place in range(begin, begin + length, len(zeros)):
        os.pwrite(file, zeros, place)


def _identity(file: int) -> tuple[int, int]:
    """Tell which file a descriptor stands for now; (0, 0) for none."""
    try:
        status = os.fstat(file)
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


tape = Tape()
"""This process' tape."""

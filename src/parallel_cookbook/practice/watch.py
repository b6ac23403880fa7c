"""Notices that files in a learner's folder were written, replaced, removed or renamed.

The watcher only says "look"; what there is to see, `digest_of` says. So it does not matter how an editor
saves: in place, by a new file that takes the name of the old one, or by removing it first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from parallel_cookbook.practice.folder import EMPTY, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from watchdog.observers.api import BaseObserver

_CHANGES: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]
"""Not that a file was opened, or closed without a change: to look at it does that."""
_LOOK_S = 0.03
MAX_SETTLE_S = 0.3
"""How long a file is waited for that is missing, empty, or still being written."""


class Watch:
    """Calls `on_change`, in a thread of its own, whenever something changes in one of the folders.

    folders: each is watched without those within it. As a context manager it leaves no thread behind.
    """

    def __init__(self, folders: Iterable[Path], on_change: Callable[[], None]) -> None:
        self._folders = tuple(folders)
        self._handler = _Handler(on_change)
        self._observer: BaseObserver | None = None

    @property
    def is_watching(self) -> bool:
        """Whether changes are noticed; else somebody has to look now and then."""
        return self._observer is not None

    def __enter__(self) -> Self:
        observer = Observer()
        try:
            for folder in self._folders:
                observer.schedule(self._handler, str(folder), event_filter=_CHANGES)
            observer.start()
        except OSError:  # too many files are watched, or a folder is gone
            observer.stop()
            return self
        self._observer = observer
        return self

    def __exit__(self, *_error: object) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None


def settled_digest(path: Path) -> str:
    """Return the digest of a file once it stands still; empty if it is missing.

    Blocks for 0.03 s as a rule, and for at most 0.3 s: an editor may remove a file, or empty it, before it
    writes it.
    """
    deadline = time.monotonic() + MAX_SETTLE_S
    seen = digest_of(path)
    while time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        found = digest_of(path)
        if found == seen and found not in {"", EMPTY}:
            break
        seen = found
    return seen


class _Handler(FileSystemEventHandler):
    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change

    def on_any_event(self, event: FileSystemEvent) -> None:
        del event
        self._on_change()

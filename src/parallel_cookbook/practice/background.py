"""Grades answers in a thread, so that who watches the keyboard never waits; the newest request wins."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from parallel_cookbook.practice.folder import digest_of
from parallel_cookbook.practice.grade import DEFAULT_MAX_SECONDS, Grader, Progress
from parallel_cookbook.practice.watch import settled_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parallel_cookbook.practice.exercises import Exercise
    from parallel_cookbook.practice.result import Grade


_MAX_TRIES = 3
"""An answer that writes to its own file is not graded for ever."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request."""

    exercise: Exercise
    digest: str
    """Of the answer that was graded; empty if it was missing."""
    grade: Grade


class BackgroundGrader:
    """Grades in a thread of its own; as a context manager it leaves neither thread nor process behind.

    All that follows may be called from one other thread; `_changed` guards what the two share.
    """

    def __init__(
        self, on_news: Callable[[], None], *, max_seconds: float = DEFAULT_MAX_SECONDS
    ) -> None:
        self._on_news = on_news
        self._max_seconds = max_seconds
        self._changed = threading.Condition()
        self._wanted: tuple[Exercise, Path] | None = None
        self._is_over = False
        self._outcome: Outcome | None = None
        self._error: Exception | None = None
        self._progress: Progress | None = None
        self._thread = threading.Thread(target=self._work, name="grader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()

    def request(self, exercise: Exercise, answer: Path) -> None:
        """Ask for a grade; one that is under way, or not taken yet, is given up."""
        with self._changed:
            self._wanted = (exercise, answer)
            self._outcome = None
            self._progress = Progress(0, 0.0, 0.0)
            self._changed.notify()

    def take(self) -> Outcome | None:
        """Return the outcome of the last request, once; None as long as there is none.

        Raises what went wrong in the grader itself, such as OSError where no process can be started.
        """
        with self._changed:
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            outcome, self._outcome = self._outcome, None
            return outcome

    @property
    def progress(self) -> Progress | None:
        """How far the grade under way has come; None if there is none."""
        return self._progress

    # --- in the thread --------------------------------------------------------------------------

    def _work(self) -> None:
        grader = Grader()
        try:
            while (wanted := self._next()) is not None:
                try:
                    self._grade(grader, *wanted)
                except _GivenUpError:
                    continue
                except Exception as error:  # noqa: BLE001 - it is raised in the thread that asks
                    with self._changed:
                        self._error, self._progress = error, None
                    self._on_news()
        finally:
            grader.close()

    def _next(self) -> tuple[Exercise, Path] | None:
        """Wait for a request; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._is_over)
            wanted, self._wanted = self._wanted, None
            return None if self._is_over else wanted

    def _grade(self, grader: Grader, exercise: Exercise, answer: Path) -> None:
        """Grade an answer, again if it was written meanwhile."""
        for _ in range(_MAX_TRIES):
            digest = settled_digest(answer)
            self._tell(Progress(0, 0.0, 0.0))
            grade = grader.grade(
                exercise, answer, max_seconds=self._max_seconds, on_progress=self._tell
            )
            if digest_of(answer) == digest:
                break
        with self._changed:
            if self._wanted is None:
                self._outcome, self._progress = Outcome(exercise, digest, grade), None
        self._on_news()

    def _tell(self, progress: Progress) -> None:
        with self._changed:
            if self._is_over or self._wanted is not None:
                raise _GivenUpError
            self._progress = progress
        self._on_news()


class _GivenUpError(Exception):
    """Nobody wants this grade any more."""

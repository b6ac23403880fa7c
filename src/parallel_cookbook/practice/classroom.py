"""Find the answers of a classroom: one learner's folder, or a folder that holds one for each learner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.errors import UsageError
from parallel_cookbook.practice.folder import MARKER, answer_path
from parallel_cookbook.practice.progress import peek

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from parallel_cookbook.practice.exercises import Exercise

Answers = dict["Exercise", "Path"]


def find_answers(
    root: Path, exercises: Sequence[Exercise], chosen: Sequence[Exercise]
) -> Mapping[str, Answers]:
    """Return for each learner the answers to grade; a learner is named by the folder.

    chosen: which exercises; if none, all that at least one learner has a file for. So what one has left out
    is found missing if others have it.

    Raises UsageError if `root` cannot be listed, or no learner in it has a file for any exercise.
    """
    try:
        inside = sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")
    except OSError as error:
        raise UsageError(f"cannot read {str(root)!r}: {error.strerror}; name a folder") from None
    places = {root.resolve().name or "answers": _places(root, exercises)}
    if not any(path.exists() for path in next(iter(places.values())).values()):
        places = {path.name: _places(path, exercises) for path in inside}
    wanted = tuple(chosen) or tuple(
        exercise
        for exercise in exercises
        if any(answers[exercise].exists() for answers in places.values())
    )
    found = {
        name: {exercise: answers[exercise] for exercise in wanted}
        for name, answers in places.items()
        if any(path.exists() for path in answers.values())
    }
    if not found:
        example = f"{exercises[0].place}.py"
        raise UsageError(
            f"{str(root)!r} holds no answers; an answer stands at a place such as {example!r}, "
            f"in it or in a folder within it"
        )
    return found


def _places(root: Path, exercises: Sequence[Exercise]) -> Answers:
    """Return where a learner's answers stand, or would stand. Only reads."""
    progress = peek(root / MARKER / "progress.json")
    return {exercise: answer_path(root, progress, exercise) for exercise in exercises}

"""Options and arguments that the commands of `cookbook practice` share."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from parallel_cookbook.cli.options import Seconds
from parallel_cookbook.practice.exercises import load_exercises

_DEFAULT_MAX_SECONDS = 10.0
_NO_LIMIT_S = 1e7


class ExerciseName(click.ParamType[str]):
    """An exercise's name, completed by the shell; the command resolves it."""

    name = "exercise"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer what begins with what is typed, then what contains it."""
        del ctx, param
        return exercise_offers(incomplete)


def exercise_offers(incomplete: str) -> list[CompletionItem]:
    """Return the exercises for the shell: what begins with what is typed, then what contains it."""
    found = [exercise for exercise in load_exercises() if incomplete in exercise.id]
    found.sort(key=lambda exercise: not exercise.id.startswith(incomplete))
    return [CompletionItem(exercise.id, help=exercise.title) for exercise in found]


def _note_folder(context: click.Context, _param: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.meta[FOLDER] = value


FOLDER = "parallel_cookbook.practice_folder"
"""The key in a context's `meta` for the folder that was named."""
dir_option = click.option(
    "--dir",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Your folder; by default this one, or cookbook-practice in it.",
    callback=_note_folder,
    expose_value=False,
)
max_seconds_option = click.option(
    "--max-seconds",
    type=Seconds(),
    default=_DEFAULT_MAX_SECONDS,
    show_default=True,
    help="Spend at most this on an answer, 0 for no limit; what is not proven by then is no pass.",
    callback=lambda _context, _param, value: value or _NO_LIMIT_S,
)
optional_name = click.argument("name", required=False, type=ExerciseName())

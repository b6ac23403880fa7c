"""`cookbook practice`: exercises in a folder of the learner's, graded by proof."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from parallel_cookbook.cli.options import json_option, print_json
from parallel_cookbook.cli.practice_options import (
    FOLDER,
    ExerciseName,
    dir_option,
    exercise_offers,
    max_seconds_option,
    optional_name,
)
from parallel_cookbook.errors import CookbookError, UsageError
from parallel_cookbook.practice.exercises import find_exercise, load_exercises

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

    from parallel_cookbook.practice.exercises import Exercise
    from parallel_cookbook.practice.folder import Folder
    from parallel_cookbook.practice.result import Grade

_EXIT_CODES = {"pass": 0, "fail": 1, "error": 1, "unknown": 3}


class _PracticeGroup(click.Group):
    """A group that takes an exercise's name for the wish to begin with that exercise."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant; one of our own for an exercise's name."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            try:
                find_exercise(load_exercises(), args[0])
            except CookbookError as error:
                commands = ", ".join(self.list_commands(ctx))
                raise UsageError(f"{error}; the commands are {commands}") from None
            return "start", _start, args
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands and the exercises."""
        return [*super().shell_complete(ctx, incomplete), *exercise_offers(incomplete)]


@click.group(cls=_PracticeGroup, invoke_without_command=True)
@dir_option
@max_seconds_option
@click.pass_context
def practice(context: click.Context, /, *, max_seconds: float) -> None:
    """Mend broken programs, graded by proof.

    Shows the next exercise, and grades your file each time you save it: in every order in which its
    tasks may run. `cookbook practice NAME` begins with another exercise.

    The exercises are copied to a folder of yours, which is made the first time: the current one if it is
    empty, else cookbook-practice in it.
    """
    context.obj = max_seconds
    if context.invoked_subcommand is None:
        context.exit(_begin(context, None))


@click.command(hidden=True)
@click.argument("name", type=ExerciseName())
@dir_option
@click.pass_context
def _start(context: click.Context, /, *, name: str) -> None:
    """Begin with this exercise."""
    context.exit(_begin(context, name))


@practice.command("list")
@dir_option
@json_option
@click.pass_context
def list_(context: click.Context, /, *, as_json: bool) -> None:
    """List the exercises, and how far you have come."""
    from parallel_cookbook.practice.folder import Folder
    from parallel_cookbook.report import practice_pages as pages

    folder = _existing_folder(context)
    exists = folder is not None
    if folder is None:
        folder = Folder(context.meta.get(FOLDER, _here()), load_exercises())
    if as_json:
        print_json(pages.list_as_json(folder, exists=exists))
        return
    lines = [*pages.list_page(folder, folder.current, exists=exists), pages.progress_line(folder)]
    _print(*lines)
    click.echo()
    if exists:
        click.echo("`cookbook practice NAME` goes to one.")
    else:
        click.echo("You have not begun: `cookbook practice` makes a folder with the exercises.")
    _tell(folder.take_notices())


@practice.command()
@dir_option
@optional_name
@click.pass_context
def hint(context: click.Context, /, *, name: str | None) -> None:
    """Show a hint; each time a larger one."""
    from parallel_cookbook.report import practice_pages as pages

    folder, exercise = _folder_and_exercise(context, name)
    number = min(folder.progress.of(exercise.id).hints + 1, len(exercise.hints))
    folder.note_hints(exercise, number)
    _print(pages.heading(folder, exercise), "", *pages.hint_page(exercise, number))
    _tell(folder.take_notices())


@practice.command()
@dir_option
@click.option("--all", "everything", is_flag=True, help="Grade all exercises.")
@max_seconds_option
@json_option
@optional_name
@click.pass_context
def check(
    context: click.Context,
    /,
    *,
    name: str | None,
    everything: bool,
    max_seconds: float,
    as_json: bool,
) -> None:
    """Grade an exercise, the current one or NAME, or all of them.

    Exit code: 0 all are right, 1 one is wrong, 3 one could not be proven within its time.
    """
    from parallel_cookbook.cli.practice_grading import check_folder

    if name is not None and everything:
        raise UsageError(f"name an exercise or use --all, not both: {name!r} --all")
    folder, exercise = _folder_and_exercise(context, name)
    exercises = folder.exercises if everything else (exercise,)
    grades = check_folder(folder, exercises, max_seconds, as_json=as_json, is_brief=everything)
    _tell(folder.take_notices())
    context.exit(exit_code(grades))


@practice.command()
@dir_option
@optional_name
@click.pass_context
def reset(context: click.Context, /, *, name: str | None) -> None:
    """Begin an exercise afresh; your file is kept aside."""
    folder, exercise = _folder_and_exercise(context, name)
    kept = folder.reset(exercise)
    click.echo(f"{folder.path(exercise)} is as the book has it")
    if kept is not None:
        click.echo(f"your file is kept as {kept}")
    _tell(folder.take_notices())


@practice.command()
@dir_option
@click.option("--force", is_flag=True, help="Even before you have passed.")
@optional_name
@click.pass_context
def solution(context: click.Context, /, *, name: str | None, force: bool) -> None:
    """Show the book's solution, once you have passed; in a pipe, the plain file."""
    from parallel_cookbook.cli.console import new_console
    from parallel_cookbook.report import practice_pages as pages

    folder, exercise = _folder_and_exercise(context, name)
    if not folder.progress.has_passed(exercise.id) and not force:
        raise UsageError(
            f"you have not passed {exercise.id} yet; `cookbook practice hint {exercise.id}` helps, "
            f"and --force shows the solution all the same"
        )
    if new_console().is_terminal:
        _print(*pages.solution_page(exercise))
    else:
        click.echo(exercise.solution.read_bytes(), nl=False)


@practice.command("next")
@dir_option
@click.pass_context
def next_(context: click.Context, /) -> None:
    """Go on to the next exercise that is open."""
    folder, exercise = _folder_and_exercise(context, None)
    # After a pass the current one is the next one already.
    was_passed = folder.progress.has_passed(folder.progress.current)
    _choose(folder, exercise if was_passed else folder.next_open(exercise))


@practice.command()
@dir_option
@click.pass_context
def previous(context: click.Context, /) -> None:
    """Go back to the exercise before."""
    folder, exercise = _folder_and_exercise(context, None)
    _choose(folder, folder.previous(exercise))


@practice.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the grades as JUnit's XML.",
)
@click.option(
    "--exercise",
    "names",
    multiple=True,
    type=ExerciseName(),
    help="Grade this one; may be given again. By default all that are there.",
)
@max_seconds_option
@json_option
@click.pass_context
def grade(
    context: click.Context,
    /,
    *,
    folder: Path,
    junit: Path | None,
    names: tuple[str, ...],
    max_seconds: float,
    as_json: bool,
) -> None:
    """Grade the answers in DIR: for a classroom, and its continuous integration.

    DIR is one learner's folder, or holds a folder for each learner. Nothing is written there.

    Exit code: 0 all are right, 1 one is wrong, 3 one could not be proven within its time.
    """
    from parallel_cookbook.cli.practice_grading import grade_classroom

    exercises = load_exercises()
    chosen = tuple(find_exercise(exercises, name) for name in names)
    suites = grade_classroom(
        folder, exercises, chosen, max_seconds=max_seconds, junit=junit, as_json=as_json
    )
    context.exit(exit_code([grade for grades in suites.values() for grade in grades]))


def exit_code(grades: Sequence[Grade]) -> int:
    """Return the exit code of all grades together: a wrong answer tells more than an unproven one."""
    from parallel_cookbook.report.practice_pages import worst_verdict

    return _EXIT_CODES[worst_verdict(grades)]


# --- the learner's folder -------------------------------------------------------------------------


def practice_summary(command: str) -> str:
    """Return in a line how far the learner has come in the folder here, and what to type.

    command: what to type to call `cookbook`.
    """
    from parallel_cookbook.practice.folder import Folder, find_folder

    exercises = load_exercises()
    go_on = click.style(f"{command} practice", fg="green")
    try:
        root = find_folder(_here())
        if root is None:
            return f"{len(exercises)} exercises, graded by proof: {go_on}"
        folder = Folder(root, exercises)
    except UsageError as error:
        return str(error)
    _tell(folder.take_notices())
    text = f"{folder.passed} of {len(exercises)} exercises passed"
    if folder.passed < len(exercises):
        text += f"; go on with {folder.current.id}: {go_on}"
    return text


def _begin(context: click.Context, name: str | None) -> int:
    """Practise on a terminal; elsewhere grade once. Makes the folder if there is none."""
    exercises = load_exercises()
    exercise = find_exercise(exercises, name) if name else None
    folder, notices = _existing_folder(context), []
    if folder is None:
        folder, notice = _make_folder(context, exercises)
        notices.append(notice)
    if os.isatty(0) and os.isatty(1):
        from parallel_cookbook.cli.practice_watch import practise

        practise(folder, exercise, notices + folder.take_notices(), context.obj)
        return 0
    from parallel_cookbook.cli.practice_grading import check_folder
    from parallel_cookbook.report import practice_pages as pages

    exercise = exercise or folder.current
    folder.choose(exercise)
    _print(*notices, *pages.task_page(folder, exercise), "")
    click.echo("This is no terminal: your file is graded once, and not watched.\n")
    grades = check_folder(folder, [exercise], context.obj, as_json=False, is_brief=False)
    _tell(folder.take_notices())
    return exit_code(grades)


def _existing_folder(context: click.Context) -> Folder | None:
    """Return the learner's folder that was named or is here, up to date; None if there is none yet."""
    from parallel_cookbook.practice.folder import Folder, find_folder, is_folder

    named: Path | None = context.meta.get(FOLDER)
    root = find_folder(_here()) if named is None else named
    if named is not None and os.path.exists(named) and not os.path.isdir(named):  # noqa: PTH110, PTH112
        raise UsageError(f"{str(named)!r} is no folder; name another place with --dir")
    if root is None or not is_folder(root):
        return None
    folder = Folder(root, load_exercises())
    folder.bring_up_to_date()
    return folder


def _make_folder(context: click.Context, exercises: Sequence[Exercise]) -> tuple[Folder, str]:
    """Make the learner's folder; return what to tell of it besides."""
    from parallel_cookbook.practice.folder import MARKER, make_folder, new_folder

    named: Path | None = context.meta.get(FOLDER)
    root = new_folder(_here()) if named is None else named
    folder = make_folder(root, exercises)
    where = "here" if root == _here() else f"to {root.name if named is None else root}"
    notice = (
        f"{len(exercises)} exercises were copied {where} for you to edit, a folder for each chapter; "
        f"your progress is kept there, too, in {MARKER}"
    )
    return folder, notice


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the current folder cannot be used: {error.strerror}; go to another one"
        ) from None


def _folder_and_exercise(context: click.Context, name: str | None) -> tuple[Folder, Exercise]:
    """Return the learner's folder, and the exercise of this name, by default the current one."""
    folder = _existing_folder(context)
    if folder is None:
        named: Path | None = context.meta.get(FOLDER)
        where, option = ("here", "") if named is None else (f"in {named}", f" --dir {named}")
        raise UsageError(
            f"you have not begun {where}; `cookbook practice{option}` makes the exercises"
        )
    return folder, find_exercise(folder.exercises, name) if name else folder.current


def _choose(folder: Folder, exercise: Exercise) -> None:
    from parallel_cookbook.report import practice_pages as pages

    folder.choose(exercise)
    _print(*pages.task_page(folder, exercise))
    _tell(folder.take_notices())


# --- printing -------------------------------------------------------------------------------------


def _print(*lines: Any) -> None:  # noqa: ANN401 - what rich prints
    from parallel_cookbook.cli.console import new_console
    from parallel_cookbook.report.practice_pages import page_text

    click.echo(page_text(new_console(), lines), nl=False)


def _tell(notices: Sequence[str]) -> None:
    """Tell on standard error, so that what is piped on stays clean."""
    for notice in notices:
        click.echo(f"cookbook: {notice}", err=True)

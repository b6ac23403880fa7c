"""`cookbook run`: run recipes, or the reader's own files, for real."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from parallel_cookbook.cli.options import RecipeName, json_option, print_json
from parallel_cookbook.content import Book, load_book
from parallel_cookbook.errors import UsageError

if TYPE_CHECKING:
    from parallel_cookbook.cli.run_display import Display
    from parallel_cookbook.report.run import Finished, Target

_ARGUMENTS = "parallel_cookbook.arguments"
DEFAULT_TIMEOUT_S = 30.0
DEFAULT_MAX_OUTPUT_BYTES = 10_000_000


class RunOptions(TypedDict):
    """What all programs of one command are run with; see `run_program`."""

    arguments: list[str]
    start_method: str | None
    timeout_s: float | None
    max_output_bytes: int


class ProgramCommand(click.Command):
    """A command whose arguments after `--` belong to the program that it starts."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put what follows the first `--` aside; parse the rest."""
        own, program = args, list[str]()
        if "--" in args:
            split = args.index("--")
            own, program = args[:split], args[split + 1 :]
        ctx.meta[_ARGUMENTS] = program
        return super().parse_args(ctx, own)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show in the usage line that `--` may follow."""
        return [*super().collect_usage_pieces(ctx), "[-- ARGUMENT...]"]


@click.command(cls=ProgramCommand)
@click.argument("recipes", metavar="[RECIPE|FILE]...", nargs=-1, type=RecipeName())
@click.option("--chapter", "chapters", type=int, multiple=True, help="All recipes of a chapter.")
@click.option("--all", "everything", is_flag=True, help="All recipes of the book.")
@click.option(
    "--start-method",
    type=click.Choice(["fork", "spawn", "forkserver"]),
    help="How processes start where the program does not choose; else Python's own default.",
)
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=DEFAULT_TIMEOUT_S,
    show_default=True,
    help="End a program that runs longer than this; 0 waits for ever.",
)
@click.option(
    "--max-output",
    "max_output_bytes",
    metavar="BYTES",
    type=click.IntRange(min=1),
    default=DEFAULT_MAX_OUTPUT_BYTES,
    show_default=True,
    help="End a program that prints more than this.",
)
@json_option
@click.pass_context
def run(
    context: click.Context,
    /,
    *,
    recipes: tuple[str, ...],
    chapters: tuple[int, ...],
    everything: bool,
    start_method: str | None,
    timeout_s: float,
    max_output_bytes: int,
    as_json: bool,
) -> None:
    """Run recipes, or Python files of your own, for real.

    Each runs as `python FILE` would, in a process group of its own that is ended with it. What
    follows `--` is passed to it.

    \b
    cookbook run threads/lock
    cookbook run --chapter 2 --start-method spawn
    cookbook run messages/pipeline -- ~/my/folder
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    from parallel_cookbook.cli.run_display import Display  # noqa: PLC0415 - rich takes 60 ms

    book = load_book()
    targets = _targets(book, recipes, chapters, everything=everything)
    display = Display(book, targets, start_method, quiet=as_json)
    finished: list[Finished] = []
    interrupted = False
    try:
        with display:
            _run_all(
                targets,
                display,
                finished,
                arguments=context.meta[_ARGUMENTS],
                start_method=start_method,
                timeout_s=timeout_s or None,
                max_output_bytes=max_output_bytes,
            )
    except KeyboardInterrupt:
        interrupted = True
    if as_json:
        from parallel_cookbook.report.run import to_json  # noqa: PLC0415 - see above

        print_json(to_json(finished, start_method, interrupted=interrupted))
    if interrupted:
        raise click.Abort
    if not all(item.result.passed for item in finished):
        context.exit(1)


def _targets(
    book: Book, names: tuple[str, ...], chapters: tuple[int, ...], *, everything: bool
) -> list[Target]:
    """Return what to run, in the order asked for, each once."""
    from parallel_cookbook.report.run import Target  # noqa: PLC0415 - see run

    targets = [_target(book, name) for name in names]
    recipes = [recipe for number in chapters for recipe in book.chapter(number).recipes]
    recipes += book.recipes if everything else ()
    targets += [Target(recipe.path, recipe) for recipe in recipes]
    if not targets:
        raise UsageError("name a recipe or a file to run, or use --chapter N or --all")
    return list(dict.fromkeys(targets))


def _target(book: Book, name: str) -> Target:
    from parallel_cookbook.report.run import Target  # noqa: PLC0415 - see run

    path = Path(name)
    if path.is_file():
        same = [recipe for recipe in book.recipes if recipe.path.samefile(path)]
        return Target(path, same[0] if same else None)
    try:
        recipe = book.find(name)
    except UsageError:
        if path.suffix == ".py" or path.is_dir():
            what = "is a folder" if path.is_dir() else "is not there"
            raise UsageError(f"the file {name!r} {what}; name a Python file or a recipe") from None
        raise
    return Target(recipe.path, recipe)


def _run_all(
    targets: list[Target], display: Display, finished: list[Finished], **options: Unpack[RunOptions]
) -> None:
    """Run the targets one after the other; append each result to `finished` as it is known."""
    from parallel_cookbook.report.run import Finished  # noqa: PLC0415 - see run
    from parallel_cookbook.run import run_program  # noqa: PLC0415 - only this command needs it
    from parallel_cookbook.run.guard import Guard  # noqa: PLC0415

    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    with Guard(mark):
        for target in targets:
            with display.showing(target):
                result = run_program(target.path, mark=mark, on_output=display.output, **options)
                finished.append(Finished(target, result))
                display.finished(finished[-1])

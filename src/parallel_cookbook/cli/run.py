"""`cookbook run`: run recipes, or the reader's own files, for real."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from parallel_cookbook.cli.options import (
    AFTER_DASHES,
    ChapterNumber,
    RecipeName,
    Seconds,
    complete_file,
    json_option,
    print_json,
)
from parallel_cookbook.cli.streams import abandon_output
from parallel_cookbook.content import Book, functions_in, load_book, some
from parallel_cookbook.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from parallel_cookbook.cli.run_display import Display
    from parallel_cookbook.report.run import Finished, Target

PROGRAM_ARGUMENTS = "parallel_cookbook.arguments"
DEFAULT_TIMEOUT_S = 30.0
DEFAULT_MAX_OUTPUT_BYTES = 1_000_000


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
            ctx.meta[AFTER_DASHES] = True
        ctx.meta[PROGRAM_ARGUMENTS] = program
        return super().parse_args(ctx, own)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer our options, but files to a program whose arguments we know nothing of."""
        if AFTER_DASHES in ctx.meta:
            return complete_file(incomplete)
        return super().shell_complete(ctx, incomplete)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show in the usage line that `--` may follow."""
        return [*super().collect_usage_pieces(ctx), "[-- ARGUMENT...]"]


@click.command(cls=ProgramCommand)
@click.argument("recipes", metavar="[RECIPE|FILE]...", nargs=-1, type=RecipeName(files=True))
@click.option(
    "--chapter",
    "chapters",
    metavar="NUMBER",
    type=ChapterNumber(),
    multiple=True,
    help="All recipes of a chapter.",
)
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
    type=Seconds(),
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

    Each runs as `python FILE` would, in a process group of its own that is ended with it, and with
    no standard input. What follows `--` is passed to it. With ::FUNCTION behind its name, that
    function alone is called: a recipe's wrong twin, for one.

    \b
    cookbook run threads/lock
    cookbook run threads/lock::pitfall_check_then_act
    cookbook run --chapter 2 --start-method spawn
    cookbook run messages/pipeline -- ~/my/folder
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    from parallel_cookbook.cli.run_display import Display

    book = load_book()
    targets = find_programs(book, recipes, chapters, everything=everything)
    display = Display(book, targets, start_method, quiet=as_json)
    finished: list[Finished] = []
    interrupted = False
    try:
        with display:
            _run_all(
                targets,
                display,
                finished,
                arguments=context.meta[PROGRAM_ARGUMENTS],
                start_method=start_method,
                timeout_s=timeout_s or None,
                max_output_bytes=max_output_bytes,
            )
    except KeyboardInterrupt:
        interrupted = True
    except BrokenPipeError:  # whoever read the output has gone, and not everything has run
        abandon_output()
        context.exit(1)
    if as_json:
        from parallel_cookbook.report.run import to_json

        print_json(to_json(finished, start_method, interrupted=interrupted))
    if interrupted:
        raise click.Abort
    if not all(item.result.passed for item in finished):
        context.exit(1)


def find_programs(
    book: Book, names: tuple[str, ...], chapters: tuple[int, ...], *, everything: bool
) -> list[Target]:
    """Return what to run, in the order asked for, each once.

    A recipe that comes with a chapter, or with all, has its place there, even if it is named besides.
    """
    from parallel_cookbook.report.run import Target

    recipes = [recipe for number in chapters for recipe in book.chapter(number).recipes]
    if everything:
        recipes = list(book.recipes)
    named = [find_program(book, name) for name in names]
    targets = [target for target in named if target.function or target.recipe not in recipes]
    targets += [Target(recipe.path, recipe) for recipe in recipes]
    if not targets:
        raise UsageError("name a recipe or a file to run, or use --chapter N or --all")
    once: dict[tuple[Path, str], Target] = {}
    for target in targets:  # a recipe's id and the path to its file are one target
        once.setdefault((target.path.resolve(), target.function), target)
    return list(once.values())


def find_program(book: Book, name: str) -> Target:
    """Return what `name` means: a recipe, a file, or a function of either; UsageError if there is no such."""
    from parallel_cookbook.report.run import Target

    place, _, function = name.partition("::")
    path = Path(place)
    if _is_program(book, path, place):
        target = Target(path, book.recipe_at(path), function)
    else:
        recipe = book.find(place)
        target = Target(recipe.path, recipe, function)
    if function:
        _check_function(target)
    return target


def _is_program(book: Book, path: Path, place: str) -> bool:
    """Whether `path` is a file that can be run; False if it may be a recipe's name.

    Raises UsageError if it can be neither.
    """
    try:
        mode = path.stat().st_mode if place else 0
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    except OSError as error:
        raise UsageError(f"cannot read {place!r}: {error.strerror}") from None
    if stat.S_ISREG(mode):
        return True
    what = "is a folder" if stat.S_ISDIR(mode) else "is no regular file" if mode else "is not there"
    if (mode or path.suffix == ".py") and not _is_known(book, place):
        raise UsageError(f"the file {place!r} {what}; name a Python file or a recipe")
    return False


def _is_known(book: Book, place: str) -> bool:
    """Whether the book has a chapter or a recipe of this name: that can be said of it instead."""
    try:
        return book.find_chapter(place) is not None or book.find(place) is not None
    except UsageError:
        return False


def _check_function(target: Target) -> None:
    try:
        source = target.path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"cannot read {str(target.path)!r}: {error.strerror}") from None
    names = functions_in(source)
    if target.function not in names:
        there = f"it has {some(names)}" if names else "it has none"
        raise UsageError(f"{str(target.path)!r} has no function {target.function!r}; {there}")


def _run_all(
    targets: list[Target], display: Display, finished: list[Finished], **options: Unpack[RunOptions]
) -> None:
    """Run the targets one after the other; append each result to `finished` as it is known."""
    from parallel_cookbook.report.run import Finished
    from parallel_cookbook.run import RunInterrupted, run_program
    from parallel_cookbook.run.guard import Guard
    from parallel_cookbook.run.processes import new_mark

    mark = new_mark()
    with Guard(mark) as guard:
        for target in targets:
            with display.showing(target):
                interrupted = None
                try:
                    result = run_program(
                        target.path,
                        function=target.function,
                        mark=mark,
                        on_start=guard.watch,
                        on_output=display.output,
                        **options,
                    )
                except RunInterrupted as error:
                    interrupted, result = error, error.result
                finished.append(Finished(target, result))
                display.finished(finished[-1])
                if interrupted:
                    raise interrupted

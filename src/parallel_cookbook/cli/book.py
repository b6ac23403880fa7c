"""`cookbook list`, `show` and `new`: find a recipe, read it, take it."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

from parallel_cookbook.cli.options import RecipeName, command_name, json_option, print_json
from parallel_cookbook.content import Book, load_book
from parallel_cookbook.errors import UsageError
from parallel_cookbook.report.book import (
    chapter_page,
    contents_json,
    contents_lines,
    recipe_page,
)


@click.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the chapters and their recipes."""
    book = load_book()
    if as_json:
        print_json(contents_json(book))
        return
    # In a pipe a recipe stays a line.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in contents_lines(book, width):
        click.echo(line)


@click.command()
@click.argument("recipe", type=RecipeName(chapters=True))
@click.option("--no-pager", is_flag=True, help="Print it all at once.")
def show(*, recipe: str, no_pager: bool) -> None:
    """Show a recipe, or a chapter's introduction.

    RECIPE may also be a chapter's number or topic: `cookbook show 2`, `cookbook show threads`.
    On a terminal the prose is rendered and the code is coloured; elsewhere it is the plain file:
    `cookbook show threads/lock > mine.py`.
    """
    from parallel_cookbook.cli.console import new_console

    book = load_book()
    chapter = book.find_chapter(recipe)
    console = new_console()
    if not console.is_terminal:
        file = chapter.readme if chapter else book.find(recipe).path
        click.echo(file.read_bytes(), nl=False)
        return
    page = chapter_page(chapter) if chapter else recipe_page(book.find(recipe), command_name())
    if not no_pager and len(console.render_lines(page, pad=False)) > console.height:
        with console.capture() as captured:
            console.print(page)
        click.echo_via_pager(captured.get())
    else:
        console.print(page)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True, type=RecipeName())
def new(*, folder: Path, recipes: tuple[str, ...]) -> None:
    """Copy recipes into a folder, for you to edit.

    They are plain files that need nothing else. DIR is made if it is not there. A file that exists
    is never overwritten.
    """
    book = load_book()
    _check_order(book, str(folder), recipes)
    chosen = [book.find(name) for name in recipes]
    copies = {folder / f"{recipe.slug}.py": recipe for recipe in chosen}
    if len(copies) < len(set(chosen)):
        raise UsageError("two of these recipes have the same file name; copy them to two folders")
    try:
        for path in copies:
            if path.exists():
                raise UsageError(
                    f"{str(path)!r} exists already; name another folder, or move it away"
                )
        folder.mkdir(parents=True, exist_ok=True)
        for path, recipe in copies.items():
            shutil.copyfile(recipe.path, path)
    except OSError as error:
        raise UsageError(f"cannot write to {str(folder)!r}: {error.strerror}") from None
    for path in copies:
        click.echo(f"{path}  (run it: {command_name()} run {shlex.quote(str(path))})")


def _check_order(book: Book, folder: str, recipes: tuple[str, ...]) -> None:
    """Raise UsageError if what stands first is a recipe, and what follows is none: they were mixed up."""
    if _is_recipe(book, folder) and not any(_is_recipe(book, name) for name in recipes):
        raise UsageError(
            f"there is no recipe {recipes[0]!r}; the folder comes first: "
            f"{command_name()} new {shlex.quote(recipes[0])} {folder}"
        )


def _is_recipe(book: Book, name: str) -> bool:
    try:
        return bool(book.find(name))
    except UsageError:
        return False

"""Parameter types, options and words that several commands share."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from parallel_cookbook.content import load_book
from parallel_cookbook.errors import UsageError

AFTER_DASHES = "parallel_cookbook.after_dashes"
"""The key in a context's `meta` that is there when what is typed belongs to the program."""


class RecipeName(click.ParamType[str]):
    """A recipe's name, completed by the shell; the command resolves it.

    chapters: offer the chapters' topics too. files: offer Python files too.
    """

    name = "recipe"

    def __init__(self, *, chapters: bool = False, files: bool = False) -> None:
        self._chapters = chapters
        self._files = files

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer what begins with what is typed, then what contains it; files if there is none."""
        del param
        if AFTER_DASHES in ctx.meta:
            return complete_file(incomplete)
        book = load_book()
        offers = {recipe.id: recipe.title for recipe in book.recipes}
        if self._chapters:
            offers |= {chapter.topic: chapter.title for chapter in book.chapters}
        if self._files:
            offers |= dict.fromkeys(_python_files(incomplete), "")
        names = sorted(
            (name for name in offers if incomplete in name),
            key=lambda name: not name.startswith(incomplete),
        )
        items = [CompletionItem(name, help=offers[name] or None) for name in names]
        return items or complete_file(incomplete)


class ChapterNumber(click.ParamType[int]):
    """A chapter's number, completed by the shell; the command looks whether there is such."""

    name = "number"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Return the number, or say that it is none."""
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is no number", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the numbers, with what the chapters are about."""
        del ctx, param
        return [
            CompletionItem(str(chapter.number), help=chapter.title)
            for chapter in load_book().chapters
            if str(chapter.number).startswith(incomplete)
        ]


class Seconds(click.ParamType[float]):
    """A time: a number of seconds, 0 or more, and not infinity."""

    name = "seconds"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return the number, or say what is wrong with it."""
        try:
            seconds = float(value)
        except ValueError:
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        if not math.isfinite(seconds) or seconds < 0:
            self.fail(f"{value!r} is no time to wait; 0 waits for ever", param, ctx)
        return seconds


class FaultCount(click.ParamType[int]):
    """How many processes may be killed: 0 to 9. A word is most likely the target, typed behind `--faults`."""

    name = "count"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Return the number, or say what is wrong with it."""
        try:
            count = int(value)
        except ValueError:
            advice = f"put --faults behind the program, or give it a number: --faults 1 {value}"
            self.fail(f"{value!r} is no number; {advice}", param, ctx)
        from parallel_cookbook.check.execution import MAX_FAULTS

        if not 0 <= count <= MAX_FAULTS:
            self.fail(f"{value!r} is not from 0 to {MAX_FAULTS}", param, ctx)
        return count


def complete_file(incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell to complete the name of a file."""
    return [CompletionItem(incomplete, type="file")]


def _python_files(incomplete: str) -> list[str]:
    """Return the Python files whose path begins with what is typed."""
    folder = incomplete[: incomplete.rfind("/") + 1]
    try:
        names = sorted(path.name for path in Path(folder or ".").expanduser().glob("*.py"))
    except (OSError, RuntimeError):  # it may not be read, or there is no such `~user`
        return []
    return [folder + name for name in names if (folder + name).startswith(incomplete)]


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")


def print_json(data: dict[str, Any]) -> None:
    """Print one JSON object on standard output, with escapes where its encoding needs them."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    click.echo(text)


def check_page(page: Path) -> None:
    """Raise UsageError if `page` cannot be written, before what may take long."""
    folder = page.parent
    reason = ""
    if page.is_dir():
        reason = "it is a folder"
    elif not folder.is_dir():
        reason = f"there is no folder {str(folder)!r}"
    elif not os.access(page if page.exists() else folder, os.W_OK):
        reason = "there is no permission to write there"
    if reason:
        raise UsageError(f"cannot write {str(page)!r}: {reason}")


def command_name() -> str:
    """Return what to type to call this command again, as it was called now."""
    called = Path(sys.argv[0])
    if called.name != "cookbook":
        return f"{shlex.quote(sys.orig_argv[0])} -m parallel_cookbook"
    found = shutil.which("cookbook")
    if found and called.exists() and called.samefile(found):
        return "cookbook"
    return shlex.quote(sys.argv[0])

"""Real runs as terminal text and as JSON."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from parallel_cookbook.content import Book, Chapter, Recipe
    from parallel_cookbook.run import RunResult


@dataclass(frozen=True)
class Target:
    """What is run: a file, the recipe that it is, if it is one, and its function, if only one."""

    path: Path
    recipe: Recipe | None = None
    function: str = ""

    @property
    def name(self) -> str:
        """What to call it: a recipe's id or the file's path, and the function."""
        place = self.recipe.id if self.recipe else str(self.path)
        return f"{place}::{self.function}" if self.function else place

    @property
    def title(self) -> str:
        """A recipe's title, or nothing; a function of it promises something else."""
        return self.recipe.title if self.recipe and not self.function else ""


@dataclass(frozen=True)
class Finished:
    """A target and what came of running it."""

    target: Target
    result: RunResult


def heading(target: Target) -> Text:
    """Return the line that stands above a target's output."""
    return Text.assemble("▸ ", (target.name, "bold cyan"), "  ", target.title)


def chapter_heading(chapter: Chapter) -> Text:
    """Return the line that opens a chapter."""
    return Text(f"\nChapter {chapter.number}: {chapter.title}\n", style="bold")


def output_lines(lines: Sequence[str], *, is_error: bool) -> Text:
    """Return lines of a program's output, set apart from our own lines."""
    return Text("\n").join(_output_line(line, is_error=is_error) for line in lines)


def _output_line(line: str, *, is_error: bool) -> Text:
    text = Text.from_ansi(line)
    if is_error:
        text.stylize("yellow")
    return Text.assemble(("  │ ", "dim"), text)


def verdict_line(result: RunResult) -> Text:
    """Return one line: passed or not, how long it took, and why not."""
    if result.passed:
        return Text.assemble("  ", ("✓", "green"), f" {result.seconds:.2f} s")
    return Text.assemble(
        "  ",
        ("✗", "red"),
        f" {result.seconds:.2f} s  ",
        (result.verdict, "bold red"),
        f": {result.message}",
    )


def lucky_line(item: Finished, command: str) -> Text | None:
    """Return what to say of a recipe's wrong twin that went well, which proves nothing; else None.

    command: what to type to call `cookbook`.
    """
    target = item.target
    is_pitfall = target.recipe is not None and target.function in target.recipe.pitfalls
    if not is_pitfall or not item.result.passed:
        return None
    return Text.assemble(
        "    it went well this time; every order is tried by ",
        (f"{command} check {target.name}", "green"),
    )


def summary(book: Book, finished: Sequence[Finished], start_method: str | None) -> Iterator[Text]:
    """Yield the closing lines of a run of several targets: totals by chapter, and what failed."""
    total = sum(item.result.seconds for item in finished)
    method = f", start method {start_method}" if start_method else ""
    yield Text(f"\nPython {platform.python_version()}{method}", style="dim")
    for chapter in book.chapters:
        own = [item for item in finished if item.target.recipe in chapter.recipes]
        if own:
            yield _chapter_total(chapter, own)
    failed = [item for item in finished if not item.result.passed]
    if failed:
        yield Text(f"\n{len(failed)} of {len(finished)} failed ({total:.1f} s):", style="bold red")
        for item in failed:
            yield Text(f"  {item.target.name}  {item.result.verdict}: {item.result.message}")
    else:
        yield Text(f"\nAll {len(finished)} passed ({total:.1f} s).", style="bold green")


def interruption(finished: Sequence[Finished], planned: int) -> Text:
    """Return the closing line of a run of several that was cut short."""
    ran = [item.result for item in finished if item.result.verdict != "interrupted"]
    passed = sum(result.passed for result in ran)
    counts = f"Interrupted: {len(ran)} of {planned} ran, {passed} passed."
    return Text(f"\n{counts}", style="bold yellow")


def _chapter_total(chapter: Chapter, finished: Sequence[Finished]) -> Text:
    passed = sum(item.result.passed for item in finished)
    seconds = sum(item.result.seconds for item in finished)
    mark = ("✓", "green") if passed == len(finished) else ("✗", "red")
    counts = f"{passed:2} of {len(finished):2} passed  {seconds:5.1f} s"
    return Text.assemble("  ", mark, f" {chapter.number}  {chapter.title:46} {counts}")


def to_json(
    finished: Sequence[Finished], start_method: str | None, *, interrupted: bool
) -> dict[str, object]:
    """Return all results as JSON-ready data; `verdict` is pass, fail or interrupted."""
    verdict = "pass" if all(item.result.passed for item in finished) else "fail"
    return {
        "schema": 1,
        "verdict": "interrupted" if interrupted else verdict,
        "python": platform.python_version(),
        "start_method": start_method,
        "seconds": round(sum(item.result.seconds for item in finished), 3),
        "recipes": [_item_json(item) for item in finished],
    }


def _item_json(item: Finished) -> dict[str, object]:
    recipe, result = item.target.recipe, item.result
    return {
        "target": item.target.name,
        "id": recipe.id if recipe else None,
        "chapter": recipe.chapter if recipe else None,
        "title": recipe.title if recipe else None,
        "path": str(item.target.path),
        "function": item.target.function or None,
        "verdict": str(result.verdict),
        "message": result.message,
        "exit_code": result.exit_code,
        "seconds": round(result.seconds, 3),
        "stdout": result.stdout,
        "stderr": result.stderr,
    }

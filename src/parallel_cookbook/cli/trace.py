"""`cookbook trace`: record what a program really does, and say what it means."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from parallel_cookbook.cli.options import (
    RecipeName,
    Seconds,
    check_page,
    command_name,
    json_option,
    print_json,
)
from parallel_cookbook.cli.run import PROGRAM_ARGUMENTS, ProgramCommand, find_program
from parallel_cookbook.content import load_book
from parallel_cookbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.report.run import Target
    from parallel_cookbook.trace.lookout import Sighting
    from parallel_cookbook.trace.summary import Summary
    from parallel_cookbook.trace.watch import Program, Traced


@click.command(cls=ProgramCommand)
@click.argument("target", metavar="[RECIPE|FILE]", required=False, type=RecipeName(files=True))
@click.option("-m", "module", metavar="MODULE", help="Trace a module, as `python -m` runs it.")
@click.option("--html", "page", metavar="FILE", type=Path, help="Draw the run into a web page.")
@click.option(
    "--perfetto", metavar="FILE", type=Path, help="Write a trace that the Perfetto UI opens."
)
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
    default=0.0,
    show_default=True,
    help="End a program that runs longer than this, and say what it waits for; 0 waits for ever.",
)
@click.option("--keep", metavar="FOLDER", type=Path, help="Keep the recording in this new folder.")
@click.option(
    "--from",
    "kept",
    metavar="FOLDER",
    type=Path,
    help="Run nothing; tell of a recording that was kept.",
)
@json_option
@click.pass_context
def trace(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - of several types
    """Run a program for real, and tell who waited for what.

    Its threads and processes are recorded. It runs unmodified, with its own input and output; the
    summary follows on standard error: where the time went, and what to look at first. A deadlock is told
    while it lasts; Ctrl-C tells who waits for whom.

    What follows `--` is passed to the program. With ::FUNCTION behind its name, that function alone is
    called. With --json, standard output is one JSON object, and the program's own goes to standard error.

    \b
    cookbook trace threads/lock
    cookbook trace script.py --html run.html -- --size 3
    cookbook trace -m package.module
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    for page in filter(None, (options["page"], options["perfetto"])):
        check_page(page)
    if options["kept"] is not None:
        _tell_of_kept(context, options)
        return
    program, target = _program(options, context.meta[PROGRAM_ARGUMENTS])
    with _folder(options["keep"]) as folder:
        traced = _trace(program, folder.path, options)
        if options["keep"] or (traced.was_cut_off and traced.recording):
            folder.is_kept = True
        kept = folder.path if folder.is_kept else None
        code = _tell(traced, options, kept=kept, check=_check_command(target))
    _exit(context, code)


def _exit(context: click.Context, code: int) -> None:
    if code == 128 + signal.SIGINT:
        raise click.Abort
    context.exit(code)


def _tell_of_kept(context: click.Context, options: dict[str, Any]) -> None:
    from parallel_cookbook.trace.watch import read_traced

    wrong = next((name for name in ("target", "module", "keep") if options[name]), None)
    if wrong:
        raise UsageError("--from runs nothing: name no program and no --keep with it")
    traced = read_traced(options["kept"])
    _tell(traced, options, kept=None, check="")
    context.exit(0)


def _program(options: dict[str, Any], arguments: list[str]) -> tuple[Program, str]:
    """Return what to run, and how `cookbook check` calls it; "" if it cannot check it."""
    from parallel_cookbook.trace.watch import Program

    target, module = options["target"], options["module"]
    if bool(target) == bool(module):
        raise UsageError("name one program to trace: a recipe, a file, or -m MODULE")
    if module:
        return Program(module, tuple(arguments), is_module=True), ""
    found = find_program(load_book(), target)
    program = Program(
        str(found.path), tuple(arguments), function=found.function, title=_title(found)
    )
    return program, found.name


def _title(target: Target) -> str:
    """Return what to call a program: a recipe's id, or its file, from the current folder if it lies there."""
    if target.recipe or not target.path.is_absolute():
        return target.name
    with contextlib.suppress(ValueError, OSError):
        path = str(target.path.relative_to(Path.cwd()))
        return f"{path}::{target.function}" if target.function else path
    return target.name


class _Folder:
    """Where a recording goes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_kept = False


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[_Folder]:
    """Yield a folder for the recording; it goes again unless it is to be kept."""
    if keep is None:
        folder = _Folder(Path(tempfile.mkdtemp(prefix="cookbook-trace-")))
    else:
        try:
            keep.mkdir(parents=True)
        except OSError as error:
            raise UsageError(
                f"cannot make the folder {str(keep)!r}: {error.strerror}; name a new one"
            ) from None
        folder = _Folder(keep.resolve())
        folder.is_kept = True
    try:
        yield folder
    finally:
        if not folder.is_kept:
            shutil.rmtree(folder.path, ignore_errors=True)


def _trace(program: Program, folder: Path, options: dict[str, Any]) -> Traced:
    from parallel_cookbook.run.guard import Guard
    from parallel_cookbook.run.processes import new_mark
    from parallel_cookbook.trace.watch import trace_program

    mark = new_mark()
    with Guard(mark) as guard:
        return trace_program(
            program,
            folder,
            mark=mark,
            start_method=options["start_method"],
            timeout_s=options["timeout_s"] or None,
            output_to_stderr=options["as_json"],
            on_start=guard.watch,
            on_sighting=_tell_of_sighting,
        )


def _tell_of_sighting(sighting: Sighting) -> None:
    who = "everything waits, unless a signal comes"
    if sighting.hang.going_on:
        who = "some tasks can never go on, others do"
    click.echo(f"cookbook: {who}; Ctrl-C ends the program and tells more", err=True)


def _tell(traced: Traced, options: dict[str, Any], *, kept: Path | None, check: str) -> int:
    """Show what came of a run; return our exit code."""
    from parallel_cookbook.report.trace import ending_words, to_json, verdict_of
    from parallel_cookbook.trace.summary import summarise

    verdict = verdict_of(traced)
    code = {"pass": 0, "interrupted": 128 + signal.SIGINT}.get(verdict, 1)
    words = ending_words(traced, options["timeout_s"])
    if traced.recording is None:
        click.echo(f"cookbook: {words}; nothing of it was recorded", err=True)
        if options["as_json"]:
            print_json({"schema": 1, "verdict": verdict, "message": words, "records": 0})
        return code
    summary = summarise(traced.recording, was_cut_off=traced.was_cut_off)
    if options["as_json"]:
        print_json(to_json(summary, verdict, words))
    else:
        _show(summary, words)
        _show_where(summary, kept, check)
    _draw(summary, options["page"], options["perfetto"])
    return code


def _show(summary: Summary, words: str) -> None:
    from parallel_cookbook.cli.console import new_console
    from parallel_cookbook.report.trace import summary_lines

    console = new_console(stderr=True)
    for line in summary_lines(summary, words):
        console.print(line)


def _show_where(summary: Summary, kept: Path | None, check: str) -> None:
    if kept is not None:
        again = f"{command_name()} trace --from {shlex.quote(str(kept))}"
        click.echo(f"\nThe recording is in {kept}. To draw it: {again} --html FILE", err=True)
    if summary.hang and summary.hang.stuck and check:
        click.echo(f"To explore every way in which this can happen: {check}", err=True)


def _check_command(target: str) -> str:
    return f"{command_name()} check {shlex.quote(target)}" if target else ""


def _draw(summary: Summary, page: Path | None, perfetto: Path | None) -> None:
    if page is None and perfetto is None:
        return
    from parallel_cookbook.report.perfetto import perfetto_trace
    from parallel_cookbook.report.timeline_html import timeline_page
    from parallel_cookbook.trace.picture import picture_of

    picture = picture_of(summary)
    if page is not None:
        _write(page, [timeline_page(picture)])
        click.echo(f"The picture is in {page}: open it in a browser", err=True)
    if perfetto is not None:
        _write(perfetto, perfetto_trace(picture))
        click.echo(f"A trace for Perfetto is in {perfetto}: open it in the Perfetto UI", err=True)


def _write(file: Path, pieces: Iterator[str] | list[str]) -> None:
    try:
        with file.open("w", encoding="utf-8") as out:
            out.writelines(pieces)
    except OSError as error:
        raise UsageError(f"cannot write {str(file)!r}: {error.strerror}") from None

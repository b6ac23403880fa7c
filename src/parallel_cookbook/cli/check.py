"""`cookbook check`: explore every interleaving of a program."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
import shlex
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from parallel_cookbook.cli.options import (
    FaultCount,
    RecipeName,
    Seconds,
    check_page,
    json_option,
    print_json,
)
from parallel_cookbook.cli.run import PROGRAM_ARGUMENTS, ProgramCommand
from parallel_cookbook.cli.sentinel import stand_guard
from parallel_cookbook.content import load_book
from parallel_cookbook.errors import UsageError
from parallel_cookbook.targets import Target, find_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.check import CheckReport, Entry, Tally

_EXIT_CODES = {"pass": 0, "fail": 1, "error": 2, "unknown": 3}


@click.command(cls=ProgramCommand)
@click.argument("target", metavar="TARGET", type=RecipeName())
@click.option(
    "--strategy",
    type=click.Choice(["auto", "dpor", "dfs", "bounded", "pct", "pos", "random"]),
    default="auto",
    show_default=True,
    help="How to choose interleavings.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For the random strategies.")
@click.option("--max-executions", type=click.IntRange(min=1), help="Stop after this many.")
@click.option(
    "--max-seconds",
    type=Seconds(),
    default=60.0,
    show_default=True,
    help="Stop after this time; 0 for no limit.",
)
@click.option(
    "--max-steps",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="Cut an execution off that takes more steps.",
)
@click.option(
    "--max-stall",
    type=Seconds(),
    default=None,
    help="Give up on a call that the check does not control, and that takes longer; 0 for no limit.",
)
@click.option(
    "--races",
    type=click.Choice(["ignore", "warn", "error"]),
    default="warn",
    show_default=True,
    help="What to make of accesses that nothing orders.",
)
@click.option(
    "--faults",
    type=FaultCount(),
    is_flag=False,
    flag_value=1,
    default=0,
    metavar="[N]",
    help="Kill up to N child processes (by default 1) at any step. Without N, put it after TARGET.",
)
@click.option("--include", multiple=True, metavar="PACKAGE", help="Also explore inside a package.")
@click.option("--keep-going", is_flag=True, help="Look for all failures, not only the first.")
@click.option("--replay", "schedule", metavar="SCHEDULE", help="Show what one schedule does.")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write the report as one HTML file.",
)
@json_option
@click.pass_context
def check(
    context: click.Context,
    /,
    *,
    target: str,
    schedule: str | None,
    page: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - passed on as they are
) -> None:
    """Explore every interleaving of a program.

    Shows the shortest way in which it goes wrong, or says that there is none.

    TARGET is a recipe (its main is explored), file.py, file.py::function, or package.module:function.
    What follows -- is passed to the program as its arguments.
    """
    context.with_resource(_no_input())
    found = find_target(load_book(), target)
    entry = _entry(found, tuple(context.meta[PROGRAM_ARGUMENTS]))
    command = partial(_replay_command, found, entry, options)
    if schedule is not None:
        if page is not None:
            raise UsageError("--html shows a whole check; leave --replay out")
        context.exit(_replay(entry, found, schedule, options, as_json=as_json))
    if page is not None:
        check_page(page)

    def show(report: CheckReport) -> int:
        if as_json:
            print_json(_as_json(report))
        else:
            _show(report, entry, command, _replay_options(options))
        return _EXIT_CODES[report.verdict]

    report = _check(entry, found, options, show, command)
    code = show(report)
    if page is not None:
        _write_page(page, report, entry, command, _replay_options(options))
        if not as_json:
            click.echo(f"\nwritten to {page}")
    context.exit(code)


@contextlib.contextmanager
def _no_input() -> Iterator[None]:
    """Give the program an empty input: what one execution has read, the next could not read again."""
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO())
    try:
        yield
    finally:
        sys.stdin = stdin


def _entry(target: Target, arguments: tuple[str, ...]) -> Entry:
    from parallel_cookbook.check import Entry

    return Entry(target.file, target.module, target.function, arguments, target.root)


def _check(
    entry: Entry,
    target: Target,
    options: dict[str, Any],
    show: Callable[[CheckReport], int],
    command: Callable[[str], str],
) -> CheckReport:
    """Return the report; `show` it in another process if this one stands still for good.

    A Ctrl-C goes on as KeyboardInterrupt, after it was said what had been found.
    """
    from parallel_cookbook.check import (
        DEFAULT_STALL_S,
        Budget,
        check_entry,
        stall_report,
    )
    from parallel_cookbook.cli.check_progress import shown_progress

    max_seconds = options["max_seconds"] or None
    max_stall_s = options["max_stall"]
    max_stall_s = DEFAULT_STALL_S if max_stall_s is None else max_stall_s or math.inf
    on_look = stand_guard(
        max_stall_s, lambda places: show(stall_report(entry, target.name, places, max_stall_s))
    )
    tallies: list[Tally] = []

    def progress(tally: Tally) -> None:
        tallies[:] = [tally]
        on_progress(tally)

    try:
        with shown_progress(max_seconds) as on_progress:
            return check_entry(
                entry,
                target=target.name,
                strategy=options["strategy"],
                seed=options["seed"],
                budget=Budget(options["max_executions"], max_seconds),
                max_steps=options["max_steps"],
                include=options["include"],
                races=options["races"],
                keep_going=options["keep_going"],
                faults=options["faults"],
                max_stall_s=max_stall_s,
                on_look=on_look,
                on_progress=progress,
            )
    except KeyboardInterrupt:
        for tally in tallies:
            _tell_interrupted(tally, command)
        raise


def _tell_interrupted(tally: Tally, command: Callable[[str], str]) -> None:
    """Say on standard error what had been found so far; another Ctrl-C meanwhile changes nothing."""
    from rich.console import Console

    from parallel_cookbook.check import found_so_far
    from parallel_cookbook.report.check import interrupted_lines, show

    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        failures = found_so_far(tally)
        console = Console(stderr=True, highlight=False)
        show(console, interrupted_lines(tally.executions, tally.seconds, failures, command))
    finally:
        signal.signal(signal.SIGINT, handler)


def _replay_command(target: Target, entry: Entry, options: dict[str, Any], schedule: str) -> str:
    """Return the command that replays `schedule`: with everything that the execution depends on."""
    from parallel_cookbook.check import DEFAULT_MAX_STEPS

    words = ["cookbook", "check", target.name]
    for package in options["include"]:
        words += ["--include", package]
    if options["max_steps"] != DEFAULT_MAX_STEPS:
        words += ["--max-steps", str(options["max_steps"])]
    words += ["--replay", schedule]
    return shlex.join([*words, "--", *entry.arguments] if entry.arguments else words)


def _replay_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return those options of a check on which an execution depends."""
    return {name: options[name] for name in ("include", "max_steps")}


def _write_page(
    page: Path,
    report: CheckReport,
    entry: Entry,
    command: Callable[[str], str],
    replay_options: dict[str, Any],
) -> None:
    from parallel_cookbook.check import replay_entry
    from parallel_cookbook.report.check_html import html_page, schedules

    stories = {
        schedule: replay_entry(entry, schedule, **replay_options)[0]
        for schedule in schedules(report)
    }
    try:
        page.write_text(html_page(report, stories, command), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {str(page)!r}: {error.strerror}") from None


def _as_json(report: CheckReport) -> dict[str, Any]:
    return {"schema": 1, **dataclasses.asdict(report)}


def _show(
    report: CheckReport,
    entry: Entry,
    command: Callable[[str], str],
    replay_options: dict[str, Any],
) -> None:
    from rich.console import Console

    from parallel_cookbook.check import replay_entry
    from parallel_cookbook.report.check import (
        all_failure_lines,
        aside_lines,
        report_lines,
        show,
    )

    console = Console(highlight=False)
    show(console, report_lines(report))
    failures = all_failure_lines(
        report.failures,
        lambda schedule: replay_entry(entry, schedule, **replay_options)[0],
        command,
    )
    show(console, failures)
    show(console, aside_lines(report))


def _replay(
    entry: Entry, target: Target, schedule: str, options: dict[str, Any], *, as_json: bool
) -> int:
    """Show what one schedule does; return 1 if the program goes wrong under it, else 0."""
    from rich.console import Console

    from parallel_cookbook.check import replay_entry, replay_report
    from parallel_cookbook.report.check import columns

    story, faults, stdout = replay_entry(entry, schedule, **_replay_options(options))
    if as_json:
        print_json(_as_json(replay_report(target.name, schedule, story, faults, stdout)))
        return 1 if faults else 0
    console = Console(highlight=False)
    console.print(columns(story))
    if stdout:
        console.print(f"printed: {stdout.rstrip()}", markup=False)
    for fault in faults:
        console.print(f"{fault.kind}: {fault.message}", markup=False)
    return 1 if faults else 0

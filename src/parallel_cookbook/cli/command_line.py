"""The command line as a whole: its commands, its exit codes, and what ends it before its time.

Exit codes: 0 pass, 1 the program under it fails, 2 usage or unsupported, 3 budget spent without a
verdict, 128 + N on signal N, so 130 on Ctrl-C.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from parallel_cookbook.cli import streams
from parallel_cookbook.cli.book import list_, new, show
from parallel_cookbook.cli.check import check
from parallel_cookbook.cli.completion import completion
from parallel_cookbook.cli.doctor import doctor
from parallel_cookbook.cli.options import command_name
from parallel_cookbook.cli.practice import practice, practice_summary
from parallel_cookbook.cli.run import run
from parallel_cookbook.cli.trace import trace
from parallel_cookbook.content import load_book
from parallel_cookbook.errors import CookbookError, UsageError
from parallel_cookbook.report.book import overview_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_EXIT_INTERRUPTED = 128 + signal.SIGINT


class _Group(click.Group):
    """A group whose commands succeed when nobody reads on; click itself makes exit code 1 of it."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:  # noqa: ANN401 - as they are
        """Parse the command line, which may print help."""
        with _reader_may_leave():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> object:
        """Carry the command out."""
        with _reader_may_leave():
            return super().invoke(ctx)


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # `cookbook list | head`
        streams.abandon_output()
        raise click.exceptions.Exit(0) from None


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="python-parallel-cookbook")
@click.pass_context
def cookbook(context: click.Context) -> None:
    """Recipes for parallel programming in Python: read them, run them, take them.

    RECIPE is an id from `cookbook list`, such as threads/lock, or any part of one that only one
    recipe has.
    """
    if not streams.may_style():
        context.color = False
    if context.invoked_subcommand is None:
        summary = practice_summary(command_name())
        for line in overview_lines(load_book(), command_name(), summary):
            click.echo(line)


for command in (list_, show, run, check, trace, practice, new, doctor, completion):
    cookbook.add_command(command)


def run_command_line(*, heed_interrupts: bool) -> NoReturn:
    """Run the command line and exit; a mistake of the reader's gets one line, no traceback.

    heed_interrupts: let Ctrl-C raise KeyboardInterrupt from here on.
    """
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:  # `nohup` has it ignored: so it stays
                signal.signal(number, _exit_on_signal)
        if heed_interrupts:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = _run_command_line()
    except (KeyboardInterrupt, click.Abort):  # click makes the second of the first
        code = _EXIT_INTERRUPTED
    except OSError as error:
        if not streams.is_failed_write(error):
            raise
        streams.abandon_output()
        click.echo(f"cookbook: cannot write the output: {error.strerror}", err=True)
        code = UsageError.exit_code
    sys.exit(code)


def _run_command_line() -> int:
    try:
        streams.prepare()
        code = cookbook.main(prog_name="cookbook", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CookbookError as error:
        click.echo(f"cookbook: {error}", err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    # An exception, so that every `finally` on the way out ends its processes.
    sys.exit(128 + number)

"""The command `cookbook`: a thin shell around the verbs. Imported by nobody.

Exit codes: 0 pass, 1 the program under it fails, 2 usage or unsupported, 3 budget spent without a
verdict, 130 on Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from parallel_cookbook.cli.book import list_, new, show
from parallel_cookbook.cli.completion import completion
from parallel_cookbook.cli.doctor import doctor
from parallel_cookbook.cli.run import run
from parallel_cookbook.content import load_book
from parallel_cookbook.errors import CookbookError
from parallel_cookbook.report.book import overview_lines

if TYPE_CHECKING:
    from types import FrameType

EXIT_INTERRUPTED = 130


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="python-parallel-cookbook")
@click.pass_context
def cookbook(context: click.Context) -> None:
    """Recipes for parallel programming in Python: read them, run them, take them.

    RECIPE is an id from `cookbook list`, such as threads/lock, or any part of one that only one
    recipe has.
    """
    if "NO_COLOR" in os.environ:
        context.color = False
    if context.invoked_subcommand is None:
        for line in overview_lines(load_book()):
            click.echo(line)


for command in (list_, show, run, new, doctor, completion):
    cookbook.add_command(command)


def main() -> None:
    """Run the command line and exit; a mistake of the reader's gets one line, no traceback."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit_on_signal)
    try:
        code = cookbook.main(prog_name="cookbook", standalone_mode=False)
    except click.Abort:  # what click makes of Ctrl-C
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CookbookError as error:
        click.echo(f"cookbook: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `cookbook list | head`: nobody reads on, which is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    # An exception, so that every `finally` on the way out ends its processes.
    sys.exit(128 + number)

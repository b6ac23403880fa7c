"""The console that commands print on. Imported where it is needed: rich takes 60 ms."""

from __future__ import annotations

from rich.console import Console

from parallel_cookbook.cli import streams


class _Console(Console):
    """A console that leaves a closed pipe to its caller, as every other stream does."""

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704 - the BrokenPipeError that rich is handling now


def new_console(*, quiet: bool = False, soft_wrap: bool = False, stderr: bool = False) -> Console:
    """Return a console with our choice of colours, which rich would make a little differently."""
    return _Console(
        quiet=quiet,
        highlight=False,
        soft_wrap=soft_wrap,
        stderr=stderr,
        color_system="auto" if streams.may_style() else None,
        no_color=False,
    )

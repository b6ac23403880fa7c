"""`cookbook completion`: what a shell needs to complete commands, options and recipe names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from parallel_cookbook.errors import UnsupportedError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash:  cookbook completion bash >> ~/.bashrc
    zsh:   cookbook completion zsh >> ~/.zshrc
    fish:  cookbook completion fish > ~/.config/fish/completions/cookbook.fish
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    generator = get_completion_class(shell)
    if generator is None:
        raise UnsupportedError(f"the installed click cannot complete in {shell!r}")
    click.echo(
        generator(context.find_root().command, {}, "cookbook", "_COOKBOOK_COMPLETE").source()
    )

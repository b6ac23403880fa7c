"""`cookbook doctor`: what this machine and interpreter offer."""

from __future__ import annotations

import shutil
import sys
import textwrap

import click

from parallel_cookbook.cli.options import json_option, print_json

_LEAST_COLUMNS = 20
"""A note in fewer columns would be a tower of words."""


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Say what this machine offers to parallel programs."""
    from parallel_cookbook import doctor as inspection

    facts, extras = inspection.facts(), inspection.extras()
    if as_json:
        print_json(
            {
                "schema": 1,
                "facts": {fact.name.replace(" ", "_"): fact.value for fact in facts},
                "extras": {fact.name: fact.value for fact in extras},
            }
        )
        return
    for fact in facts:
        _print_fact(fact.name, fact.value, fact.note)
    click.echo("\noptional packages")
    for fact in extras:
        _print_fact(fact.name, fact.value or "not installed", fact.note)


def _print_fact(name: str, value: object, note: str) -> None:
    if isinstance(value, list):
        value = ", ".join(value)
    elif value is None or isinstance(value, bool):
        value = "yes" if value else "no"
    begin = f"  {name.ljust(22)} "
    remark = f"  ({note})" if note else ""
    if sys.stdout.isatty() and len(f"{begin}{value}{remark}") > shutil.get_terminal_size().columns:
        remark = _below(note, len(begin))
    remark = click.style(remark, dim=True) if remark else ""
    click.echo(f"{begin}{click.style(str(value), bold=True)}{remark}")


def _below(note: str, indent: int) -> str:
    """Return a note for which a line has no room, as lines of its own, broken between words."""
    if not note:
        return ""
    room = max(shutil.get_terminal_size().columns - indent, _LEAST_COLUMNS)
    return "".join(f"\n{' ' * indent}{line}" for line in textwrap.wrap(f"({note})", room))

"""`cookbook doctor`: what this machine and interpreter offer."""

from __future__ import annotations

import click

from parallel_cookbook.cli.options import json_option, print_json


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Say what this machine offers to parallel programs."""
    from parallel_cookbook import doctor as inspection  # noqa: PLC0415 - 20 ms

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
    remark = click.style(f"  ({note})", dim=True) if note else ""
    click.echo(f"  {name.ljust(22)} {click.style(str(value), bold=True)}{remark}")

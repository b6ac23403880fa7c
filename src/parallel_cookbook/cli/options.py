"""Parameter types and options that several commands share."""

from __future__ import annotations

import json
from typing import Any

import click
from click.shell_completion import CompletionItem

from parallel_cookbook.content import load_book


class RecipeName(click.ParamType[str]):
    """A recipe's name, completed by the shell; the command resolves it."""

    name = "recipe"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the ids that contain what is typed, and files."""
        del ctx, param
        items = [
            CompletionItem(recipe.id, help=recipe.title)
            for recipe in load_book().recipes
            if incomplete in recipe.id
        ]
        return items or [CompletionItem(incomplete, type="file")]


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")


def print_json(data: dict[str, Any]) -> None:
    """Print one JSON object on standard output."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))

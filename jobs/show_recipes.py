"""The command `recipes`: which recipes ship with halfreal, and every option of one."""

import json
from importlib import import_module
from typing import Any

import click

from jobs.pipeline import PIPELINE
from shared.cli import resolved_options
from shared.polite import Polite
from shared.recipes import load_recipe, recipe_names


class Recipes(Polite, click.Group):
    """The command and its subcommand."""


@click.command("recipes", cls=Recipes, invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """List the recipes that ship with halfreal: source, family, size and what they need."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("recipe", "source", "family", "size", "needs"):
        table.add_column(heading, no_wrap=heading != "needs")
    for name in recipe_names():
        recipe = load_recipe(name)
        preprocess, gan = (options(job, name) for job in ("preprocess", "train_gan"))
        size = f"{preprocess['size_px']} px {'grey' if preprocess['channels'] == 1 else 'colour'}"
        table.add_row(name, preprocess["source"], gan["family"], size, recipe.words.get("needs", "nothing"))
    Console().print(table)
    click.echo("halfreal recipes show NAME prints every option of one; halfreal run --recipe NAME runs it.")


@click.command("show", cls=Polite)
@click.argument("name", metavar="NAME|FILE.toml")
def show(name: str) -> None:
    """Print the resolved options of every job, as a recipe of your own would hold them."""
    recipe = load_recipe(name)
    for key, text in recipe.words.items():
        click.echo(f"{key} = {json.dumps(text, ensure_ascii=False)}")
    for row in PIPELINE:
        click.echo(f"\n[{row.name}]")
        for option, value in options(row.name, name).items():
            click.echo(f"{option} = {json.dumps(value, ensure_ascii=False)}")


def options(job: str, recipe: str) -> dict[str, Any]:
    """Return every option of a job under a recipe; those that mean nothing there are left out."""
    return resolved_options(import_module(f"jobs.{job}.__main__").main, recipe)


main.add_command(show)

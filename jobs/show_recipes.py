"""The command `recipes`: which recipes ship with halfreal."""

import click

from shared.cli import Polite
from shared.recipes import load_recipe, recipe_names


@click.command("recipes", cls=Polite)
def main() -> None:
    """List the recipes that ship with halfreal."""
    width = max(len(name) for name in recipe_names())
    for name in recipe_names():
        click.echo(f"{name:{width}}  {load_recipe(name).about}")

"""The command `recipes`: the recipes that ship with halfreal, and every option of one."""

import click

from jobs.commands.calls import command_of
from jobs.pipeline import JOBS
from shared.cli.exit_codes import ErrorHandlingCommand, ErrorHandlingGroup
from shared.cli.progress import open_console
from shared.cli.recipes import PUBLISHED, load_recipe, recipe_names, to_toml
from shared.cli.resolve import resolved_options
from shared.cli.terminal.completion import recipes as complete


class Recipes(ErrorHandlingGroup):
    """The command and its subcommand."""

    def instead_of(self, word: str) -> str:
        """Return how to show the recipe that was named."""
        return f"; did you mean halfreal recipes show {word}?" if word in recipe_names() else ""


@click.command("recipes", cls=Recipes, invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """List the recipes that ship with halfreal: source, family, size and what they need."""
    if context.invoked_subcommand is not None:
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("recipe", "source", "family", "size", "needs"):
        table.add_column(heading, no_wrap=heading != "needs")
    for name in recipe_names():
        recipe = load_recipe(name)
        preprocess, gan = (options(job, name) for job in ("preprocess", "train_gan"))
        size = f"{preprocess['size_px']} px {'grey' if preprocess['channels'] == 1 else 'colour'}"
        table.add_row(name, str(preprocess["source"]), str(gan["family"]), size, recipe.words.get("needs", "nothing"))
    open_console().print(table)
    click.echo("halfreal recipes show NAME prints every option of one; halfreal run --recipe NAME runs it.")


@click.command("show", cls=ErrorHandlingCommand)
@click.argument("name", metavar="NAME|FILE.toml", shell_complete=complete)
def show(name: str) -> None:
    """Print the resolved options of every job, as a recipe of your own would hold them."""
    recipe = load_recipe(name)
    tables: dict[str, dict[str, object]] = {}
    if recipe.published is not None:
        tables[PUBLISHED] = {**recipe.published.values}
    tables |= {job.name: options(job.name, name) for job in JOBS}
    click.echo(to_toml(recipe.words, tables), nl=False)


def options(job: str, recipe: str) -> dict[str, object]:
    """Return every option of a job under a recipe, without those that have no meaning there."""
    return resolved_options(command_of(job), recipe)


main.add_command(show)

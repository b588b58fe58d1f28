"""What a shell offers for the value of an option, of which click knows the type alone."""

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from shared.cli.recipes import recipe_names
from shared.cli.terminal.experiments import experiment_names

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""What click asks for the values of a parameter that begin with a text."""


def several_of(names: Callable[[], Iterable[str]]) -> Complete:
    """Return the completion of a text that holds some of `names`, joined by commas."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, begun = incomplete.rpartition(",")
        return [CompletionItem(before + comma + name) for name in names() if name.startswith(begun)]

    return complete


def recipes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the recipes that ship with halfreal, or else let the shell offer files."""
    return several_of(recipe_names)(context, parameter, incomplete) or [CompletionItem(incomplete, type="file")]


def experiments(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the experiments on the volume that the call names."""
    volume = context.params.get("data_root") or Path("data")
    return [CompletionItem(name) for name in experiment_names(volume) if name.startswith(incomplete)]

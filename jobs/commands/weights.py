"""The command `weights`: the weights of feature extractors on the volume."""

from pathlib import Path
from typing import Any

import click

from shared.cli.calls.volume import Volume
from shared.cli.exit_codes import ErrorHandlingCommand, ErrorHandlingGroup
from shared.errors import HalfrealError, MissingArtifact

data_root = click.option(
    "--data-root",
    type=Volume(),
    default=Path("data"),
    envvar="HALFREAL_DATA_ROOT",
    help="Volume; weights are in its folder weights/, which each machine has to itself where the volume is in a store.",
)


@click.command("weights", cls=ErrorHandlingGroup)
def main() -> None:
    """Download, list and check the weights of feature extractors; jobs never download any."""


def _known(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    from shared.models.pretrained.weights import WEIGHTS

    unknown = sorted(set(names) - WEIGHTS.keys())
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(WEIGHTS)}")
    return names or tuple(WEIGHTS)


@click.command("fetch", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.argument("names", nargs=-1, callback=_known, metavar="[NAME]...")
@data_root
def fetch(names: tuple[str, ...], data_root: Path) -> None:
    """Download weights to the volume: all, or those named. The sha256 of every file is checked.

    Where there is no network, copy the file into weights/ of the volume: Inception's as NVIDIA, pytorch-fid or
    torch-fidelity publish it. Files are recognised by their sha256, under any name.
    """
    from shared.models.pretrained.weights import checked
    from shared.models.pretrained.weights import fetch as bring

    # one that fails does not keep the others from being fetched
    failed: list[HalfrealError] = []
    for name in names:
        try:
            click.echo(f"{name}: already there: {checked(name, data_root / 'weights').path}")
        except HalfrealError:
            try:
                click.echo(f"{name}: {bring(name, data_root / 'weights')}")
            except HalfrealError as error:
                if len(names) > 1:  # the error that ends the command is printed once more
                    click.echo(f"{name}: {error}", err=True)
                failed.append(error)
    if failed:
        raise failed[0]


@click.command("list", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@data_root
def show(data_root: Path) -> None:
    """List the weights with their state, purpose and file."""
    from shared.models.pretrained.weights import WEIGHTS, checked

    for name, weights in WEIGHTS.items():
        path, layout = weights.path(data_root / "weights"), weights.files[0].layout
        try:
            found = checked(name, data_root / "weights")
            state, path, layout = "there" if found.published else "unpublished", found.path, found.layout
        except MissingArtifact:
            state = "absent"
        except HalfrealError as error:
            # of several files that may hold them the error names the one
            state, path = "altered", Path(str(error).partition(": ")[0])
        click.echo(f"{name:20} {state:11}  {weights.about}\n{'':20} {path} ({layout})")


@click.command("verify", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.argument("names", nargs=-1, callback=_known, metavar="[NAME]...")
@data_root
def verify(names: tuple[str, ...], data_root: Path) -> None:
    """Check the sha256 of the weights on the volume; absent ones are only named."""
    from shared.models.pretrained.weights import checked

    wrong: list[Any] = []
    for name in names:
        try:
            found = checked(name, data_root / "weights")
            note = "" if found.published else "  UNPUBLISHED: admitted for tests"
            click.echo(f"{name}: {found.sha256}  {found.path} ({found.layout}){note}")
        except MissingArtifact as error:
            click.echo(f"{name}: absent ({error})")
        except HalfrealError as error:
            wrong.append(error)
            click.echo(f"{name}: WRONG: {error}", err=True)
    if wrong:
        raise wrong[0]


for command in (fetch, show, verify):
    main.add_command(command)

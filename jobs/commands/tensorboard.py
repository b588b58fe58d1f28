"""The command `tensorboard`: losses, scores and samples of each epoch of an experiment."""

from pathlib import Path

import click

from shared.cli.common_options import HOST, experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.recipes import Recipe
from shared.errors import MissingArtifact
from shared.runtime.sockets import listen

MOST_GRIDS = 100_000
"""Most sample grids shown: enough for one of each epoch; TensorBoard's default is ten in all."""


@click.command("tensorboard", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@HOST
@click.option("--port", type=click.IntRange(1, 65535), default=6006, help="Port of the page.")
def main(recipe: Recipe, experiment: str | None, data_root: Path, host: str, port: int, **_: object) -> None:
    """Serve TensorBoard on an experiment: losses and samples of each epoch, and the scores of each snapshot.

    A GAN that is still training appears under its staging folder, `gan/.r00-...`, and is followed as it trains.
    """
    folder = data_root / experiment_name(experiment, recipe)
    if not folder.is_dir():
        raise MissingArtifact(f"{folder}: does not exist; run first: halfreal run --data-root {data_root}")
    # TensorBoard reports a taken port by a log line and exit code 1: find out first, with our own message
    listen(host, port).close()
    from tensorboard.program import TensorBoard

    board = TensorBoard()
    grids = {"images": MOST_GRIDS}
    board.configure(("halfreal tensorboard",), logdir=str(folder), host=host, port=port, samples_per_plugin=grids)
    raise SystemExit(board.main())

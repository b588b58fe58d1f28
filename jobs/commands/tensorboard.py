"""The command `tensorboard`: losses, scores and samples of each epoch of an experiment."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from shared.cli.common_options import ALLOWED_HOSTS, HOST, experiment_name, place, place_flags
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.recipes import Recipe
from shared.errors import MissingArtifact
from shared.runtime.sockets import listen, refusal

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
"""What a web server calls, as WSGI has it."""

MOST_GRIDS = 100_000
"""Most sample grids shown: enough for one of each epoch; TensorBoard's default is ten in all."""


@click.command("tensorboard", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@HOST
@ALLOWED_HOSTS
@click.option("--port", type=click.IntRange(1, 65535), default=6006, help="Port of the page.")
def main(
    recipe: Recipe,
    experiment: str | None,
    data_root: Path,
    host: str,
    port: int,
    allowed_hosts: tuple[str, ...],
    **_: object,
) -> None:
    """Serve TensorBoard on an experiment: losses and samples of each epoch, and the scores of each snapshot.

    A GAN that is still training appears under its staging folder, `gan/.r00-...`, and is followed as it trains.
    """
    folder = data_root / experiment_name(experiment, recipe)
    if not folder.is_dir():
        raise MissingArtifact(f"{folder}: does not exist; run first: halfreal run{place_flags(data_root)}")
    # TensorBoard reports a taken port by a log line and exit code 1: find out first, with our own message
    listen(host, port).close()
    from tensorboard.program import TensorBoard, WerkzeugServer

    board = TensorBoard(
        plugins=_plugins(),
        server_class=lambda app, flags: WerkzeugServer(_guarded(app, (host, *allowed_hosts)), flags),
    )
    grids = {"images": MOST_GRIDS}
    board.configure(("halfreal tensorboard",), logdir=str(folder), host=host, port=port, samples_per_plugin=grids)
    raise SystemExit(board.main())


def _plugins() -> list[Any]:
    """Return the parts of TensorBoard that read what jobs log.

    Others read files that a folder of somebody else's may name, wherever they are: the projector does.
    """
    from tensorboard.plugins.core.core_plugin import CorePluginLoader
    from tensorboard.plugins.image.images_plugin import ImagesPlugin
    from tensorboard.plugins.metrics.metrics_plugin import MetricsPlugin
    from tensorboard.plugins.scalar.scalars_plugin import ScalarsPlugin

    return [CorePluginLoader, ScalarsPlugin, ImagesPlugin, MetricsPlugin]


def _guarded(app: Application, names: tuple[str, ...]) -> Application:
    """Return TensorBoard as an application that refuses requests under foreign names, and those of other sites."""

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if why := refusal(environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN"), names):
            start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
            return [why.encode()]
        return app(environ, start_response)

    return guarded

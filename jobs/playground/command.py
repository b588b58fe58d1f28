"""The command `playground`: a local page on which to draw images from trained generators."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from shared.cli.common_options import ALLOWED_HOSTS, HOST, REPLICATE, experiment_name, place, place_flags
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.recipes import Recipe
from shared.errors import MissingArtifact
from shared.runtime.sockets import address, listen


@click.command("playground", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@HOST
@ALLOWED_HOSTS
@REPLICATE
@click.option("--port", type=click.IntRange(0, 65535), default=7860, help="Port of the page; 0: a free one.")
def main(
    recipe: Recipe,
    experiment: str | None,
    data_root: Path,
    host: str,
    port: int,
    allowed_hosts: tuple[str, ...],
    replicate: int | None,
    **_: object,
) -> None:
    """Serve a page on which to draw images from the generators of finished experiments.

    Choose experiment, replicate, snapshot, class, count, seed and truncation; see the images, what the experiment's
    classifier takes them for, their quality figures and the nearest training images; download them as a PNG or as a
    shard. Snapshots, replicates, classes and truncations can be seen side by side, from the same latents, and the
    images between two others. The page needs no network and takes no files. It has no password: publish it to people
    you trust.
    """
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}  # before gradio is imported
    # also read at import: between drawings idle threads would otherwise spin on the cores
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from jobs.playground.index import ExperimentIndex

    index = ExperimentIndex(data_root, replicate)
    names, wanted = index.names(), experiment_name(experiment, recipe)
    if experiment:
        index.open(experiment)
    elif not names:
        raise MissingArtifact(f"{data_root}: no experiment there; run first: halfreal run{place_flags(data_root)}")
    with listen(host, port) as listener, TemporaryDirectory(prefix="halfreal-playground-") as scratch:
        # gradio would leave copies of every download in the system's temporary folder
        os.environ["GRADIO_TEMP_DIR"] = scratch
        from jobs.playground.guard import Guard
        from jobs.playground.page import Page, make_app, serve

        # resolved, as gradio asks for files: the path of a download is compared as text
        page = Page(index, wanted if wanted in names else names[0], Path(scratch).resolve())
        click.echo(f"halfreal playground: {address(listener)} (Ctrl-C ends it)")
        try:
            serve(Guard(make_app(page), (host, *allowed_hosts), page.downloads), listener)
        except KeyboardInterrupt:
            click.echo("stopped")

"""The command `sample`: draw images of one class from a trained generator, with their quality figures."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from shared.cli.common_options import REPLICATE, experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.recipes import Recipe
from shared.errors import BadConfig
from shared.format.files import unwritable, write_whole
from shared.store.replicates import replicate_name


def _png(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    # the JSON has the same name with the suffix .json
    if path is not None and path.suffix.lower() != ".png":
        raise BadConfig(f"--out {path}: want a name that ends in .png")
    return path


@click.command("sample", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@click.option("--class", "wanted", metavar="NAME", help="Class to draw, by name or number.")
@click.option("--count", type=click.IntRange(1, 10_000), default=16, help="Images to draw.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Random seed of the latents.")
@REPLICATE
@click.option("--epoch", type=click.IntRange(0), help="Snapshot to draw from [default: the one that evaluate chose].")
@click.option(
    "--truncation",
    type=click.FloatRange(0.05),
    help="Cut latents off at this many standard deviations: lower is more typical, less diverse [default: not at all].",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_png,
    help="PNG file to write [default: in the experiment's samples/].",
)
def main(
    recipe: Recipe,
    experiment: str | None,
    data_root: Path,
    wanted: str | None,
    replicate: int | None,
    epoch: int | None,
    out: Path | None,
    **asked: Any,
) -> None:
    """Draw images of a class from an experiment's generator: a PNG, and as JSON their quality figures.

    Diversity, sharpness and contrast are given next to those of the real test images, with the resulting category. An
    unconditional generator takes no class; the figures name the classes that the classifier predicts.
    """
    from jobs.commands.drawing import Experiment, SampleRequest

    folder = data_root / experiment_name(experiment, recipe)
    opened = Experiment(folder, replicate)
    label, snapshot = opened.label(wanted), opened.snapshot(epoch)
    names = ("count", "seed", "truncation")
    request = SampleRequest(label=label, snapshot=snapshot, **{name: asked[name] for name in names})
    drawing = opened.draw(request)
    path = out or folder / "samples" / f"{replicate_name(opened.replicate)}-{request.name}.png"
    # asdict, not facts: None stays, so that every JSON has the same keys
    text = json.dumps({"picture": str(path), "replicate": opened.replicate, **asdict(drawing.figures)}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, drawing.sheet())
        write_whole(path.with_suffix(".json"), f"{text}\n".encode())
    except OSError as error:
        raise unwritable(path, error) from error
    click.echo(text)

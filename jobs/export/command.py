"""The command `export`: the synthetic images, or the generator that drew them, for other tools."""

from pathlib import Path
from typing import Any

import click

from jobs.export.formats import FORMATS
from jobs.export.generators import GENERATOR_FORMATS
from jobs.export.options import ANNOTATED, ASKED, GIVEN
from shared.cli.click_options import LocalPath
from shared.cli.common_options import REPLICATE, experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.recipes import Recipe

ABOUT = {name: row.about for name, row in FORMATS.items()} | {
    name: row.about for name, row in GENERATOR_FORMATS.items()
}


@click.command("export", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@click.option(
    "--to",
    type=click.Choice(tuple(ABOUT)),
    required=True,
    help="Images: "
    + "; ".join(f"{name}: {about}" for name, about in ABOUT.items() if name in FORMATS)
    + ". The generator: "
    + "; ".join(f"{name}: {about}" for name, about in ABOUT.items() if name in GENERATOR_FORMATS)
    + ".",
)
@click.option("--out", type=LocalPath(file_okay=False), help="Folder [default: the experiment's export/<to>].")
@click.option(
    "--labels",
    type=click.Choice([ANNOTATED, ASKED, GIVEN]),
    help="Whose labels images get: the classifier's, the class asked for, or those given with imported images "
    "[default: given where imported images have them, as in the verdict; else annotated].",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    help="Least confidence of the classifier; other images are left out [default: all are taken].",
)
@click.option(
    "--epoch", type=click.IntRange(0), help="Snapshot of the generator [default: the one that evaluate chose]."
)
@REPLICATE
@click.option("--force", is_flag=True, help="Replace what the folder holds.")
def main(
    recipe: Recipe,
    experiment: str | None,
    data_root: Path,
    out: Path | None,
    replicate: int | None,
    force: bool,
    debug: bool,
    **options: Any,
) -> None:
    """Write the synthetic images, or the generator that drew them, for other tools.

    Images have labels, a generator has a loader that needs none of halfreal. The card, README.md, of images and of the
    hub's folder has the verdict, the scores, the test for copies and a place for your licence.
    """
    from jobs.export.exporting import export

    export(data_root / experiment_name(experiment, recipe), replicate, out, force=force, **options)


if __name__ == "__main__":
    main()

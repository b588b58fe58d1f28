"""The command `export`: the synthetic images, or the generator that drew them, for other tools."""

from pathlib import Path
from typing import Any

import click

from jobs.export.formats import FORMATS
from jobs.export.generators import GENERATOR_FORMATS
from jobs.export.options import ANNOTATED, ASKED, GIVEN
from jobs.export.plan import Asked
from jobs.pipeline import EVALUATE
from shared.cli.click_options import LocalPath
from shared.cli.common_options import REPLICATE, experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.progress import Reporter
from shared.cli.recipes import Recipe
from shared.store.lineage import chosen_replicate

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
    from jobs.export import generators, images
    from jobs.export.staging import check_place, why_written, write_export

    folder = data_root / experiment_name(experiment, recipe)
    target = (out or folder / "export" / options["to"]).resolve()
    # before anything is opened or written
    check_place(target, folder)
    asked = Asked(folder=folder, replicate=chosen_replicate(folder, EVALUATE, replicate), **options)
    plan, reporter = (images if asked.to in FORMATS else generators).plan(asked), Reporter("export")
    reason = why_written(target, plan.key, force)
    if reason is None:
        reporter.info(f"already complete: {target}")
        return

    def write(staging: Path) -> None:
        if reason:
            reporter.info(f"rebuilding because {reason}")
        plan.write(staging, reporter)

    write_export(target, plan.key, write)
    plan.say(target, reporter)


if __name__ == "__main__":
    main()

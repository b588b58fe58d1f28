"""An export of an experiment, for the command and from Python."""

from pathlib import Path
from typing import Any

from jobs.export import generators, images
from jobs.export.formats import FORMATS
from jobs.export.generators import GENERATOR_FORMATS
from jobs.export.plan import Asked
from jobs.export.staging import check_place, why_written, write_export
from jobs.pipeline import EVALUATE
from shared.cli.options import nearest
from shared.cli.progress import Reporter
from shared.errors import BadConfig
from shared.store.lineage import chosen_replicate


def export(
    folder: Path, replicate: int | None, out: Path | None = None, *, force: bool = False, **options: Any
) -> Path:
    """Write what is asked for of the experiment in `folder`, unless that is there already; return where it is.

    `options` are those of Asked. Where none is named, the replicate is the best on val and the place the experiment's
    export/<to>. With `force` what is there is replaced.
    """
    known = (*FORMATS, *GENERATOR_FORMATS)
    if options["to"] not in known:
        raise BadConfig(
            f"--to {options['to']}: no such format{nearest(options['to'], known)}; there are {', '.join(known)}"
        )
    target = (out or folder / "export" / options["to"]).resolve()
    # before anything is opened or written
    check_place(target, folder)
    asked = Asked(folder=folder, replicate=chosen_replicate(folder, EVALUATE, replicate), **options)
    plan, reporter = (images if asked.to in FORMATS else generators).plan(asked), Reporter("export")
    reason = why_written(target, plan.key, force)
    if reason is None:
        reporter.info(f"already complete: {target}")
        return target

    def write(staging: Path) -> None:
        if reason:
            reporter.info(f"rebuilding because {reason}")
        plan.write(staging, reporter)

    write_export(target, plan.key, write)
    plan.say(target, reporter)
    return target

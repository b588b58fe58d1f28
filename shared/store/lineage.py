"""Which artifacts a job reads, whether they were made from one another, and the recipe that makes them again."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import BadConfig, BadInput
from shared.store.job import Job
from shared.store.replicates import best_on_val, existing, input_places, place, reads_as_there, replicates_among

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact
    from shared.store.records.scores import OnTest, ScoresRecord

    Inputs = dict[str, Artifact]

TRIALS_FOLDER = "trials"
"""The folder of an experiment in which `tune` has a folder for each search, with one for each of its trials."""

STUDY_FOLDER = "study"
"""The folder of an experiment in which the experiments of its study are."""

POINT_NAME = r"(images|labels)-[0-9]+(\.[0-9]+)?"
"""What the experiment of a point is named there: a kind of `jobs.study.points` and a percentage."""


def open_inputs(row: Job, folder: Path, replicate: int | None = None, replicates: int | None = None) -> "Inputs":
    """Open the artifacts that the job in `row` reads, by their places, in the experiment's `folder`.

    `replicate` is the one whose artifacts are read, None where the job reads those of all `replicates`. Where their
    number is not given, either, they are those that a result among the inputs was made from; the first one where no
    input is of all of them.
    """
    from shared.store.artifacts import open_output

    row = reads_as_there(row, folder)
    if replicate is None and replicates is None:
        single = [read for read in row.reads if not read.replicated]
        # not those that are there: replicates that were added after the result are not in it
        replicates = max((replicates_among(open_output(read, folder).manifest.inputs) for read in single), default=1)
    places = input_places(row, replicate, replicates or 0)
    inputs = open_places({name: read for name, read in places.items() if read not in row.behind}, folder)
    used = {name for artifact in inputs.values() for name in artifact.manifest.inputs}
    inputs |= open_places({name: places[name] for name in places if name in used and name not in inputs}, folder)
    check_lineage(inputs)
    for extra in row.extras:
        if (folder / place(extra, replicate)).exists():
            optional = open_places({place(extra, replicate): extra}, folder)
            # one made from older inputs is ignored, not refused: the job can do without it
            inputs |= optional if _in_step(inputs | optional) else {}
    return inputs


def chosen_replicate(folder: Path, scores: "Job[ScoresRecord]", wanted: int | None) -> int:
    """Return the replicate that is `wanted`, else the best on val of those that the job in `scores` has scored.

    Where none is scored yet that is the first: what it lacks first is said when its artifacts are opened. Raises
    BadConfig for one that is wanted and not there.
    """
    from shared.store.artifacts import open_output

    there = existing(folder, scores)
    if wanted is None and not there:
        return 0
    if wanted is None:
        return best_on_val({number: open_output(scores, folder, number).record for number in there})
    if wanted not in there:
        known = ", ".join(map(str, there)) or "none; run first: halfreal evaluate"
        raise BadConfig(f"--replicate {wanted}: not scored in {folder}; there are {known}")
    return wanted


def open_places(places: "Mapping[str, Job]", folder: Path) -> "Inputs":
    """Open the artifacts at some places in the experiment's `folder`, whose jobs are given; lineage is not read."""
    from shared.store.artifacts import as_output, open_artifact

    return {name: as_output(row, open_artifact(folder / name, row.kind, row.name)) for name, row in places.items()}


def _in_step(artifacts: "Mapping[str, Artifact]") -> bool:
    try:
        check_lineage(artifacts)
    except BadInput:
        return False
    return True


def check_lineage(artifacts: "Mapping[str, Artifact]") -> None:
    """Raise BadInput unless each artifact was made from exactly the others that are here now."""
    # otherwise a verdict could rest on test images that the generator has seen, or a score on another generator
    from shared.store.artifacts import SAME_PLACE

    for artifact in artifacts.values():
        for source in others_than(artifact, artifacts):
            raise BadInput(
                f"{artifact.folder}: made from another {source!r} than the one next to it\n"
                f"rebuild them together: halfreal run, or halfreal {artifact.manifest.job}{SAME_PLACE}"
            )


def others_than(artifact: "Artifact", artifacts: "Mapping[str, Artifact]") -> list[str]:
    """Return the places of those of `artifacts` that are not the ones that an artifact was made from."""
    return [
        source
        for source, digest in artifact.manifest.inputs.items()
        # the whole of an input that was extended since counts for the report alone, which is remade from it
        if source in artifacts and digest not in (artifacts[source].identity, artifacts[source].sha256)
    ]


def replaced_since(artifacts: "Mapping[str, Artifact]", folder: Path, rows: "Iterable[Job]") -> list[str]:
    """Return the places in `folder` of what `artifacts` were made from and is another artifact by now, in order.

    What was extended since, such as a GAN that was trained further, is the same one; what is gone, or cannot be read,
    says nothing.
    """
    by_place = {row.writes: row for row in rows}
    digests = {name: digest for artifact in artifacts.values() for name, digest in artifact.manifest.inputs.items()}
    replaced = []
    for name in sorted(digests.keys() - artifacts.keys()):
        row = by_place.get(name.partition("/")[0])
        with suppress(BadInput):
            now = None if row is None else open_places({name: row}, folder)[name]
            if now is not None and digests[name] not in (now.identity, now.sha256):
                replaced.append(name)
    return replaced


def lineage(rows: Iterable[Job], inputs: "Mapping[str, Artifact]") -> list[dict[str, object]]:
    """Return a line for each artifact, in the order of the jobs `rows`: its hash, job, options and inputs."""
    made = [
        (name, row, inputs[name]) for row in rows for name in sorted(inputs) if name.partition("/")[0] == row.writes
    ]
    return [
        {
            "name": name,
            "sha256": artifact.sha256,
            "extends": artifact.manifest.extends,
            "job": row.name,
            "halfreal": artifact.manifest.halfreal,
            "options": artifact.manifest.options,
            "inputs": artifact.manifest.inputs,
        }
        for name, row, artifact in made
    ]


def recipe_text(rows: Iterable[Job], inputs: "Mapping[str, Artifact]") -> str:
    """Return a recipe of the jobs `rows` with every option that their artifacts were made with, seeds included."""
    from shared.store.artifacts import inputs_of

    experiment = experiment_label(experiment_folder(inputs))
    lines = [f'about = "the experiment {experiment}, every option as it was"']
    replicates = replicates_among(inputs)
    lines += [f"replicates = {replicates}"] if replicates else []
    for row in rows:
        made = inputs_of(inputs, row)
        if made:
            options = _options_of_all([artifact.manifest.options for artifact in made])
            lines += ["", f"[{row.name}]"]
            lines += [f"{name} = {json.dumps(value)}" for name, value in options.items() if value is not None]
    return "\n".join(lines)


def _options_of_all(made: list[dict[str, object]]) -> dict[str, object]:
    """Return the options of several replicates: those of the first; a list where each was given one of its own."""
    # the first one's seed is the one that was given: the others' follow from it
    return {
        name: [options.get(name) for options in made]
        if name != "seed" and any(options.get(name) != value for options in made)
        else value
        for name, value in made[0].items()
    }


def experiment_folder(inputs: "Mapping[str, Artifact]") -> Path:
    """Return the folder of the experiment that the artifacts, by their places, are in."""
    name, artifact = next(iter(inputs.items()))
    return artifact.folder.parents[name.count("/")]


def experiment_label(folder: Path) -> str:
    """Return the name of the experiment in `folder`, as `--experiment` takes it: `digits`, or `digits/study/images-5`.

    That of a point of a study is below the folder of the experiment that the study is of.
    """
    above = folder.absolute().parent
    return f"{above.parent.name}/{above.name}/{folder.name}" if is_point(folder) else folder.name


def watched_label(folder: Path) -> str:
    """Return what logs and metrics call the experiment in `folder`: its name, for a trial of `tune` with its place.

    Every experiment has a trial 0: `digits/trials/0c4f.../trial-0000` says which.
    """
    place = folder.absolute()
    return "/".join(place.parts[-4:]) if place.parents[1].name == TRIALS_FOLDER else experiment_label(folder)


def is_point(folder: Path) -> bool:
    """Return whether the experiment in `folder` is that of a point of a study."""
    # its own name, too: a volume may be called as the folder of a study is
    return folder.absolute().parent.name == STUDY_FOLDER and re.fullmatch(POINT_NAME, folder.name) is not None


def volume_of(folder: Path) -> Path:
    """Return the volume that the experiment in `folder` is on."""
    if not is_point(folder):
        return folder.parent
    # a relative path may begin below the volume
    return (folder if len(folder.parents) > 2 else folder.absolute()).parents[2]


def need_test_scores(scores: "Artifact[ScoresRecord]") -> "OnTest":
    """Return the scores on test; BadInput for scores on val alone, such as those of a tuning trial."""
    if scores.record.on_test is None:
        raise BadInput(
            f"{scores.folder}: scored on val alone, want scores on test; run halfreal {scores.manifest.job} again, "
            "with the test split as reference"
        )
    return scores.record.on_test

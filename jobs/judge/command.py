"""The command `judge`: whether synthetic images that somebody has help a classifier, against their real ones."""

import io
import json
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from jobs.commands.calls import SETTINGS, CallingJobs, command_of
from jobs.commands.run import main as run_command
from jobs.commands.running.settings import settings
from jobs.judge.inputs import Images, check, check_apart, in_words_of_judge, lacking, read_images
from jobs.judge.places import check_files, check_same_sets, check_settings
from jobs.synthesize.options import ANNOTATOR, GIVEN
from shared.cli.calls.volume import bring
from shared.cli.click_options import LocalPath
from shared.cli.common_options import DATA_ROOT, DEBUG, check_name
from shared.cli.progress import Reporter
from shared.cli.resolve import asked, environment
from shared.cli.resource_options import CACHE_DIR, MEMORY, bind_resources, observed
from shared.disk.durable import make_folder
from shared.errors import BadConfig, BadInput
from shared.sources.reading import Reading
from shared.visible import visible

RECIPE = "judge"

REPETITIONS = 5
"""Fits of each arm over all sets together, at least: one set has as many fits, five sets one each."""


@dataclass(frozen=True)
class Experiment:
    """One call of `halfreal run`: its name, its sets of synthetic images, the words that it is called with."""

    name: str
    words: list[str]


@click.command("judge", cls=CallingJobs, context_settings={"show_default": True})
@click.argument("real", metavar="REAL")
@click.argument("synthetic", nargs=-1, required=True, metavar="SYNTHETIC [SYNTHETIC ...]")
@click.option(
    "--held-out",
    metavar="DIR",
    help="Real images that no generator saw: they are the test split. Without them nothing is said to help.",
)
@click.option("--out", type=LocalPath(dir_okay=False), help="File of the page [default: only on the volume].")
@click.option(
    "--json",
    "json_file",
    type=LocalPath(dir_okay=False),
    help="File of the results, as `halfreal results --json` prints them.",
)
@click.option("--compare", is_flag=True, help="The sets are of different generators: judge each, then compare them.")
@click.option(
    "--labels",
    type=click.Choice((GIVEN, ANNOTATOR)),
    default=GIVEN,
    help="Labels of the synthetic images: those given with them, or those of a classifier of the real images.",
)
@click.option("--size-px", type=click.IntRange(8, 1024), help="Side of the images in pixels [default: the recipe's].")
@click.option("--network", metavar="NAME", help="Classifier of the arms [default: the recipe's].")
@click.option("--recipe", default=RECIPE, metavar="NAME|FILE.toml", help="All other options of the experiment.")
@click.option("--experiment", metavar="NAME", help="Folder on the volume [default: judge-REAL-SYNTHETIC].")
@DATA_ROOT
@SETTINGS
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Random seed of every job [default: the recipe's].")
@click.option("--threads", type=click.IntRange(0), help="CPU threads of torch [default: the recipe's].")
@click.option("--device", help="Device of torch: cpu, cuda, cuda:1 or auto.")
@MEMORY
@CACHE_DIR
@observed
@click.option("--force", is_flag=True, help="Rebuild everything.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check names, classes and numbers of images, not what the files hold, and show what each job would do.",
)
@DEBUG
def main(real: str, synthetic: tuple[str, ...], **options: Any) -> None:
    """Judge synthetic images that you have: does adding them to your real ones help a classifier.

    REAL and SYNTHETIC are folders with a folder of images for each class, tables, or shards. Several SYNTHETIC are
    sets from the same generator, with --compare from different ones. No generator is trained. The same call goes on
    where it stopped; where images have changed, what depends on them is made again.
    """
    held_out = options["held_out"]
    given = [real, *synthetic, *([held_out] if held_out else [])]
    check_files({"--out": options["out"], "--json": options["json_file"]}, given)
    check_settings(options["pairs"])
    bind_resources(options)
    sets = read_sets(real, synthetic, held_out, options)
    experiments = planned(sets, options)
    for line in notices(sets, options):
        click.secho(line, fg="yellow", bold=True, err=True)
    if options["dry_run"]:
        for experiment in experiments:
            run([*experiment.words, "--dry-run"])
        return
    if len(experiments) > 1:
        # a mistake in the last one must not cost the hours before it
        for experiment in experiments:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                run([*experiment.words, "--dry-run"])
    for number, experiment in enumerate(experiments, start=1):
        if len(experiments) > 1:
            click.secho(f"set {number}/{len(experiments)}: {experiment.name}", bold=True, err=True)
        run(experiment.words)
    if options["compare"]:
        from jobs.compare.command import compare_after_run

        names = tuple(experiment.name for experiment in experiments)
        files = {"--out": options["out"], "--json": options["json_file"]}
        compare_after_run(options["data_root"], names, options["device"], files)
    else:
        finish(options["data_root"] / experiments[0].name, options["out"], options["json_file"])


@dataclass(frozen=True)
class Sets:
    """The images of a call."""

    real: Images
    synthetic: list[Images]
    held_out: Images | None


def read_sets(real: str, synthetic: Sequence[str], held_out: str | None, options: dict[str, Any]) -> Sets:
    """Return the images of a call, read and checked; raises BadInput for what cannot be judged together."""
    labelled = options["labels"] == GIVEN
    named = [("REAL", real), *(("SYNTHETIC", each) for each in synthetic)]
    check_apart([*named, *([("--held-out", held_out)] if held_out else [])])
    # as the jobs will read them: a recipe or --set may name the column of the label
    with in_words_of_judge("REAL", real, "preprocess"):
        real_images = read_images(real, partial(understood, "preprocess", options))
    drawn = []
    for given in synthetic:
        with in_words_of_judge("SYNTHETIC", given, "synthesize", labelled):
            drawn.append(read_images(given, partial(understood, "synthesize", options)))
    kept = None
    if held_out:
        with in_words_of_judge("--held-out", held_out, "preprocess"):
            kept = read_images(held_out, partial(understood_held_out, options))
    sets = Sets(real_images, drawn, kept)
    check(sets.real, sets.synthetic, sets.held_out, labelled)
    return sets


def understood(job: str, options: dict[str, Any], kind: str, place: Path) -> Reading:
    """Return how a job understands the files of a set; BadConfig for options that it refuses."""
    reading: Reading = configured(job, options, kind, place).reading
    return reading


def configured(job: str, options: dict[str, Any], kind: str, place: Path) -> Any:
    """Return the checked options of a job that reads the set at `place`."""
    words = ["--recipe", options["recipe"], "--source", kind, "--source-path", str(place)]
    labels = ["--labels", options["labels"]] if job == "synthesize" else []
    with environment(settings(options["pairs"])):
        return asked(command_of(job), [*words, *labels]).config


def understood_held_out(options: dict[str, Any], kind: str, place: Path) -> Reading:
    """Return how the files of the held-out images are understood: as those of the real ones; one class is enough."""
    return replace(understood("preprocess", options, kind, place), least_classes=1)


def notices(sets: Sets, options: dict[str, Any]) -> list[str]:
    """Return what must be known of the images before the work."""
    from shared.plots.answers import HOLD_OUT, TEST_MAY_BE_SEEN

    if sets.held_out is not None:
        return lacking(sets.real, sets.held_out)
    if configured("preprocess", options, sets.real.kind, sets.real.place).held_out is not None:  # the recipe's
        return []
    return [f"{TEST_MAY_BE_SEEN}. {HOLD_OUT}"]


def planned(sets: Sets, options: dict[str, Any]) -> list[Experiment]:
    """Return the experiments of a call: one of all sets, or with --compare one of each set."""
    if not options["compare"]:
        groups = {experiment_name(sets, options["experiment"], sets.synthetic): sets.synthetic}
    elif len(sets.synthetic) < 2:
        raise BadConfig("--compare: one set of synthetic images alone; want two or more SYNTHETIC")
    else:
        base = options["experiment"]
        groups = {
            experiment_name(sets, base and f"{base}-{images.name}", [images]): [images] for images in sets.synthetic
        }
        if len(groups) < len(sets.synthetic):
            raise BadConfig("--compare: sets of one name; want folders of different names, which name the experiments")
    kinds = sorted({images.kind for images in sets.synthetic})
    if not options["compare"] and len(kinds) > 1:
        raise BadInput(f"SYNTHETIC: sets of different kinds ({', '.join(kinds)}); want one kind for all, or --compare")
    reporter = Reporter("judge")
    versions = {
        images.place: images.version(reporter)
        for images in (sets.real, *sets.synthetic, *([sets.held_out] if sets.held_out else []))
    }
    experiments = []
    for name, synthetic in groups.items():
        check_name(name, "--experiment")
        bring(options["data_root"] / name)
        if options["experiment"] is None:  # whoever names one may replace it
            check_same_sets(options["data_root"] / name, sets.real, synthetic, sets.held_out)
        experiments.append(Experiment(name, words(name, sets, synthetic, versions, options)))
    return experiments


def experiment_name(sets: Sets, given: str | None, synthetic: Sequence[Images]) -> str:
    """Return the experiment's name: the one `given`, else one made of the names of its images."""
    if given:
        return given
    more = f"-and-{len(synthetic) - 1}-more" if len(synthetic) > 1 else ""
    held_out = f"-held-out-{sets.held_out.name}" if sets.held_out else ""
    return f"judge-{sets.real.name}-{synthetic[0].name}{more}{held_out}"


def words(
    name: str, sets: Sets, synthetic: Sequence[Images], versions: dict[Path, str], options: dict[str, Any]
) -> list[str]:
    """Return the words that `halfreal run` is called with for an experiment of these sets."""
    values: dict[str, object] = {
        "preprocess.source": sets.real.kind,
        "preprocess.source_path": sets.real.place,
        "preprocess.source_version": version_of([sets.real, *([sets.held_out] if sets.held_out else [])], versions),
        "preprocess.held_out": sets.held_out and sets.held_out.place,
        "preprocess.size_px": options["size_px"],
        "synthesize.source": synthetic[0].kind,
        "synthesize.source_path": each(str(images.place) for images in synthetic),
        "synthesize.source_version": each(versions[images.place] for images in synthetic),
        "synthesize.labels": options["labels"],
        "train_classifier.network": options["network"],
        "train_mixed.network": options["network"],
        "train_mixed.fits": -(-REPETITIONS // len(synthetic)),
    }
    pairs = [f"{place}={value}" for place, value in values.items() if value is not None]
    called = ["--recipe", options["recipe"], "--experiment", name, "--data-root", str(options["data_root"])]
    called += ["--replicates", str(len(synthetic))]
    for option in ("seed", "threads", "device"):
        called += [f"--{option}", str(options[option])] if options[option] is not None else []
    called += [f"--{flag}" for flag in ("force", "debug") if options[flag]]
    # the user's own last: they win
    return [*called, *(word for pair in [*pairs, *options["pairs"]] for word in ("--set", pair))]


def version_of(images: Sequence[Images], versions: dict[Path, str]) -> str:
    """Return the version of several sets that are read together."""
    return "+".join(versions[each.place] for each in images)


def each(values: Any) -> str:
    """Return the value of an option that has one for each replicate: itself, or a JSON list of several."""
    listed = list(values)
    return listed[0] if len(listed) == 1 else json.dumps(listed)


def run(called: list[str]) -> None:
    """Call `halfreal run`, whose errors are this command's."""
    run_command.main(called, prog_name="halfreal run", standalone_mode=False)


def finish(folder: Path, out: Path | None, json_file: Path | None) -> None:
    """Write the files that were asked for; print the verdict and where the page is, last of all that is printed."""
    from jobs.commands.results import collect
    from shared.disk.durable import write_whole
    from shared.format.files import json_bytes
    from shared.plots.answers import first_answers, read_first

    results = collect(folder)
    page = folder / "report" / "index.html"
    for path, payload in ((out, page.read_bytes()), (json_file, json_bytes(results.facts()))):
        if path is not None:
            make_folder(path.parent, parents=True)
            write_whole(path, payload)
    click.echo(visible("\n".join(["", *read_first(results.mixed)])))
    for answer in first_answers(results.mixed):
        click.secho(visible(answer.sentence), bold=True)
    click.echo(visible(f"page: {out or page}"))
    if json_file is not None:
        click.echo(f"numbers: {json_file}")

"""The experiment of each point: which options it has, what a dry run says of it, how it is run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.commands.calls import command_of
from jobs.commands.ordering import ordered
from jobs.commands.run import dry_run_chain, to_its_end
from jobs.commands.running.settings import settings
from jobs.pipeline import PIPELINE, PREPROCESS, TRAIN_GAN, TRAIN_MIXED
from jobs.study.labels import ARMS as LABELS
from jobs.study.labels import LABELS_OWN, check_arms, label_pairs
from jobs.study.points import Point, arms_with
from shared.cli.progress import StopFlag
from shared.cli.resolve import asked, environment
from shared.errors import BadConfig, BadInput
from shared.runtime.job_processes import start
from shared.store.lineage import STUDY_FOLDER

if TYPE_CHECKING:
    from shared.cli.calls.dry_run import DryRun

HALFREAL = "__main__"
"""The module of `jobs` that is the command `halfreal`."""

OWN = ("preprocess.train_val_fraction", "preprocess.labelled_fraction")
"""The options that are another one at each point; nobody else may set them."""

RESPLIT = f"{PREPROCESS.name}.resplit"
"""The option that says what is drawn again in each replicate."""

ONE_PART = {"HALFREAL_PARTS": "1"}
"""What the jobs of a point are told: the parts of a study are whole points, whoever else has which of them."""


@dataclass(frozen=True)
class Child:
    """The experiment of a point: its name, the options that it sets, the words that `halfreal run` is called with."""

    point: Point
    name: str
    pairs: tuple[str, ...]
    words: list[str]

    @property
    def run_words(self) -> list[str]:
        """The words of `halfreal run` with every option."""
        return [*self.words, *(word for pair in self.pairs for word in ("--set", pair))]


def child_of(point: Point, experiment: str, data_root: Path, recipe: str, options: Mapping[str, Any]) -> Child:
    """Return the experiment of a point of the study of `experiment`; BadConfig for options that no study can have."""
    name = f"{experiment}/{STUDY_FOLDER}/{point.name}"
    words = ["--recipe", recipe, "--experiment", name, "--data-root", str(data_root)]
    for option in ("seed", "threads", "device"):
        words += [f"--{option}", str(options[option])] if options[option] is not None else []
    words += [f"--{flag}" for flag in ("force", "debug") if options[flag]]
    return Child(point, name, (*options["pairs"], *own_pairs(point, words, options["pairs"])), words)


def own_pairs(point: Point, words: list[str], given: tuple[str, ...]) -> list[str]:
    """Return the options, `job.option=value`, that a point sets, given those of all points."""
    check_given(point, given)
    with environment(settings(given)):
        real, gan, mixed = (
            _options(job, without_force(words)) for job in (PREPROCESS.name, TRAIN_GAN.name, TRAIN_MIXED.name)
        )
    pairs = [f"preprocess.{point.row.option}={point.share:g}"]
    resplit = resplit_of(point, real)
    pairs += [] if resplit == real.resplit else [f"{RESPLIT}={resplit}"]
    if point.row.scales_epochs and point.share < 1:
        epochs, every = scaled_epochs(gan.epochs, gan.snapshot_every_epochs, point.share)
        pairs += [f"train_gan.epochs={epochs}", f"train_gan.snapshot_every_epochs={every}"]
    if point.row.unlabelled:
        pairs += label_pairs(gan, given)
    if f"train_mixed.arms={LABELS}" in pairs:
        return pairs
    arms = arms_with(mixed.arms, point.row.question)
    if point.row.unlabelled:
        check_arms(point.percent, arms)
    return pairs + ([f"train_mixed.arms={arms}"] if arms != mixed.arms else [])


def check_given(point: Point, given: tuple[str, ...]) -> None:
    """Raise BadConfig for options, `job.option=value`, that only a study may set."""
    values = {name.replace("-", "_"): value for name, _, value in (pair.partition("=") for pair in given)}
    taken = sorted(values.keys() & {*OWN, *(LABELS_OWN if point.row.unlabelled else ())})
    if taken:
        raise BadConfig(f"--set {taken[0]}: a study sets it for each of its points; leave it out")
    if values.get(RESPLIT, "all") != "all":
        raise BadConfig(
            f"--set {RESPLIT}={values[RESPLIT]}: each replicate of a point draws its images by itself\n"
            "leave it out, or say all for random splits"
        )


def resplit_of(point: Point, real: Any) -> str:
    """Return what each replicate of a point draws by itself, given the options of `preprocess` but for its own share.

    Its subset where it has one: otherwise the interval would be for these images alone. All images are one set.
    """
    others = (getattr(real, name.partition(".")[2]) for name in OWN if not name.endswith(f".{point.row.option}"))
    return "all" if real.resplit == "all" else "train" if min(point.share, *others) < 1 else "none"


def _options(job: str, words: list[str]) -> Any:
    """Return the checked options of a job."""
    try:
        return asked(command_of(job), words).config
    except BadInput as error:  # several jobs have options of one name
        raise type(error)(f"{job}: {error}") from error


def configured(child: Child) -> Any:
    """Return the checked options of `preprocess` that a point has but for its own share."""
    # without a share there is no subset to be drawn, either
    given = tuple(pair for pair in child.pairs if pair.partition("=")[0] not in OWN and pair != f"{RESPLIT}=train")
    with environment(settings(given)):
        return _options(PREPROCESS.name, without_force(child.words))


def without_force(words: list[str]) -> list[str]:
    """Return the words of a call without --force, which changes what is made and no option."""
    return [word for word in words if word != "--force"]


def scaled_epochs(epochs: int, every: int, share: float) -> tuple[int, int]:
    """Return the epochs and the epochs between snapshots of a GAN on a `share` of the images.

    It sees at least as many images as on all of them, and there are as many snapshots to choose from, or one more or
    less where epochs do not divide: otherwise a small set would mean a short training, too.
    """
    scaled = ceil(round(epochs / share, 6))
    snapshots = ceil(epochs / every)
    return scaled, max(round(scaled / snapshots), 1)


@contextmanager
def _as_run_has_it(child: Child, options: Mapping[str, Any]) -> Iterator[None]:
    """Set the options of a child as `halfreal run` sets them for its jobs, for a while."""
    counts = {f"HALFREAL_{name}".upper(): str(options[name]) for name in ("replicates", "processes") if options[name]}
    with environment(settings(child.pairs) | counts | ONE_PART):
        yield


def dry_run(child: Child, options: Mapping[str, Any]) -> "DryRun":
    """Let every job of a point check its options, and say what it would do; BadInput where one refuses them."""
    with _as_run_has_it(child, options):
        try:
            jobs = ordered(PIPELINE, child.words)
            if TRAIN_GAN.name not in [job.name for job in jobs]:
                raise BadConfig(
                    "the synthetic images are imported: no generator can be trained on fewer real ones\n"
                    "want synthesize.source=generator"
                )
            return dry_run_chain(jobs, [*child.words, "--dry-run"])
        except BadInput as error:
            raise type(error)(f"{child.point.name}: {error}") from error


def is_complete(said: "DryRun") -> bool:
    """Return whether a dry run found nothing to be made."""
    return not said.made and not said.extended


def run_child(child: Child, options: Mapping[str, Any], stop: StopFlag) -> None:
    """Run a point to its end in a process of its own; see `jobs.commands.run.to_its_end`."""
    counts = [(f"--{name}", str(options[name])) for name in ("replicates", "processes") if options[name]]
    process = start(HALFREAL, ["run", *child.run_words, *(word for pair in counts for word in pair)], ONE_PART)
    to_its_end(process, child.name, stop)


def seconds_of(folder: Path) -> float:
    """Return the computing time of all artifacts in the folder of an experiment, in seconds."""
    import json

    found = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("**/run.json")) if _is_final(path)]
    return round(sum(float(run.get("seconds", 0)) for run in found), 1)


def _is_final(path: Path) -> bool:
    """Return whether a file is of a finished artifact, not of what is in work."""
    return not any(part.startswith(".") for part in path.parts[-4:])

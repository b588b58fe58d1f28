"""The pairs of networks of a GAN that has several: one for each class, or more that learn from the same images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.train_gan.loop import raise_on_all, snapshot_fault
from jobs.train_gan.plan import make_plan, read_header
from jobs.train_gan.state import State
from jobs.train_gan.task import Task
from shared.errors import BadInput
from shared.models.classifiers import parameter_count
from shared.runtime.seeding import Stream, derive_seed
from shared.store.records.base import Record, parse_record_json
from shared.store.records.gan import Extension, HistoryRow

DONE = "trained.json"
"""The file that a finished pair leaves in its folder."""


@dataclass(frozen=True)
class Pair:
    """One pair of networks of several: its name, its folder within the whole's, its seed, the class that it learns.

    `label` is None where it learns from all images.
    """

    name: str
    place: str
    seed: int
    label: int | None = None

    def of(self, whole: Task) -> Task:
        """Return the task of this pair."""
        config = replace(whole.config, seed=self.seed)
        return replace(whole, config=config, folder=whole.folder / self.place, label=self.label, name=self.name)


def pairs_of(whole: Task) -> list[Pair]:
    """Return the pairs of a GAN that has several; none where it is one pair.

    Each has a seed of its own: equal initial weights and latents would couple them.
    """
    seed, count = whole.config.seed, whole.config.generators
    if whole.family.one_per_class:
        return [
            Pair(name, f"classes/{label:03d}", derive_seed(seed, Stream.GAN_OF_CLASS, label), label)
            for label, name in enumerate(whole.classes)
        ]
    if count == 1:
        return []
    return [
        Pair(
            f"generator {number + 1} of {count}", f"members/{number:03d}", derive_seed(seed, Stream.GAN_MEMBER, number)
        )
        for number in range(count)
    ]


def check_classes(whole: Task) -> None:
    """Raise BadInput for a class without images where each has a pair of its own; say what many classes cost."""
    # here, not in validate: only the finished dataset tells
    counts = whole.real.split("train").class_counts
    if 0 in counts:
        raise BadInput(
            f"{whole.real.folder}: class {whole.classes[counts.index(0)]!r} has no train images, and "
            f"{whole.config.family} trains a generator on each class; leave the class out or take another family"
        )


def cost(whole: Task) -> str:
    """Return what a pair of networks for each class takes: iterations and files of all of them, in words."""
    config, counts = whole.config, whole.real.split("train").class_counts
    plans = [make_plan(config, whole.family.critic_steps, images) for images in counts]
    snapshots = len(counts) * -(-config.epochs // config.snapshot_every_epochs)
    return (
        f"{len(counts):,} pairs of networks, one after the other: {sum(plan.iterations for plan in plans):,} "
        f"iterations, {snapshots:,} snapshots; --parts divides the classes "
        "among processes, one conditional network for all of them takes another --family"
    )


class Trained(Record):
    """What a finished training leaves for the record: the generator's spec, its rows, the networks' sizes.

    `losses` has a row for each epoch, `history` one for each snapshot.
    """

    spec: dict[str, object]
    history: list[HistoryRow]
    losses: list[HistoryRow] | None = None
    generator_parameters: int
    discriminator_parameters: int
    extended: list[Extension] | None = None


def trained(state: State) -> Trained:
    """Return what a finished training leaves."""
    discriminator = state.group.unwrap(state.models.discriminator)
    return Trained(
        spec=dict(state.spec),
        history=state.history,
        losses=state.losses,
        generator_parameters=parameter_count(state.average),
        discriminator_parameters=parameter_count(discriminator),
        extended=state.extended or None,
    )


def finished(folder: Path, epochs: int) -> Trained | None:
    """Return what a pair has left in its folder if it was trained to the end of `epochs`."""
    path = folder / DONE
    left = parse_record_json(Trained, path.read_bytes(), str(path)) if path.exists() else None
    # one of fewer epochs is left by a shorter run, which this one extends
    return left if left is not None and left.history[-1].epoch == epochs else None


def check_finished(whole: Task, folders: Sequence[Path]) -> None:
    """Raise FormatError on every process unless pairs that are finished still have the snapshots that they wrote."""
    fault = ""
    for folder in folders if whole.group.is_main else ():
        done = finished(folder, whole.config.epochs)
        if done is not None and not fault:
            header = read_header(folder)
            hashes = None if header is None else header.snapshots
            fault = snapshot_fault(folder, [row.epoch for row in done.history], hashes or {})
    raise_on_all(whole, fault)

"""From options to trained generators: one pair of networks, or one for each class in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from jobs.pipeline import PREPROCESS
from jobs.train_gan.loop import raise_on_all, snapshot_fault, train
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.pictures import draw_finished, draw_joined_panels
from jobs.train_gan.plan import CHECKPOINT, make_plan, read_header
from jobs.train_gan.state import State, specs
from jobs.train_gan.task import Task
from shared.cli.run import Result, Run
from shared.data.decoded.plan import memory_plan
from shared.data.images import learned_splits
from shared.disk.durable import make_folder
from shared.errors import BadConfig, BadInput
from shared.format.files import sha256, write_json
from shared.models.classifiers import parameter_count
from shared.models.gans.build import build_discriminator, build_generator
from shared.models.gans.step_memory import check_gan_step
from shared.models.snapshots import snapshot_name
from shared.models.tables import Spec
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream, derive_seed
from shared.store.checkpoints import save
from shared.store.records.base import Record, parse_record_json
from shared.store.records.gan import Extension, GanRecord, HistoryRow, Resolved, Snapshot
from shared.store.volume.room import Need

DONE = "trained.json"
"""The file that a finished class leaves in its folder."""


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


def train_family(run: Run, config: GanOptions) -> Result | None:
    """Train one pair of networks, or one for each class if the family has them."""
    group, family, real = ProcessGroup(run.device), resolve(config), run.input(PREPROCESS)
    check(config, group)
    if group.is_main:
        reads = [(real, split) for split in learned_splits(real)]
        run.reporter.info(memory_plan(reads, group.device), event="memory")
    group.barrier()  # the main process may have cleared or filled the folder
    task = Task(group, family, config, real, run.folder)
    check_memory(task)
    if group.is_main:
        run.check_room(need_of(task), "snapshots and checkpoints")
    if family.one_per_class:
        return train_each_class(run, task)
    state = train(run, task)
    return result(task, family.conditional, trained(state))


def check(config: GanOptions, group: ProcessGroup) -> None:
    """Raise BadConfig for options that do not go with the processes or the device; `validate` has checked the rest."""
    if config.cuda_graphs and (group.device.type != "cuda" or group.world > 1):
        where = f"{group.world} processes train together" if group.world > 1 else f"this runs on {group.device}"
        raise BadConfig(f"--cuda-graphs: want one process on one NVIDIA GPU, and {where}; leave it out")
    if config.batch_images % (group.world * config.accumulate):
        raise BadConfig(
            f"--batch-images {config.batch_images}: want a multiple of the {group.world} processes "
            f"times --accumulate {config.accumulate}"
        )


def check_memory(task: Task) -> None:
    """Raise BadConfig where the images that a process works on at once do not fit its memory, at this size."""
    config, family, dataset = task.config, task.family, task.real.dataset
    images = max(dataset.splits["train"].class_counts) if family.one_per_class else task.images
    penalised = 0 if family.penalty is None else 1 if family.penalty.interpolated else 2
    check_gan_step(
        f"the networks {family.networks}",
        specs(family, config, dataset),
        min(config.batch_images, images) // (task.group.world * config.accumulate),
        len(dataset.classes),
        penalised,
        task.group.device,
    )


def need_of(whole: Task) -> Need:
    """Return what snapshots and the last two checkpoints take of the disk; pictures for people come on top."""
    config = whole.config
    with torch.device("meta"):  # only counted
        made = specs(whole.family, config, whole.real.dataset)
        generator, discriminator = build_generator(made[0]), build_discriminator(made[1])
    kept, other = (sum(each.nbytes for each in net.state_dict().values()) for net in (generator, discriminator))
    # optimizers keep two moments of a weight at most; the averaged generator is the one that is sampled
    checkpoint = Need(2 * kept + other, 4 * kept + 3 * other)
    pairs = len(whole.classes) if whole.family.one_per_class else 1
    snapshots = pairs * -(-config.epochs // config.snapshot_every_epochs) * kept
    return Need(snapshots + pairs * checkpoint.least, snapshots + 2 * pairs * checkpoint.most)


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


def train_each_class(run: Run, whole: Task) -> Result | None:
    """Train a pair of networks on the images of each class alone, in class order; None until all are there.

    Each class is trained in a folder of its own and resumes there, so that other processes may train other classes.
    A snapshot of the whole names the snapshot of each class, with its hash.
    """
    classes, counted = whole.classes, whole.real.split("train").class_counts
    # here, not in validate: only the finished dataset tells
    if 0 in counted:
        raise BadInput(
            f"{whole.real.folder}: class {classes[counted.index(0)]!r} has no train images, and {whole.config.family} "
            "trains a generator on each class; leave the class out or take another family"
        )
    if not whole.shown.whole and whole.group.is_main:
        run.reporter.info(cost(whole))
    folders = [run.folder / "classes" / f"{label:03d}" for label in range(len(classes))]
    check_finished(whole, folders)
    mine = run.shard.select(range(len(classes)))
    # the main process says so: another one may see the volume as it was a minute ago
    complete = whole.group.from_main([finished(folders[label], whole.config.epochs) is not None for label in mine])
    # a part trains every n-th class; without --parts one process trains all of them in turn
    for label in (label for label, done in zip(mine, complete, strict=True) if not done):
        make_folder(folders[label], parents=True)
        # a seed of its own: equal initial weights and latents would couple the classes
        config = replace(whole.config, seed=derive_seed(whole.config.seed, Stream.GAN_OF_CLASS, label))
        task = replace(whole, config=config, folder=folders[label], label=label)
        state = train(run, task)
        if whole.group.is_main:
            # after the last snapshot, so that a class is trained again unless all of it is there
            write_json(task.folder / DONE, trained(state).facts())
    whole.group.barrier()
    # processes with other classes may finish at the same time: only one of them may join the classes
    run.exclusive()
    check_finished(whole, folders)
    trained_classes = [finished(folder, whole.config.epochs) for folder in folders]
    there = [trained_class for trained_class in trained_classes if trained_class is not None]
    return join(run, whole, there) if len(there) == len(classes) else None


def finished(folder: Path, epochs: int) -> Trained | None:
    """Return what a class has left in its folder if it was trained to the end of `epochs`."""
    path = folder / DONE
    left = parse_record_json(Trained, path.read_bytes(), str(path)) if path.exists() else None
    # one of fewer epochs is left by a shorter run, which this one extends
    return left if left is not None and left.history[-1].epoch == epochs else None


def check_finished(whole: Task, folders: Sequence[Path]) -> None:
    """Raise FormatError on every process unless classes that are finished still have the snapshots that they wrote."""
    fault = ""
    for folder in folders if whole.group.is_main else ():
        done = finished(folder, whole.config.epochs)
        if done is not None and not fault:
            header = read_header(folder)
            hashes = None if header is None else header.snapshots
            fault = snapshot_fault(folder, [row.epoch for row in done.history], hashes or {})
    raise_on_all(whole, fault)


def join(run: Run, whole: Task, classes: list[Trained]) -> Result:
    """Write the snapshots of all classes together and return what is recorded of the whole."""
    histories = [trained_class.history for trained_class in classes]
    joined = Trained(
        spec={"name": "per_class", "classes": len(classes), "member": classes[0].spec},
        history=join_histories(histories),
        losses=join_histories([trained_class.losses or trained_class.history for trained_class in classes]),
        generator_parameters=sum(trained_class.generator_parameters for trained_class in classes),
        discriminator_parameters=sum(trained_class.discriminator_parameters for trained_class in classes),
        extended=join_extensions(dict(zip(whole.classes, classes, strict=True))),
    )
    if whole.group.is_main:
        for entry in joined.history:
            write_joined_snapshot(run, entry.epoch, len(classes), joined.spec)
        draw_joined_panels(whole, [entry.epoch for entry in joined.history])
    return result(whole, True, joined, dict(zip(whole.classes, classes, strict=True)))


def join_histories(histories: Sequence[Sequence[HistoryRow]]) -> list[HistoryRow]:
    """Return a row for each epoch that every class has: images and steps summed, losses averaged over classes."""
    by_epoch = [{entry.epoch: entry for entry in history} for history in histories]
    joined = []
    # classes differ in size, so that rounding may give one of them a snapshot that another does not have
    for epoch in sorted(set.intersection(*(set(rows) for rows in by_epoch))):
        rows = [history_rows[epoch] for history_rows in by_epoch]
        # a mean for the overview; each class's own losses are in class_histories
        losses = {name: sum(entry.losses[name] for entry in rows) / len(rows) for name in rows[0].losses}
        step, images_seen = sum(entry.step for entry in rows), sum(entry.images_seen for entry in rows)
        joined.append(HistoryRow(epoch=epoch, step=step, images_seen=images_seen, losses=losses))
    return joined


def join_extensions(classes: Mapping[str, Trained]) -> list[Extension] | None:
    """Return where the classes were extended, with the names of the classes where it was not all of them at once."""
    named: dict[str, list[str]] = {}
    rows = {}
    for name, trained_class in classes.items():
        for row in trained_class.extended or []:
            rows[row.words] = row
            named.setdefault(row.words, []).append(name)
    parts = [(row, named[words]) for words, row in rows.items()]
    joined = [row if len(names) == len(classes) else row.model_copy(update={"classes": names}) for row, names in parts]
    return sorted(joined, key=lambda row: (row.from_epochs, row.epoch)) or None


def write_joined_snapshot(run: Run, epoch: int, classes: int, spec: Spec) -> None:
    """Write the snapshot of all classes: no weights of its own, but the files of the classes and their hashes."""
    names = [f"classes/{label:03d}/{snapshot_name(epoch)}" for label in range(classes)]
    members = {name: sha256((run.folder / name).read_bytes()) for name in names}
    path = run.folder / snapshot_name(epoch)
    make_folder(path.parent)
    # names and hashes in place of copies: the weights of ten classes are not stored twice
    save(path, {}, {"spec": spec, "epoch": epoch, "members": members})


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


def result(task: Task, conditional: bool, done: Trained, by_class: Mapping[str, Trained] | None = None) -> Result:
    """Return the result of a finished run, its figures drawn."""
    config, losses, class_losses = task.config, done.losses, None
    histories = None if by_class is None else {name: each.history for name, each in by_class.items()}
    if by_class is not None:
        class_losses = {name: each.losses or each.history for name, each in by_class.items()}
    # a manifest does not hold equal rows twice
    if losses == done.history and class_losses == histories:
        losses = class_losses = None
    record = GanRecord(
        family=config.family,
        conditional=conditional,
        latent=config.latent,
        resolved=Resolved.model_validate(asdict(task.family)),
        epoch_images=task.images,
        unlabelled_images=task.unlabelled_images or None,
        checkpoint=CHECKPOINT,
        generator_parameters=done.generator_parameters,
        discriminator_parameters=done.discriminator_parameters,
        generator=done.spec,
        history=done.history,
        class_histories=histories,
        losses=losses,
        class_losses=class_losses,
        snapshots=[
            Snapshot(file=snapshot_name(entry.epoch), epoch=entry.epoch, images_seen=entry.images_seen)
            for entry in done.history
        ],
        extended=done.extended,
    )
    if task.group.is_main:
        # one process draws: all of them would write the same files
        draw_finished(task, record)
    images, count = record.snapshots[-1].images_seen, len(record.snapshots)
    return Result(record, summary=f"{config.epochs} epochs, {images:,} real images, {count} snapshots")

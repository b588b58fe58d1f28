"""From options to trained generators: one pair of networks, or several in turn."""

from collections.abc import Mapping
from dataclasses import asdict

import torch

from jobs.pipeline import PREPROCESS
from jobs.train_gan.loop import train
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.pictures import draw_finished
from jobs.train_gan.plan import CHECKPOINT
from jobs.train_gan.several.joining import join, train_pairs
from jobs.train_gan.several.pairs import Trained, pairs_of, trained
from jobs.train_gan.state import specs
from jobs.train_gan.task import Task
from shared.cli.run import Result, Run
from shared.data.decoded.plan import memory_plan
from shared.data.images import learned_splits
from shared.errors import BadConfig
from shared.models.gans.build import build_discriminator, build_generator
from shared.models.gans.step_memory import check_gan_step
from shared.models.snapshots import snapshot_name
from shared.runtime.process_group import ProcessGroup
from shared.store.records.gan import GanRecord, Resolved, Snapshot
from shared.store.volume.room import Need


def train_family(run: Run, config: GanOptions) -> Result | None:
    """Train one pair of networks, or several: one for each class if the family has them, or as many as asked for."""
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
    pairs = pairs_of(task)
    if not pairs:
        return result(task, trained(train(run, task)))
    done = train_pairs(run, task, pairs)
    if done is None:
        return None
    by_class = {pair.name: left for pair, left in zip(pairs, done, strict=True)} if family.one_per_class else None
    return result(task, join(run, task, pairs, done), by_class)


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
    pairs = len(pairs_of(whole)) or 1
    snapshots = pairs * -(-config.epochs // config.snapshot_every_epochs) * kept
    return Need(snapshots + pairs * checkpoint.least, snapshots + 2 * pairs * checkpoint.most)


def result(task: Task, done: Trained, by_class: Mapping[str, Trained] | None = None) -> Result:
    """Return the result of a finished run, its figures drawn; `by_class` has the classes that have their own pairs."""
    with torch.device("meta"):  # only asked for the size of its latents
        latent = build_generator(done.spec).latent
    config, losses, class_losses = task.config, done.losses, None
    histories = None if by_class is None else {name: each.history for name, each in by_class.items()}
    if by_class is not None:
        class_losses = {name: each.losses or each.history for name, each in by_class.items()}
    # a manifest does not hold equal rows twice
    if losses == done.history and class_losses == histories:
        losses = class_losses = None
    record = GanRecord(
        family=config.family,
        conditional=task.family.conditional or task.family.one_per_class,
        latent=latent,
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

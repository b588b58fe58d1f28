"""From options to trained generators: one pair of networks, or one for each class in turn."""

import json
from dataclasses import asdict, replace
from typing import Any

from jobs.train_gan.loop import train
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.state import CHECKPOINT, State
from jobs.train_gan.task import Task
from shared.cli.run import Result, Run
from shared.errors import BadConfig, BadInput
from shared.format.files import sha256, write_json
from shared.models.classifiers import parameter_count
from shared.models.snapshots import snapshot_name
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream, derive_seed
from shared.store.checkpoints import save
from shared.store.records.gan import GanRecord

Rows = list[dict[str, Any]]


DONE = "trained.json"
"""What a finished class leaves in its folder: what the whole needs to know of it."""


def train_family(run: Run, config: GanOptions) -> Result | None:
    """Train what the family asks for; see `loop.train` and `train_each_class`."""
    group, family, real = ProcessGroup(run.device), resolve(config), run.inputs["real"]
    check(config, group)
    if family.one_per_class:
        return train_each_class(run, Task(group, family, config, real, run.folder))
    task = Task(group, family, config, real, run.folder)
    state = train(run, task)
    facts = {"generator": state.spec, "history": state.history, "snapshots": snapshots(state.history)}
    return result(task, family.conditional, counts(state) | facts)


def check(config: GanOptions, group: ProcessGroup) -> None:
    """Raise BadConfig for options that do not go with the processes; `validate` has checked the rest."""
    if config.batch_images % (group.world * config.accumulate):
        raise BadConfig(
            f"--batch-images {config.batch_images}: want a multiple of the {group.world} processes "
            f"times --accumulate {config.accumulate}"
        )


def train_each_class(run: Run, whole: Task) -> Result | None:
    """Train a pair of networks on the images of each class alone, in class order; None until all are there.

    Each class is trained in a folder of its own and resumes there, so that other processes may train other classes.
    A snapshot of the whole names the snapshot of each class, with its hash.
    """
    classes, counted = whole.classes, whole.real.dataset.splits["train"].class_counts
    if 0 in counted:
        raise BadInput(
            f"{whole.real.folder}: class {classes[counted.index(0)]!r} has no train images, and {whole.config.family} "
            "trains a generator on each class; leave the class out or take another family"
        )
    folders = [run.folder / "classes" / f"{label:03d}" for label in range(len(classes))]
    for label in run.shard.select(range(len(classes))):
        folders[label].mkdir(parents=True, exist_ok=True)
        config = replace(whole.config, seed=derive_seed(whole.config.seed, Stream.GAN_OF_CLASS, label))
        task = replace(whole, config=config, folder=folders[label], label=label)
        if not (task.folder / DONE).exists():
            state = train(run, task)
            if whole.group.is_main:
                write_json(task.folder / DONE, {"spec": state.spec, "history": state.history, **counts(state)})
    whole.group.barrier()
    run.exclusive()
    if not all((folder / DONE).exists() for folder in folders):
        return None
    return join(run, whole, [json.loads((folder / DONE).read_text(encoding="utf-8")) for folder in folders])


def join(run: Run, whole: Task, trained: Rows) -> Result:
    """Write the snapshots of all classes together and return the facts of the whole."""
    histories = [each["history"] for each in trained]
    joined = join_histories(histories)
    spec = {"name": "per_class", "classes": len(trained), "member": trained[0]["spec"]}
    if whole.group.is_main:
        for row in joined:
            write_joined_snapshot(run, int(row["epoch"]), len(trained), spec)
    facts = {
        "generator": spec,
        "history": joined,
        "class_histories": dict(zip(whole.classes, histories, strict=True)),
        "snapshots": snapshots(joined),
    }
    summed = {
        name: sum(each[name] for each in trained) for name in ("generator_parameters", "discriminator_parameters")
    }
    return result(whole, True, summed | facts)


def join_histories(histories: list[Rows]) -> Rows:
    """Return a row for each epoch that every class has: images and steps summed, losses averaged over classes."""
    by_epoch = [{row["epoch"]: row for row in history} for history in histories]
    joined = []
    for epoch in sorted(set.intersection(*(set(rows) for rows in by_epoch))):
        rows = [found[epoch] for found in by_epoch]
        summed = {name: sum(row[name] for row in rows) for name in ("step", "images_seen")}
        losses = {
            name: sum(row[name] for row in rows) / len(rows) for name in rows[0] if name not in ("epoch", *summed)
        }
        joined.append(dict(sorted({"epoch": epoch, **summed, **losses}.items())))
    return joined


def write_joined_snapshot(run: Run, epoch: int, classes: int, spec: dict[str, Any]) -> None:
    """Write the snapshot of all classes: no weights of its own, but the files of the classes and their hashes."""
    names = [f"classes/{label:03d}/{snapshot_name(epoch)}" for label in range(classes)]
    members = {name: sha256((run.folder / name).read_bytes()) for name in names}
    path = run.folder / snapshot_name(epoch)
    path.parent.mkdir(exist_ok=True)
    save(path, {}, {"spec": spec, "epoch": epoch, "members": members})


def counts(state: State) -> dict[str, int]:
    """Return how many numbers the generator and the discriminator have."""
    discriminator = state.group.unwrap(state.models.discriminator)
    return {
        "generator_parameters": parameter_count(state.average),
        "discriminator_parameters": parameter_count(discriminator),
    }


def snapshots(history: Rows) -> Rows:
    """Return a row for each snapshot: its file, its epoch and the real images seen."""
    return [
        {"file": snapshot_name(int(row["epoch"])), "epoch": int(row["epoch"]), "images_seen": int(row["images_seen"])}
        for row in history
    ]


def result(task: Task, conditional: bool, facts: dict[str, Any]) -> Result:
    """Return what the finished run hands on: `facts` and what was resolved."""
    config, family = task.config, task.family
    own = {
        "family": config.family,
        "conditional": conditional,
        "latent": config.latent,
        "resolved": asdict(family),
        "epoch_images": task.real.dataset.splits["train"].count,
        "checkpoint": CHECKPOINT,
    }
    images, count = facts["snapshots"][-1]["images_seen"], len(facts["snapshots"])
    return Result(
        GanRecord.model_validate(own | facts),
        summary=f"{config.epochs} epochs, {images:,} real images, {count} snapshots",
    )

"""Train the pairs of networks of a GAN in turn, each in a folder of its own, and join them."""

from collections.abc import Mapping, Sequence

from jobs.train_gan.loop import train
from jobs.train_gan.pictures import draw_joined_panels
from jobs.train_gan.several.pairs import (
    DONE,
    Pair,
    Trained,
    check_classes,
    check_finished,
    cost,
    finished,
    trained,
)
from jobs.train_gan.task import Task
from shared.cli.run import Run
from shared.disk.durable import make_folder
from shared.format.files import sha256, write_json
from shared.models.snapshots import snapshot_name
from shared.models.tables import Spec
from shared.store.checkpoints import save
from shared.store.records.gan import Extension, HistoryRow


def train_pairs(run: Run, whole: Task, pairs: Sequence[Pair]) -> list[Trained] | None:
    """Train each of `pairs`, in their order; return what they have left, None until all are there.

    Each is trained in a folder of its own and resumes there, so that other processes may train others.
    """
    if whole.family.one_per_class:
        check_classes(whole)
        if not whole.shown.whole and whole.group.is_main:
            run.reporter.info(cost(whole))
    tasks = [pair.of(whole) for pair in pairs]
    folders = [task.folder for task in tasks]
    check_finished(whole, folders)
    mine = run.shard.select(tasks)
    # the main process says so: another one may see the volume as it was a minute ago
    complete = whole.group.from_main([finished(task.folder, whole.config.epochs) is not None for task in mine])
    # a part trains every n-th pair; without --parts one process trains all of them in turn
    for task in (task for task, done in zip(mine, complete, strict=True) if not done):
        make_folder(task.folder, parents=True)
        state = train(run, task)
        if whole.group.is_main:
            # after the last snapshot, so that a pair is trained again unless all of it is there
            write_json(task.folder / DONE, trained(state).facts())
    whole.group.barrier()
    # processes with other pairs may finish at the same time: only one of them may join them
    run.exclusive()
    check_finished(whole, folders)
    there = [done for folder in folders if (done := finished(folder, whole.config.epochs)) is not None]
    return there if len(there) == len(pairs) else None


def join(run: Run, whole: Task, pairs: Sequence[Pair], done: Sequence[Trained]) -> Trained:
    """Write the snapshots of all pairs together, each with the files of the pairs; return what is recorded of them."""
    histories = [pair.history for pair in done]
    joined = Trained(
        spec=joined_spec(whole, done[0].spec),
        history=join_histories(histories),
        losses=join_histories([pair.losses or pair.history for pair in done]),
        generator_parameters=sum(pair.generator_parameters for pair in done),
        discriminator_parameters=sum(pair.discriminator_parameters for pair in done),
        extended=join_extensions({pair.name: left for pair, left in zip(pairs, done, strict=True)}),
    )
    if whole.group.is_main:
        for entry in joined.history:
            write_joined_snapshot(run, entry.epoch, pairs, joined.spec)
        draw_joined_panels(whole, [entry.epoch for entry in joined.history])
    return joined


def joined_spec(whole: Task, member: Spec) -> dict[str, object]:
    """Return the spec of the generators of all pairs together, each of them with the spec `member`."""
    if whole.family.one_per_class:
        return {"name": "per_class", "classes": len(whole.classes), "member": dict(member)}
    return {"name": "mixture", "generators": whole.config.generators, "member": dict(member)}


def join_histories(histories: Sequence[Sequence[HistoryRow]]) -> list[HistoryRow]:
    """Return a row for each epoch that every pair has: images and steps summed, losses averaged over pairs."""
    by_epoch = [{entry.epoch: entry for entry in history} for history in histories]
    joined = []
    # classes differ in size, so that rounding may give one of them a snapshot that another does not have
    for epoch in sorted(set.intersection(*(set(rows) for rows in by_epoch))):
        rows = [history_rows[epoch] for history_rows in by_epoch]
        # a mean for the overview; the losses of each pair are in a file of its own
        losses = {name: sum(entry.losses[name] for entry in rows) / len(rows) for name in rows[0].losses}
        step, images_seen = sum(entry.step for entry in rows), sum(entry.images_seen for entry in rows)
        joined.append(HistoryRow(epoch=epoch, step=step, images_seen=images_seen, losses=losses))
    return joined


def join_extensions(pairs: Mapping[str, Trained]) -> list[Extension] | None:
    """Return where the pairs were extended, with their names where it was not all of them at once."""
    named: dict[str, list[str]] = {}
    rows = {}
    for name, done in pairs.items():
        for row in done.extended or []:
            rows[row.words] = row
            named.setdefault(row.words, []).append(name)
    parts = [(row, named[words]) for words, row in rows.items()]
    joined = [row if len(names) == len(pairs) else row.model_copy(update={"classes": names}) for row, names in parts]
    return sorted(joined, key=lambda row: (row.from_epochs, row.epoch)) or None


def write_joined_snapshot(run: Run, epoch: int, pairs: Sequence[Pair], spec: Spec) -> None:
    """Write the snapshot of all pairs: no weights of its own, but the files of the pairs and their hashes."""
    names = [f"{pair.place}/{snapshot_name(epoch)}" for pair in pairs]
    members = {name: sha256((run.folder / name).read_bytes()) for name in names}
    path = run.folder / snapshot_name(epoch)
    make_folder(path.parent)
    # names and hashes in place of copies: the weights of ten pairs are not stored twice
    save(path, {}, {"spec": spec, "epoch": epoch, "members": members})

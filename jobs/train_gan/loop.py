"""The training loop of every family.

One iteration, the same on every process:

1. The learning rate is set by how much of the run is done (`plan.learning_rate_factor`).
2. For each of the family's critic steps (five for WGAN, one for DCGAN) the next batch of real images is read, in an
   order that depends on the seed and the epoch alone (`shared/data/batches.py`). What the step draws is drawn from the
   seed and the step alone (`steps.Draws`): latents, flips, points of the penalty, parameters of augmentations.
3. The discriminator takes a step (`steps.critic_step`): fakes of the same labels, the loss of the family's row
   (`families.py`, its formula in `objectives.py`), the class loss of an auxiliary head and the gradient penalty where
   the family has them, one backward, the optimizer's step, clipping of weights.
4. After the last of them the generator takes a step on the fakes of that batch (`steps.generator_step`).
5. The average of the generator's weights moves towards them (`state.State.update_average`). It alone is evaluated.
6. Where an epoch ends, its losses become a row (`journal.Journal.close_epoch`). Where it wants a snapshot
   (`plan.Plan.snapshot_due`), the rows so far, the snapshot, the pictures and the checkpoint are written, in this order
   (`record_snapshot`, `journal.py`, `state.py`). Every `--checkpoint-minutes` there is a checkpoint besides.

Nothing that is drawn depends on what was drawn before, so that a run that was stopped ends as an undisturbed one, to
the last bit, and any number of processes trains on the same numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from jobs.train_gan.gpu.graphs import Step
from jobs.train_gan.journal import Journal
from jobs.train_gan.options import GanOptions
from jobs.train_gan.plan import CHECKPOINT, Plan, extension, learning_rate_factor, rates
from jobs.train_gan.state import State, specs
from jobs.train_gan.steps import Draws, Losses, critic_step, draw_batch, train_step
from jobs.train_gan.task import Task
from shared.cli.run import Run
from shared.data.batches import BatchPlan, batches
from shared.data.images import NO_LABEL, to_unit_range
from shared.errors import BadInput, FormatError
from shared.format.files import sha256
from shared.format.versions import drop_before
from shared.models.snapshots import snapshot_name
from shared.runtime.observe.observation import timed, training
from shared.runtime.seeding import Stream, derive_seed
from shared.store.checkpoints import load


def train(run: Run, task: Task) -> State:
    """Train to the end of `config.epochs`, from the newest checkpoint in the task's folder if there is one."""
    # capped first: everything below, the plan included, depends on the batch that is really used
    asked, task = task.config.batch_images, task.capped()
    group, config, plan = task.group, task.config, task.plan()
    state = State(group, task.family, config, specs(task.family, config, task.real.dataset))
    resumed = resume(run, task, plan, state)
    journal = Journal(task, state)
    stream = read_batches(task, state)
    # said, since it differs from what was asked for
    if config.batch_images < asked:
        run.reporter.info(
            f"{task.title}: batches of {config.batch_images} in place of --batch-images {asked}: "
            f"an epoch has {task.images}"
        )
    with run.reporter.bar(task.title, plan.iterations * plan.images, "images", stops=False) as bar, training():
        if resumed:
            bar.skip(state.steps * plan.images)
        for iteration in range(state.steps, plan.iterations):
            state.scale_learning_rate(learning_rate_factor(config.decay, iteration / plan.iterations))
            for losses in iterate(state, config, stream):
                state.running_mean.add(losses)
            # once an iteration, not once a critic step: the generator has moved once
            state.update_average(config, state.steps * plan.images)
            # asked of all processes: one that stopped alone would leave the others waiting for it
            stopping = group.any(bool(run.reporter.stop.signal_name))
            if plan.epoch_ends(iteration):
                # before the check of the main process: means over processes are a collective call
                journal.close_epoch(progress(plan, state))
            is_saved = plan.snapshot_due(iteration)
            if is_saved:
                record_snapshot(task, plan, state, journal)
            elif group.is_main and (stopping or state.is_unsaved_for(config.checkpoint_minutes)):
                journal.write_rows()
                state.save(task.folder)
                is_saved = True
            if is_saved:
                run.keep_time()
            bar.advance(plan.images, journal.note)
            if stopping:
                run.reporter.stop.raise_if_set()
    if state.history[-1].epoch < plan.epochs:
        record_end(task, plan, state, journal)
    journal.close()
    check_snapshots(task, state)
    if group.is_main:
        drop_before(task.folder / CHECKPOINT)
    return state


def resume(run: Run, task: Task, plan: Plan, state: State) -> bool:
    """Go on from the checkpoint in the task's folder if there is one, and say so; return whether there was."""
    resumed, fell_back = state.resume(task.folder)
    if not resumed:
        return False
    if fell_back:
        run.reporter.info(
            f"{task.title}: {task.folder / CHECKPOINT} is damaged; going on from the one before it",
            event="checkpoint_damaged",
            level="warning",
        )
    check_snapshots(task, state)
    run.reporter.info(f"{task.title}: resumed after {state.steps * plan.images:,} images")
    extended = extension(state.planned, plan, state.steps, task.config.decay)
    if extended is not None:
        state.extended.append(extended)
        run.reporter.info(f"{task.title}: {extended.words}{rates(extended, plan, state.steps)}")
    state.planned = plan.epochs
    return True


def read_batches(task: Task, state: State) -> Iterator[tuple[Tensor, Tensor]]:
    """Return this process's part of the batches that the run has not used yet."""
    config, group = task.config, task.group
    # an order by seed and epoch: a resumed run reads on without replaying what was read
    plan = BatchPlan(
        batch_images=config.batch_images,
        seed=derive_seed(config.seed, Stream.GAN_ORDER),
        rank=group.rank,
        world=group.world,
        # every critic step uses a batch, so a resumed run skips steps times critic steps of them
        start=state.steps * task.family.critic_steps,
    )
    stream = timed(batches(task.real, task.splits, plan, device=group.device, label=task.label))
    if not task.unlabelled_images:
        return stream
    # those of train too: a generator that learns from unlabelled images learns from no label at all
    return ((images, torch.full_like(labels, NO_LABEL)) for images, labels in stream)


def iterate(state: State, config: GanOptions, stream: Iterator[tuple[Tensor, Tensor]]) -> Iterator[Losses]:
    """Take the family's critic steps on the next batches of `stream`, and a generator step on the last one's fakes.

    Yields the losses of each step. What is drawn depends on the seed and the number of the iteration alone.
    """
    family, last = state.family, state.family.critic_steps - 1
    for step in range(family.critic_steps):
        pixels, labels = next(stream)
        draws = Draws(state.group, config.batch_images, config.seed, Stream.GAN_STEP, state.steps, step)
        batch = draw_batch(config, draws, to_unit_range(pixels), labels)
        # the last critic step and the generator step share one batch of fakes: one pass through the generator fewer
        take: Step = train_step if step == last else critic_step
        if state.graphs is not None:
            take = state.graphs.of(take)
        yield take(state.models, family, config, batch)
    state.steps += 1


def progress(plan: Plan, state: State) -> dict[str, int]:
    """Return what was seen by now, as rows and snapshots have it."""
    return {
        "epoch": plan.epoch_after(state.steps - 1),
        "step": state.steps,
        "images_seen": state.steps * plan.images,
    }


def record_snapshot(task: Task, plan: Plan, state: State, journal: Journal) -> None:
    """Write the snapshot, its pictures, the rows of losses and the checkpoint, in this order.

    The checkpoint comes last: a run that is killed before it does the epoch again and writes the same files.
    """
    seen = progress(plan, state)
    epoch = seen["epoch"]
    journal.close_snapshot(seen)
    lost = state.lost()
    if lost is not None:  # a loss is taken before the update that breaks the weights
        other = " or take --precision float32" if task.config.precision == "bf16" else ""
        raise BadInput(
            f"training diverged: {lost} is not finite by epoch {epoch}, though the losses are; "
            f"lower --learning-rate (now {state.family.learning_rate}){other} and start over with --force"
        )
    if state.group.is_main:
        save_epoch(task, state, journal, seen)


def save_epoch(task: Task, state: State, journal: Journal, seen: dict[str, int]) -> None:
    """Write the snapshot of the epoch that was just seen, its pictures, the rows of losses and the checkpoint."""
    # the averaged generator alone: it is what is evaluated and sampled, the raw one is in the checkpoint
    header = {"spec": state.spec, "family": task.config.family, **seen}
    state.save_snapshot(task.folder, snapshot_name(seen["epoch"]), header)
    journal.write()
    state.save(task.folder)


def record_end(task: Task, plan: Plan, state: State, journal: Journal) -> None:
    """Write the snapshot of the last epoch where an extended run has seen the images of that epoch already.

    One iteration may span several epochs of few images: the weights and losses are those of the row before.
    """
    for rows in (state.losses, state.history):
        rows.append(rows[-1].model_copy(update={"epoch": plan.epochs}))
    if state.group.is_main:
        save_epoch(task, state, journal, progress(plan, state))


def check_snapshots(task: Task, state: State) -> None:
    """Raise FormatError on every process unless each row of the history has the snapshot that was written for it."""
    # somebody may have deleted or cut files of the unfinished run, which the record would then name as whole
    fault = ""
    if task.group.is_main:
        fault = snapshot_fault(task.folder, [row.epoch for row in state.history], state.snapshots)
    raise_on_all(task, fault)


def raise_on_all(task: Task, fault: str) -> None:
    """Raise FormatError on every process where the main one has found a fault in a snapshot."""
    if task.group.any(bool(fault)):
        raise FormatError(fault or f"{task.folder}: a snapshot is damaged; the first process says which")


def snapshot_fault(folder: Path, epochs: Sequence[int], hashes: Mapping[str, str]) -> str:
    """Return what is wrong with the first of the snapshots of `epochs` in `folder` that is not as it was written.

    `hashes` has the sha256 of each by file; earlier versions kept none, and what a file says of itself is checked.
    """
    for name in map(snapshot_name, epochs):
        path = folder / name
        remedy = "put a copy of it back, or start over with --force"
        try:
            payload = path.read_bytes()
            if name not in hashes:
                load(payload, str(path))
            elif sha256(payload) != hashes[name]:
                return f"{path}: altered since this training wrote it (its sha256 is another); {remedy}"
        except FileNotFoundError:
            return f"{path}: gone from the unfinished work; {remedy}"
        except FormatError as error:
            return f"{error}"
    return ""

"""The training loop of every family."""

import math
from dataclasses import dataclass

from jobs.train_gan.config import GanConfig
from jobs.train_gan.families import resolve, specs
from jobs.train_gan.journal import Journal
from jobs.train_gan.state import CHECKPOINT, State, save_snapshot
from jobs.train_gan.steps import Draws, critic_step, generator_step
from shared.chance import mix
from shared.distributed import Team
from shared.errors import BadConfig, FormatError
from shared.job import Result, Run
from shared.loading import batches, to_unit_range
from shared.networks.classifiers import parameter_count
from shared.snapshots import snapshot_name


@dataclass(frozen=True)
class Plan:
    """What a run amounts to: an iteration is `critic_steps` critic steps and one generator step."""

    iterations: int
    images: int
    epoch_images: int
    snapshot_every_epochs: int
    epochs: int

    def epoch_after(self, iteration: int) -> int:
        """Return the number of whole epochs seen after iteration number `iteration` (from 0)."""
        if iteration + 1 == self.iterations:
            return self.epochs
        return (iteration + 1) * self.images // self.epoch_images

    def snapshot_due(self, iteration: int) -> bool:
        """Whether a snapshot falls due at the end of this iteration."""
        every = self.snapshot_every_epochs
        before = self.epoch_after(iteration - 1) // every if iteration else 0
        return self.epoch_after(iteration) // every > before or iteration + 1 == self.iterations


def learning_rate_factor(decay: str, progress: float) -> float:
    """Return what the learning rate is multiplied by after a share `progress` in [0, 1) of the run."""
    rules = {"none": 1.0, "late": min(1.0, 2 * (1 - progress)), "cosine": 0.5 + 0.5 * math.cos(math.pi * progress)}
    return rules[decay]


def train(run: Run, config: GanConfig) -> Result:
    """Train to the end of `config.epochs`, from the newest checkpoint in the run's folder if there is one."""
    team = Team(run.device)
    real = run.inputs["real"]
    if config.batch_images % team.world:
        raise BadConfig(f"--batch-images {config.batch_images}: want a multiple of the {team.world} processes")
    family = resolve(config)
    plan = make_plan(config, family.critic_steps, real.dataset.splits["train"].count)
    state = State(team, family, config, specs(family, config, real))
    team.wait()  # the lead may have cleared the folder
    resumed = state.resume(run.folder)
    journal = Journal(run.folder, real.dataset.classes, state, team)
    stream = batches(
        real,
        "train",
        config.batch_images,
        seed=mix(config.seed, 3),
        rank=team.rank,
        world=team.world,
        start=state.steps * family.critic_steps,
        device=team.device,
    )
    with run.talk.bar("train", plan.iterations * plan.images, "images", stops=False) as bar:
        if resumed:
            run.talk.say(f"resumed after {state.steps * plan.images:,} images")
            bar.skip(state.steps * plan.images)
        for iteration in range(state.steps, plan.iterations):
            state.scale_learning_rate(learning_rate_factor(config.decay, iteration / plan.iterations))
            for step in range(family.critic_steps):
                pixels, labels = next(stream)
                real_images = to_unit_range(pixels)
                draws = Draws(team, config.batch_images, config.seed, 4, iteration, step)
                latents, shares = draws.normal(config.latent), draws.uniform()
                loss, penalty = critic_step(state.models, family, real_images, labels, latents, shares)
                journal.tally(discriminator_loss=loss, penalty=penalty)
            latents = Draws(team, config.batch_images, config.seed, 5, iteration).normal(config.latent)
            journal.tally(generator_loss=generator_step(state.models, family, real_images, labels, latents))
            state.steps = iteration + 1
            state.update_average(config.ema_images, config.batch_images, state.steps * plan.images)
            stopping = team.any(bool(run.talk.stop.by))
            if plan.snapshot_due(iteration):
                record_epoch(run, config, plan, state, journal)
            elif stopping and team.lead:
                state.save(run.folder)
            bar.advance(plan.images, journal.note)
            if stopping:
                run.talk.stop.leave()
    journal.close()
    gone = [row for row in state.history if not (run.folder / snapshot_name(int(row["epoch"]))).is_file()]
    if gone and team.lead:
        name = snapshot_name(int(gone[0]["epoch"]))
        raise FormatError(f"{run.folder / name}: gone from the unfinished work; start anew with --force")
    return result(config, plan, state)


def make_plan(config: GanConfig, critic_steps: int, train_images: int) -> Plan:
    """Return the plan of a run on a train split of `train_images` images."""
    images = critic_steps * config.batch_images
    iterations = math.ceil(config.epochs * train_images / images)
    return Plan(iterations, images, train_images, config.snapshot_every_epochs, config.epochs)


def record_epoch(run: Run, config: GanConfig, plan: Plan, state: State, journal: Journal) -> None:
    """Write the snapshot, its sample grid, its row in the history and the checkpoint, in this order."""
    epoch = plan.epoch_after(state.steps - 1)
    seen = {"epoch": epoch, "step": state.steps, "images_seen": state.steps * plan.images}
    journal.close_epoch(seen)
    if not state.team.lead:
        return
    path = run.folder / snapshot_name(epoch)
    path.parent.mkdir(exist_ok=True)
    save_snapshot(path, state.average, {"spec": state.spec, "family": config.family, **seen})
    journal.write()
    state.save(run.folder)


def result(config: GanConfig, plan: Plan, state: State) -> Result:
    """Return the facts of the finished run."""
    family = state.family
    snapshots = [
        {"file": snapshot_name(int(row["epoch"])), "epoch": int(row["epoch"]), "images_seen": int(row["images_seen"])}
        for row in state.history
    ]
    facts = {
        "family": config.family,
        "generator": state.spec,
        "generator_parameters": parameter_count(state.average),
        "discriminator_parameters": parameter_count(state.team.plain(state.models.discriminator)),
        "latent": config.latent,
        "resolved": {
            "learning_rate": family.learning_rate,
            "betas": list(family.betas),
            "critic_steps": family.critic_steps,
            "penalty_weight": family.penalty.weight,
        },
        "epoch_images": plan.epoch_images,
        "checkpoint": CHECKPOINT,
        "snapshots": snapshots,
        "history": state.history,
    }
    seen = plan.iterations * plan.images
    return Result(facts, summary=f"{config.epochs} epochs, {seen:,} real images, {len(snapshots)} snapshots")

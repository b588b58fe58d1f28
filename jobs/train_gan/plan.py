"""How many iterations a run has, when a snapshot falls due, how the learning rate falls."""

import math
from dataclasses import dataclass

from jobs.train_gan.options import GanOptions


@dataclass(frozen=True)
class Plan:
    """An iteration is `critic_steps` critic steps, on `images` real images together, and one generator step."""

    iterations: int
    images: int
    epoch_images: int
    snapshot_every_epochs: int
    epochs: int

    def epoch_after(self, iteration: int) -> int:
        """Return the number of whole epochs seen after iteration number `iteration` (from 0)."""
        # the last batch may reach beyond the end of the last epoch
        if iteration + 1 == self.iterations:
            return self.epochs
        return (iteration + 1) * self.images // self.epoch_images

    def epoch_ends(self, iteration: int, every: int = 1) -> bool:
        """Whether an epoch whose number is a multiple of `every`, or the run, ends with this iteration."""
        # by crossing a multiple, not by equality: one iteration may span several small epochs
        before = self.epoch_after(iteration - 1) // every if iteration else 0
        return self.epoch_after(iteration) // every > before or iteration + 1 == self.iterations

    def snapshot_due(self, iteration: int) -> bool:
        """Whether a snapshot falls due at the end of this iteration."""
        return self.epoch_ends(iteration, self.snapshot_every_epochs)


def make_plan(config: GanOptions, critic_steps: int, train_images: int) -> Plan:
    """Return the plan of a run on `train_images` images."""
    # an epoch is counted in images that the discriminator was shown, as papers and other tools count; each critic step
    # reads a batch of its own, so five of them use five batches of the epoch
    images = critic_steps * config.batch_images
    # rounded up: every epoch that was asked for is shown whole
    iterations = math.ceil(config.epochs * train_images / images)
    return Plan(iterations, images, train_images, config.snapshot_every_epochs, config.epochs)


def learning_rate_factor(decay: str, progress: float) -> float:
    """Return what the learning rate is multiplied by after a share `progress` in [0, 1) of the run."""
    # "late" stays at the full rate for the first half, then falls to 0 in a straight line
    rules = {"none": 1.0, "late": min(1.0, 2 * (1 - progress)), "cosine": 0.5 + 0.5 * math.cos(math.pi * progress)}
    return rules[decay]

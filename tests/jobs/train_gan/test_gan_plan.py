"""train_gan: the arithmetic of a run's plan, and how options override the family's row."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.train_gan.families import FAMILIES
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.plan import learning_rate_factor, make_plan


def config(**changes: Any) -> GanOptions:
    """Return a valid config with these changes."""
    options = {
        "family": "wgan_gp",
        "epochs": 3,
        "snapshot_every_epochs": 1,
        "batch_images": 8,
        "latent": 4,
        "width": 2,
        "learning_rate": None,
        "critic_steps": None,
        "penalty_weight": None,
        "beta1": None,
        "beta2": None,
        "decay": "none",
        "ema_images": 5000,
        "seed": 0,
    }
    return GanOptions(**(options | changes))


@pytest.mark.parametrize(
    ("changes", "critic_steps", "train_images", "due"),
    [
        ({}, 2, 100, {6: 1, 12: 2, 18: 3}),  # 16 images each: 112, 208 and the end at ceil(300 / 16) = 19
        ({"snapshot_every_epochs": 2}, 2, 100, {12: 2, 18: 3}),  # the last snapshot always
        ({"snapshot_every_epochs": 9}, 2, 100, {18: 3}),  # an interval longer than the run: still one to evaluate
        ({}, 1, 24, {2: 1, 5: 2, 8: 3}),  # epochs of exactly three iterations
        ({"batch_images": 64}, 1, 10, {0: 3}),  # all epochs within one iteration
        ({"epochs": 5, "batch_images": 16}, 1, 10, {0: 1, 1: 3, 2: 4, 3: 5}),  # some epochs end together
    ],
)
def test_plan_by_hand(changes: dict[str, int], critic_steps: int, train_images: int, due: dict[int, int]) -> None:
    """Snapshots fall due at the first iteration that completes their epoch, and always at the last one."""
    plan = make_plan(config(**changes), critic_steps, train_images)
    found = {at: plan.epoch_after(at) for at in range(plan.iterations) if plan.snapshot_due(at)}
    assert found == due
    assert plan.iterations == max(due) + 1


@pytest.mark.parametrize("epochs", [1, 2, 7])
@pytest.mark.parametrize("batch_images", [2, 7, 64, 300])
@pytest.mark.parametrize("train_images", [1, 50, 129])
def test_no_two_snapshots_share_an_epoch(epochs: int, batch_images: int, train_images: int) -> None:
    """For all sizes snapshots have rising epochs that end at the last, and enough images are seen."""
    plan = make_plan(config(epochs=epochs, batch_images=batch_images), 1, train_images)
    found = [plan.epoch_after(at) for at in range(plan.iterations) if plan.snapshot_due(at)]
    assert found == sorted(set(found))
    assert found[-1] == epochs
    assert 0 <= plan.iterations * batch_images - epochs * train_images < batch_images


@pytest.mark.parametrize(
    ("decay", "values"),
    [
        ("none", [1, 1, 1, 1]),
        ("late", [1, 1, 1, 0.5]),
        ("cosine", [1, 0.853553, 0.5, 0.146447]),  # (1 + cos(pi / 4)) / 2 and its mirror image
    ],
)
def test_learning_rate_by_hand(decay: str, values: list[float]) -> None:
    """After 0, 1/4, 1/2 and 3/4 of the run the learning rate has fallen as the rule says."""
    assert [learning_rate_factor(decay, quarter / 4) for quarter in range(4)] == pytest.approx(values, abs=1e-6)


def test_options_override_the_familys_row() -> None:
    """An option that is given replaces the family's own value and leaves the rest of the row, and the table, alone."""
    row = FAMILIES["wgan_gp"]
    found = resolve(config(critic_steps=2, penalty_weight=3.0, beta2=0.5))
    assert (found.penalty, found.penalty_weight) == (row.penalty, 3.0)
    assert (found.critic_steps, found.betas, found.learning_rate) == (2, (0.0, 0.5), row.learning_rate)
    assert resolve(config()) == row
    assert resolve(config(penalty_weight=0.0)) == replace(row, penalty_weight=0.0)

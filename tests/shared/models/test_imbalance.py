"""Classes of different size: what an image weighs in the loss, and how often a class is drawn."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor

import shared.models.fitting
from shared.data.images import Images
from shared.errors import BadConfig
from shared.models.fit_options import FitConfig
from shared.models.fitting import FitExtras, fit
from shared.models.imbalance import BATCHES, balanced_batches, class_weights, cross_entropy, natural_batches
from tests.shared.models.fits import Script, same_weights, shades

COUNTS = (90, 9, 1)
LABELS = torch.arange(3).repeat_interleave(torch.tensor(COUNTS))[torch.randperm(100)]
CPU = torch.device("cpu")


def skewed(seed: int = 0) -> Images:
    """Return 24 images of a class, 6 of a second one and 2 of a third one."""
    images = shades(72, seed=seed)
    places = [place for label, count in enumerate((24, 6, 2)) for place in range(label, 3 * count, 3)]
    return images.subset(sorted(places))


def test_class_weights_are_scikit_learns() -> None:
    """N / (k n_c), and the mean weight of the images is 1."""
    found = class_weights(LABELS, 3)
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=LABELS.numpy())
    assert found.numpy() == pytest.approx(wanted)
    assert float(found[LABELS].mean()) == pytest.approx(1)


def test_a_class_without_images_weighs_nothing_and_counts_for_nothing() -> None:
    """An arm may have no image of a class: the others weigh what they would without it."""
    found = class_weights(LABELS, 5)
    assert found[:3].tolist() == class_weights(LABELS, 3).tolist()
    assert found[3:].tolist() == [0, 0]


def test_the_weighted_loss_is_the_mean_of_weighted_losses() -> None:
    """By hand for labels, and the same for the same labels as probabilities; without weights it is torch's."""
    logits, labels = torch.randn(7, 3), torch.tensor([0, 0, 0, 0, 1, 1, 2])
    weights = torch.tensor([0.5, 2.0, 9.0])
    by_hand = sum(-weights[label] * logits[place].log_softmax(0)[label] for place, label in enumerate(labels)) / 7
    assert torch.allclose(cross_entropy(logits, labels, weights), by_hand)
    assert torch.allclose(cross_entropy(logits, F.one_hot(labels, 3).float(), weights), by_hand)
    assert torch.equal(cross_entropy(logits, labels, None), F.cross_entropy(logits, labels))
    assert torch.allclose(cross_entropy(logits, labels, torch.ones(3)), F.cross_entropy(logits, labels))


@pytest.mark.parametrize("batch_images", [3, 8, 64])
def test_a_balanced_epoch_has_every_class_equally_often(batch_images: int) -> None:
    """Over 60 rounds of 3 classes each is drawn 60 times; within any stretch the counts differ by at most two."""
    drawn = LABELS[torch.cat(list(islice(balanced_batches(LABELS, batch_images, 4), 200)))]
    assert drawn[:180].bincount().tolist() == [60, 60, 60]
    for first in range(0, 150, 7):
        counts = drawn[first : first + 25].bincount(minlength=3)
        assert int(counts.max() - counts.min()) <= 2


def test_a_class_shows_each_of_its_images_before_any_again() -> None:
    """The first 9 draws of the second class are all of its 9 images, as are the next 9, in another order."""
    drawn = torch.cat(list(islice(balanced_batches(LABELS, 3, 4), 90)))
    own = drawn[LABELS[drawn] == 1].tolist()
    rounds = [own[at : at + 9] for at in range(0, 90, 9)]
    assert all(sorted(part) == sorted(set(own)) and len(part) == 9 for part in rounds)
    assert len({tuple(part) for part in rounds}) > 5


def test_classes_without_images_are_left_out() -> None:
    """Two classes of three that have images have half of the draws each."""
    labels = torch.tensor([0] * 9 + [2])
    drawn = labels[torch.cat(list(islice(balanced_batches(labels, 4, 0), 5)))]
    assert drawn.bincount().tolist() == [10, 0, 10]


@pytest.mark.parametrize("sampling", BATCHES)
def test_batches_depend_on_the_seed_alone(sampling: str) -> None:
    """The same seed draws the same images again, another seed others; the batches are full."""

    def drawn(seed: int) -> list[Tensor]:
        return list(islice(BATCHES[sampling](LABELS, 16, seed), 5))

    assert all(map(torch.equal, drawn(1), drawn(1)))
    assert not all(map(torch.equal, drawn(1), drawn(2)))
    assert [len(part) for part in drawn(1)] == [16] * 5


def test_sampling_changes_nothing_of_the_natural_order() -> None:
    """The two ways draw from streams of their own."""
    assert not torch.equal(next(natural_batches(LABELS, 16, 1)), next(balanced_batches(LABELS, 16, 1)))


@pytest.mark.parametrize("changes", [{"class_weights": "balanced"}, {"sampling": "balanced"}])
def test_a_fit_does_what_its_options_say(changes: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Another training than without, the same twice; the loss and the batches are those of this module."""
    plain = FitConfig(steps=6, measure_every=3, batch_images=8, width=4)
    seen: list[tuple[Tensor, object]] = []

    def noted(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        seen.append((targets, None if weights is None else weights.tolist()))
        return cross_entropy(logits, targets, weights)

    monkeypatch.setattr(shared.models.fitting, "cross_entropy", noted)
    train, val = skewed(), shades(12, seed=1)
    config = replace(plain, **changes)
    fits = [fit(train, val, 3, each, seed=2, device=CPU) for each in (config, config, plain)]
    assert same_weights(fits[0].network, fits[1].network)
    assert not same_weights(fits[0].network, fits[2].network)
    first, weights = torch.cat([targets for targets, _ in seen[:6]]), [given for _, given in seen]
    if "sampling" in changes:
        assert first.bincount().tolist() == [16, 16, 16]
        assert weights == [None] * 18
    else:
        assert first.bincount().tolist() != [16, 16, 16]
        assert weights == [class_weights(train.labels, 3).tolist()] * 12 + [None] * 6


@pytest.mark.parametrize("changes", [{"class_weights": "balanced"}, {"sampling": "balanced"}])
def test_val_is_measured_without_weights(changes: dict[str, str]) -> None:
    """With a learning rate of nearly 0 the measurements are those of a fit without weights, on imbalanced images."""
    plain = FitConfig(steps=1, measure_every=1, batch_images=8, width=4, learning_rate=1e-12)
    val = skewed(seed=3)
    rows = [fit(skewed(), val, 3, each, seed=2, device=CPU).curve[0] for each in (plain, replace(plain, **changes))]
    if "class_weights" in changes:
        # sampling changes the batch, by which batch norm's running statistics change too
        assert rows[0].val_loss == pytest.approx(rows[1].val_loss)
        assert rows[0].val_f1 == rows[1].val_f1
        assert rows[0].train_loss != pytest.approx(rows[1].train_loss)
    else:
        assert rows[0].val_loss == pytest.approx(rows[1].val_loss, rel=0.1)


def test_weights_hold_for_augmented_images_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step on probabilities, as MixUp gives them, is weighted by class."""
    monkeypatch.setattr(shared.models.fitting, "_val_metrics", Script((0.5, 1.0)))

    def mixed(images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        return images.float() / 127.5 - 1, F.one_hot(labels, 3).float()

    losses = []
    for class_weighting in ("none", "balanced"):
        config = FitConfig(steps=1, measure_every=1, batch_images=32, width=4, class_weights=class_weighting)
        monkeypatch.setattr(shared.models.fitting, "_val_metrics", Script((0.5, 1.0)))
        extras = FitExtras(augment=mixed)
        losses.append(fit(skewed(), skewed(), 3, config, seed=2, device=CPU, extras=extras).curve[0].train_loss)
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


def test_both_corrections_at_once_are_refused() -> None:
    """Weights and sampling correct the same imbalance."""
    with pytest.raises(BadConfig, match=r"--class-weights balanced with --sampling balanced: .*want one"):
        FitConfig(class_weights="balanced", sampling="balanced")

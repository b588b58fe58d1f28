from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn import metrics
from torch import nn
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_f1_score

import shared.models.fitting
from shared.errors import BadConfig
from shared.metrics.classification import score_table
from shared.models.classifiers import build_classifier
from shared.models.fit_options import FitConfig
from shared.models.fitting import (
    FitExtras,
    classifier_spec,
    features_of,
    fit,
    load_classifier,
    logits_of,
    probabilities_of,
    save_classifier,
)
from shared.models.imbalance import natural_batches
from shared.store.staging import BuildKey, stage
from tests.shared.models.fits import Script, same_weights, shades

CPU = torch.device("cpu")
SHORT = FitConfig(steps=6, measure_every=2, batch_images=16, width=4)


def test_a_classifier_learns_what_is_plain_to_see() -> None:
    """Three shades of grey are told apart without a mistake after 40 steps."""
    fitted = fit(shades(96), shades(30, seed=1), 3, FitConfig(steps=40, measure_every=10), seed=0, device=CPU)
    unseen = shades(60, seed=2)
    assert torch.equal(logits_of(fitted.network, unseen.images).argmax(dim=1), unseen.labels)


@pytest.mark.parametrize("present", [3, 2])
def test_val_metrics_agree_with_scikit_learn(present: int) -> None:
    """Torchmetrics on val and scikit-learn on the same predictions agree, also when a class has no val image."""
    val = shades(25, classes=present, seed=1)
    fitted = fit(shades(48), val, 3, FitConfig(steps=3, measure_every=3, width=4), seed=0, device=CPU)
    predicted = logits_of(fitted.network, val.images).argmax(dim=1).numpy()
    assert 0 < np.mean(predicted == val.labels.numpy()) < 1
    table = score_table(val.labels.numpy(), predicted, ["a", "b", "c"])
    (row,) = fitted.curve
    for name in ("accuracy", "precision", "recall", "f1"):
        assert getattr(row, f"val_{name}") == pytest.approx(getattr(table, name), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [3, 6])
def test_the_score_table_agrees_with_torchmetrics(seed: int, classes: int) -> None:
    """On random predictions with absent classes micro accuracy and macro F1 are those of torchmetrics."""
    chance = np.random.default_rng(seed)
    truth, predicted = chance.integers(0, 3, 50), chance.integers(0, min(classes, 4), 50)
    table = score_table(truth, predicted, [str(index) for index in range(classes)])
    answers = torch.from_numpy(predicted), torch.from_numpy(truth)
    micro = multiclass_accuracy(*answers, num_classes=classes, average="micro")
    macro = multiclass_f1_score(*answers, num_classes=classes, average="macro")
    assert table.accuracy == pytest.approx(micro.item(), abs=1e-6)
    assert table.f1 == pytest.approx(macro.item(), abs=1e-6)


def test_the_score_table_by_hand() -> None:
    """Truth 0 0 1 1, predicted 0 1 1 1, class 2 nowhere: precision 1 and 2/3, recall 1/2 and 1, F1 2/3 and 4/5."""
    table = score_table(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ["cat", "dog", "owl"])
    assert (table.n, table.accuracy) == (4, 0.75)
    assert [getattr(table, name) for name in ("precision", "recall", "f1")] == pytest.approx([5 / 6, 3 / 4, 11 / 15])
    rows = [[getattr(row, name) for name in ("precision", "recall", "f1", "n")] for row in table.classes]
    assert rows[0] == pytest.approx([1, 1 / 2, 2 / 3, 2])
    assert rows[1] == pytest.approx([2 / 3, 1, 4 / 5, 2])
    assert rows[2] == [0, 0, 0, 0]
    assert [row.class_name for row in table.classes] == ["cat", "dog", "owl"]
    assert table.confusion == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]


def test_the_curve_has_cross_entropy_as_scikit_learn_computes_it() -> None:
    """val_loss is the log loss in nats of the probabilities on val."""
    val = shades(30, seed=1)
    fitted = fit(shades(48), val, 3, FitConfig(steps=2, measure_every=2), seed=0, device=CPU)
    probabilities = probabilities_of(fitted.network, val.images).numpy()
    assert fitted.curve[0].val_loss == pytest.approx(metrics.log_loss(val.labels, probabilities), rel=1e-4)


def test_a_fit_is_reproducible_bit_for_bit() -> None:
    """On the CPU equal seeds give equal weights and curves, regardless of earlier draws; another seed does not."""
    first = fit(shades(48), shades(12), 3, SHORT, seed=3, device=CPU)
    torch.rand(5)
    second = fit(shades(48), shades(12), 3, SHORT, seed=3, device=CPU)
    other = fit(shades(48), shades(12), 3, SHORT, seed=4, device=CPU)
    assert first.curve == second.curve
    assert same_weights(first.network, second.network)
    assert not same_weights(first.network, other.network)


@pytest.mark.parametrize(
    ("steps", "every", "measured"), [(6, 2, [2, 4, 6]), (7, 3, [3, 6, 7]), (2, 2, [2]), (1, 1, [1])]
)
def test_val_is_measured_regularly_and_after_the_last_step(steps: int, every: int, measured: list[int]) -> None:
    """The curve has a row every `measure_every` steps and one for the last; `on_step` counts every step."""
    counted: list[int] = []
    config = FitConfig(steps=steps, measure_every=every, batch_images=8, width=4)
    extras = FitExtras(on_step=lambda count, note: counted.append(count))
    fitted = fit(shades(24), shades(12), 3, config, seed=0, device=CPU, extras=extras)
    assert [row.step for row in fitted.curve] == measured
    assert sum(counted) == steps


@pytest.mark.parametrize(
    ("patience", "rows", "stops", "best"),
    [
        (0, [(0.5, 1), (0.9, 1), (0.7, 1), (0.6, 1), (0.5, 1)], 5, 2),
        (2, [(0.5, 1), (0.9, 1), (0.7, 1), (0.6, 1), (1.0, 1)], 4, 2),
        (1, [(0.5, 1), (0.4, 1), (1.0, 1)], 2, 1),
        (2, [(0.5, 1), (0.4, 1), (0.6, 1), (0.5, 1), (0.7, 1)], 5, 5),
        (0, [(0.5, 3), (0.5, 1), (0.5, 2)], 3, 2),
        (0, [(0.5, 1), (0.5, 1), (0.4, 0)], 3, 1),
    ],
    ids=["no patience", "two in vain", "one in vain", "hope renewed", "tie: lower loss", "tie: the first"],
)
def test_training_stops_by_patience_and_returns_the_best_weights(
    monkeypatch: pytest.MonkeyPatch, patience: int, rows: list[tuple[float, float]], stops: int, best: int
) -> None:
    """After `patience` measurements without a better one training stops; the weights are those of the best.

    Best is the highest macro F1, then the lowest loss, then the first. Batch norm saw every batch until then.
    """
    monkeypatch.setattr(shared.models.fitting, "_val_metrics", script := Script(*rows))
    config = FitConfig(steps=3 * len(rows), measure_every=3, batch_images=8, width=4)
    fitted = fit(shades(24), shades(12), 3, config, seed=0, device=CPU, extras=FitExtras(patience))
    assert len(fitted.curve) == stops
    assert fitted.best_step == 3 * best
    found, wanted = fitted.network.state_dict(), script.weights[best - 1]
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert not all(torch.equal(found[name], script.weights[best - 2][name]) for name in wanted)
    assert {int(norm.num_batches_tracked) for norm in fitted.network.body if isinstance(norm, nn.BatchNorm2d)} == {
        3 * best
    }
    assert not fitted.network.training


def test_every_image_is_used_once_per_epoch() -> None:
    """Batches of 4 of 10 images: the first 20 indexes are two whole epochs, in different orders."""
    parts = list(islice(natural_batches(torch.zeros(10, dtype=torch.int64), 4, 0), 50))
    joined = torch.cat(parts).tolist()
    assert [len(part) for part in parts] == [4] * 50
    epochs = [joined[at : at + 10] for at in range(0, 200, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 15


@pytest.mark.parametrize(("steps", "every"), [(10, 11), (10, 0), (0, 0), (10, -1)])
def test_a_fit_that_would_never_measure_is_refused(steps: int, every: int) -> None:
    """`measure_every` is between 1 and the number of steps."""
    with pytest.raises(BadConfig, match=f"--measure-every {every}: want 1 to --steps"):
        FitConfig(steps=steps, measure_every=every)


def test_answers_do_not_depend_on_the_batch() -> None:
    """Networks answer in evaluation mode: 600 images (two batches) get what each gets alone, and in [0, 1]."""
    images = shades(600, seed=5).images
    torch.manual_seed(0)
    network = build_classifier(classifier_spec(shades(3), 3, SHORT)).train()
    logits = logits_of(network, images)
    assert logits.shape == (600, 3)
    for index in (0, 511, 512, 599):
        alone = network(images[index : index + 1].float() / 127.5 - 1)
        assert torch.allclose(logits[index], alone[0], atol=1e-5)
    probabilities = probabilities_of(network, images)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(600), atol=1e-6)
    assert torch.equal(probabilities.argmax(dim=1), logits.argmax(dim=1))


def test_features_are_what_the_head_sees() -> None:
    """The logits are the head's linear map of the features, which are float32 and at least 0."""
    network = build_classifier(classifier_spec(shades(3), 3, SHORT))
    images = shades(9).images
    features = features_of(network, images)
    assert (features.dtype, features.shape) == (np.float32, (9, 64))
    assert features.min() >= 0
    weight, bias = (parameter.detach().numpy() for parameter in network.head.parameters())
    assert np.allclose(features @ weight.T + bias, logits_of(network, images).numpy(), atol=1e-5)


def test_a_saved_classifier_answers_as_before(tmp_path: Path) -> None:
    """Saving and loading changes no bit of an answer."""
    data = shades(24)
    fitted = fit(data, data, 3, SHORT, seed=0, device=CPU)
    spec = classifier_spec(data, 3, SHORT)
    with stage(tmp_path / "classifier", BuildKey("train_classifier", "model", {}), resumable=False) as work:
        save_classifier(work.folder, fitted.network, spec, "bicubic")
        artifact = work.commit()
    loaded = load_classifier(artifact, CPU)
    assert not loaded.training
    assert torch.equal(logits_of(loaded, data.images), logits_of(fitted.network, data.images))
    assert loaded.input_format == (data.images.shape[-1], "bicubic")


def test_a_loaded_classifier_brings_images_to_its_own_size() -> None:
    """Images of another size are resized by the classifier's filter, as Pillow does it, before it answers."""
    network = build_classifier(classifier_spec(shades(3), 3, SHORT))
    network.input_format = (16, "bicubic")
    large = torch.randint(0, 256, (3, 1, 40, 40), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    small = [Image.fromarray(pixels[0].numpy()).resize((16, 16), Image.Resampling.BICUBIC) for pixels in large]
    expected = torch.stack([torch.from_numpy(np.array(image))[None] for image in small])
    assert torch.equal(logits_of(network, large), logits_of(network, expected))

"""Networks of several attributes: one sigmoid each, told in logits of their combinations."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from shared.attributes import Combinations
from shared.models import extractors
from shared.models.classifiers import build_classifier, spec_of
from shared.models.fit_options import FitConfig
from shared.models.fitting import probabilities_of
from shared.models.gans.build import build_discriminator, build_generator
from shared.models.networks import bits, combined, embedding, of_attributes
from shared.models.validation.metrics import val_metrics

LOGITS = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(40) % 8


def test_cross_entropy_over_combinations_is_the_sum_of_binary_ones() -> None:
    """So one loss serves classes and attributes."""
    binary = F.binary_cross_entropy_with_logits(LOGITS, bits(LABELS, 3).float(), reduction="none").sum(dim=1).mean()
    torch.testing.assert_close(F.cross_entropy(combined(LOGITS), LABELS), binary)


def test_the_probability_of_a_combination_is_the_product_over_attributes() -> None:
    """The annotator's confidence is the largest of these, and names the attributes above 1/2."""
    sure = LOGITS.sigmoid()
    product = torch.where(bits(torch.arange(8), 3).bool(), sure[:, None], 1 - sure[:, None]).prod(dim=2)
    torch.testing.assert_close(combined(LOGITS).softmax(dim=1), product)
    assert torch.equal(bits(combined(LOGITS).argmax(dim=1), 3).bool(), LOGITS > 0)
    torch.testing.assert_close(of_attributes(combined(LOGITS), 3), LOGITS)


def test_the_extractor_names_combinations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores such as the agreement take the classes from it: they are those that the classifier itself gives."""
    network = build_classifier(spec_of(FitConfig(width=2), size_px=8, channels=1, classes=Combinations(3))).eval()
    network.input_format = (8, "bicubic")
    monkeypatch.setattr(extractors, "load_classifier", lambda artifact, device: network)
    artifact: Any = SimpleNamespace(read=lambda name: b"", dataset=SimpleNamespace(size_px=8))
    images = torch.randint(256, (40, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    made = extractors.classifier({"classifier": artifact, "real": artifact}, Path(), torch.device("cpu"))
    _, found = made.apply(images)
    assert found.shape == (40, 8)
    torch.testing.assert_close(found, probabilities_of(network, images))


def test_a_classifier_has_an_output_for_each_attribute() -> None:
    """Its answers are the logits of the eight combinations; a spec rebuilds it."""
    spec = spec_of(FitConfig(width=2), size_px=8, channels=1, classes=Combinations(3))
    network = build_classifier(spec)
    assert (spec["classes"], spec["attributes"], network.head.out_features) == (8, 3, 3)
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 8)
    assert "attributes" not in spec_of(FitConfig(), size_px=8, channels=1, classes=8)


def test_combinations_share_the_embeddings_of_their_attributes() -> None:
    """What an attribute adds is the same, whichever others there are."""
    rows = embedding(Combinations(3), 5)(torch.arange(8))
    torch.testing.assert_close(rows[7] - rows[6], rows[1] - rows[0])
    assert not torch.allclose(rows[1], rows[0])
    assert type(embedding(8, 5)) is torch.nn.Embedding


def test_networks_of_a_gan_are_built_from_a_spec_with_attributes() -> None:
    """Both see the vector; an auxiliary head gives the logits of all combinations."""
    shape = {"size_px": 16, "channels": 1, "classes": 8, "attributes": 3, "width": 2}
    labels = torch.arange(8)
    for name in ("class_dcgan", "dcgan", "rps_literal"):
        generator = build_generator({"name": name, "latent": 4, **shape, "size_px": 16}).eval()
        images = generator(torch.zeros(8, 4), labels)
        assert images.shape == (8, 1, 16, 16)
        assert not torch.allclose(images[0], images[1])
    for name in ("projection", "dcgan"):
        assert build_discriminator({"name": name, **shape})(images, labels).shape == (8,)
    named = build_discriminator({"name": "dcgan", **shape, "auxiliary": True})(images, labels)
    assert named.shape == (8, 9)
    assert torch.equal(named[:, 1], torch.zeros(8))  # the logit of no attribute at all


def test_val_metrics_are_means_over_attributes() -> None:
    """Macro F1 of vectors, share of right attributes, and the loss of combinations."""
    from sklearn.metrics import f1_score

    found = val_metrics(Combinations(3), torch.device("cpu"))(combined(LOGITS), LABELS)
    truth, named = bits(LABELS, 3).numpy(), (LOGITS > 0).numpy()
    assert abs(found["val_f1"] - f1_score(truth, named, average="macro")) < 1e-6
    assert abs(found["val_accuracy"] - (truth == named).mean()) < 1e-6

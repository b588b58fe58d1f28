"""Synthetic images with their labels: which of several generators drew one."""

import torch

from shared.models.classifiers import build_classifier
from shared.models.gans.build import build_generator
from shared.models.labelled_generator import LabelledGenerator
from shared.models.snapshots import draw_images, latents_of

MEMBER = {"name": "class_dcgan", "size_px": 16, "channels": 1, "classes": 3, "latent": 4, "width": 2}


def source(spec: dict[str, object]) -> LabelledGenerator:
    """Return a labelled generator with fresh weights, of no artifact."""
    made = object.__new__(LabelledGenerator)
    made.network = build_generator(spec).eval()
    classifier = {"name": "small_cnn", "size_px": 16, "channels": 1, "classes": 3, "width": 2}
    made.annotator = build_classifier(classifier).eval()
    made.latent, made.conditional = made.network.latent, True
    made.origin, made.annotator_sha256 = {"generator_sha256": "0", "snapshot": "s"}, "1"
    return made


def test_a_sample_names_its_member() -> None:
    """The number of the generator that drew it, where there are several of the same images, is in a sample's origin."""
    mixture = source({"name": "mixture", "generators": 2, "member": MEMBER})
    drawn = mixture.draw(list(range(12)), torch.arange(12) % 3)
    named = [sample.meta["origin"]["member"] for sample in mixture.samples(drawn, drawn.images)]
    latents = latents_of(list(range(12)), 6)
    assert named == (latents[:, 5] > latents[:, 4]).long().tolist()
    assert set(named) == {0, 1}


def test_one_generator_has_no_members() -> None:
    """The samples of a single generator are as they always were."""
    alone = source(MEMBER)
    drawn = alone.draw([5, 6], torch.tensor([0, 1]))
    origin = next(alone.samples(drawn, drawn.images)).meta["origin"]
    assert set(origin) == {"generator_sha256", "snapshot", "latent_seed", "asked_label"}


def test_what_is_drawn_again_brings_its_member() -> None:
    """An image that takes the place of another has the number of the generator that drew it."""
    mixture = source({"name": "mixture", "generators": 2, "member": MEMBER})
    labels = torch.zeros(12, dtype=torch.int64)
    drawn, others = mixture.draw(list(range(12)), labels), mixture.draw(list(range(100, 104)), labels[:4])
    both = drawn.with_others(torch.tensor([1, 3, 5, 7]), others)
    assert drawn.member is not None
    assert both.member is not None
    assert both.member[[1, 3, 5, 7]].tolist() == others.member.tolist()  # type: ignore[union-attr]
    assert both.member[[0, 2, 4]].tolist() == drawn.member[[0, 2, 4]].tolist()
    assert both.seeds[:4] == [0, 100, 2, 101]


def test_latents_are_scaled() -> None:
    """With a scale of 1.5 an image is that of its latent times 1.5, and its sample says so; members stay the same."""
    mixture = source({"name": "mixture", "generators": 2, "member": MEMBER})
    seeds, labels = list(range(12)), torch.zeros(12, dtype=torch.int64)
    plain, wide = mixture.draw(seeds, labels), mixture.draw(seeds, labels, scale=1.5)
    assert torch.equal(wide.images, draw_images(mixture.network, 1.5 * latents_of(seeds, 6), labels))
    assert not torch.equal(wide.images, plain.images)
    assert wide.member is not None
    assert plain.member is not None
    assert torch.equal(wide.member, plain.member)
    assert next(mixture.samples(wide, wide.images)).meta["origin"]["latent_scale"] == 1.5

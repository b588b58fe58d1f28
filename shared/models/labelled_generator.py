"""Synthetic images with their labels: drawn by a snapshot, annotated by the experiment's classifier."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from shared.format.files import sha256
from shared.format.sample import Sample
from shared.models.fitting import CLASSIFIER_FILE, load_classifier, probabilities_of
from shared.models.gans.members import MixtureGenerator
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.store.artifacts import Artifact
from shared.store.records.gan import GeneratorRecord


@dataclass(frozen=True)
class Synthetic:
    """Images, uint8 (N, channels, size, size), and of each its latent's seed, the label asked for and the one given.

    `confidence` is the annotator's probability of the label `given`, `member` the generator of several that drew the
    image, None where there is one for each class, or one for all. All of length N, on the CPU. `scale` is the standard
    deviation of the latents.
    """

    images: Tensor
    seeds: list[int]
    truncation: float | None
    asked: Tensor
    given: Tensor
    confidence: Tensor
    member: Tensor | None = None
    scale: float = 1.0

    def with_others(self, places: Tensor, others: "Synthetic") -> "Synthetic":
        """Return the same with `others` at `places`, int64 (M,), for which the same labels were asked."""
        named = [name for name in ("images", "given", "confidence", "member") if getattr(self, name) is not None]
        columns = {name: getattr(self, name).index_copy(0, places, getattr(others, name)) for name in named}
        seeds = list(self.seeds)
        for place, seed in zip(places.tolist(), others.seeds, strict=True):
            seeds[place] = seed
        return replace(self, seeds=seeds, **columns)


class LabelledGenerator:
    """A snapshot of a `gan` artifact and the classifier of a `classifier` artifact that names what it draws."""

    def __init__(
        self, gan: Artifact[GeneratorRecord], snapshot: str, classifier: Artifact, device: torch.device
    ) -> None:
        self.network = load_snapshot(gan, snapshot, device)
        self.annotator = load_classifier(classifier, device)
        self.latent, self.conditional = gan.record.latent, gan.record.conditional
        self.origin = {"generator_sha256": sha256(gan.read(snapshot)), "snapshot": snapshot}
        self.annotator_sha256 = sha256(classifier.read(CLASSIFIER_FILE))

    def draw(self, seeds: list[int], asked: Tensor, truncation: float | None = None, scale: float = 1.0) -> Synthetic:
        """Return an image for each latent seed; labels (N,) are asked for where the generator knows classes.

        Latents are those of N(0, 1), truncated where that is asked for, times `scale`.
        """
        latents = latents_of(seeds, self.latent, truncation) * scale
        images = draw_images(self.network, latents, asked)
        member = self.network.chosen(latents, asked) if isinstance(self.network, MixtureGenerator) else None
        # the annotator gives the label, since a generator does not always draw what it is asked for
        given, confidence = self.annotated(images)
        return Synthetic(images, seeds, truncation, asked, given, confidence, member, scale)

    def annotated(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the labels (N,) that the annotator gives to uint8 images, and its probability of each (N,)."""
        confidence, given = probabilities_of(self.annotator, images).cpu().max(dim=1)
        return given, confidence

    def samples(self, drawn: Synthetic, images: Tensor, first: int = 0) -> Iterator[Sample]:
        """Yield what was drawn as samples, numbered from `first`: `images` as they are stored, (N, channels, S, S).

        The label of a sample is the one given; nothing is asked of an unconditional generator, so its samples have no
        `asked_label`.
        """
        cut = {} if drawn.truncation is None else {"truncation": drawn.truncation}
        wide = {} if drawn.scale == 1 else {"latent_scale": drawn.scale}
        for offset, pixels in enumerate(images.permute(0, 2, 3, 1).numpy()):
            asked: dict[str, object] = {"asked_label": int(drawn.asked[offset])} if self.conditional else {}
            member: dict[str, object] = {} if drawn.member is None else {"member": int(drawn.member[offset])}
            yield Sample(
                key=f"synthetic-{first + offset:08d}",
                image=pixels,
                label=int(drawn.given[offset]),
                meta={
                    "origin": {**self.origin, "latent_seed": drawn.seeds[offset], **cut, **wide, **asked, **member},
                    "annotation": {
                        "classifier_sha256": self.annotator_sha256,
                        # further digits are rounding noise of float32, which differs with the device
                        "confidence": round(float(drawn.confidence[offset]), 6),
                    },
                },
            )

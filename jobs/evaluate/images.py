"""Where scored images come from: all that an evaluation knows of a generator, or of a set that was imported."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from shared.data.images import Images, load_split
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream, derive_seed
from shared.store.artifacts import Artifact
from shared.store.records.datasets import SyntheticRecord
from shared.store.records.gan import GeneratorRecord
from shared.store.samples import asked_labels, places_of_draw


class SyntheticImages(Protocol):
    """Images that can be scored: `labelled` says whether they have labels of their own, asked for or given."""

    @property
    def labelled(self) -> bool:
        """Whether the labels of a draw mean anything."""

    def draw(self, stream: Stream) -> Images:
        """Return uint8 images (N, channels, S, S) and their labels; draws of different streams share no latents."""


@dataclass(frozen=True)
class SnapshotImages:
    """What snapshot `name` of a GAN draws, when it is `asked` for these classes; latents are seeded by `seed`."""

    gan: Artifact[GeneratorRecord]
    name: str
    asked: Tensor
    seed: int
    group: ProcessGroup

    @property
    def labelled(self) -> bool:
        """Whether the generator can be asked for a class."""
        return self.gan.record.conditional

    def draw(self, stream: Stream) -> Images:
        """Return an image for each class that is asked for, from the latents of `stream`."""
        # snapshots are loaded one at a time, so that memory does not grow with their number
        network, latent = load_snapshot(self.gan, self.name, self.group.device), self.gan.record.latent
        # a seed for each image: any number of processes draws the same images
        count = len(self.asked)
        share = self.group.shard(count)
        seeds = [derive_seed(self.seed, stream, index) for index in share]
        # a process without a share draws one image, for its shape
        latents, labels = latents_of(seeds or [0], latent), self.asked[share.start : max(share.stop, share.start + 1)]
        drawn = draw_images(network, latents, labels if seeds else self.asked[:1])
        return Images(self.group.gather(drawn[: len(seeds)], count), self.asked)


@dataclass(frozen=True)
class ImportedImages:
    """Images of an imported set: `count` of them, drawn by `seed` without replacement, or all if there are fewer."""

    synthetic: Artifact[SyntheticRecord]
    count: int
    seed: int

    @property
    def labelled(self) -> bool:
        """Whether the set gives its images labels."""
        return self.synthetic.record.agreement is not None

    def draw(self, stream: Stream) -> Images:
        """Return the images, the same ones for any stream, with the labels of their set or else the annotator's."""
        everything = load_split(self.synthetic, "train")
        own = asked_labels(self.synthetic)
        labelled = everything if own is None else Images(everything.pixels, torch.tensor(own))
        drawn = labelled.subset(places_of_draw(len(everything), self.count, self.seed))
        # in memory, as a generator's are: they are looked at again and again
        return Images(drawn.images, drawn.labels)

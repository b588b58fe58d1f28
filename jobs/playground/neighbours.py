"""The training images that are nearest to drawn ones, by the search of the copy test, and what is usual."""

from dataclasses import dataclass

import torch
from torch import Tensor

from jobs.commands.drawing import Experiment
from shared.data.images import NO_LABEL
from shared.metrics.copies import some_of
from shared.metrics.neighbours import of_images, transforms

MOST_TEST = 200
"""Real test images, at most, whose distances to their nearest training images are the scale."""


@dataclass(frozen=True)
class Neighbour:
    """The nearest training image of a drawn one, the place of the latter among the drawn ones, and their distance.

    `transform` says in words what the drawn image is of the other, "" for no transform. `class_name` is None for an
    image without a label. `nearer_than` is the number of real test images whose nearest training image is further away.
    """

    place: int
    image: Tensor
    class_name: str | None
    distance: float
    transform: str
    nearer_than: int


class NeighbourSearch:
    """Finds the nearest training images in an experiment; the distances of its test images are found once."""

    def __init__(self, opened: Experiment) -> None:
        self.opened = opened
        self._usual: dict[int | None, Tensor] = {}

    def usual(self, label: int | None) -> Tensor:
        """Return the sorted distances (N,) of test images of a class, or of all, to their nearest training images."""
        if label not in self._usual:
            images, _ = some_of(self.opened.real_test(label), MOST_TEST)
            found = of_images(images, self.opened.train.pixels).distances if len(images) else torch.zeros(0)
            self._usual[label] = found.sort().values
        return self._usual[label]

    def nearest(self, images: Tensor, label: int | None) -> list[Neighbour]:
        """Return the neighbours of uint8 images (N, C, S, S) that were drawn of a class, the closest first."""
        train, usual = self.opened.train, self.usual(label)
        found = of_images(images, train.pixels)
        near = train.subset(found.places)
        nearer_than = len(usual) - torch.searchsorted(usual, found.distances, right=True)
        named = [None if number == NO_LABEL else self.opened.classes[number] for number in near.labels.tolist()]
        words = transforms(images, near.images)
        return [
            Neighbour(at, near.images[at], named[at], float(found.distances[at]), words[at], int(nearer_than[at]))
            for at in found.distances.argsort(stable=True).tolist()
        ]

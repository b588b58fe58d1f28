"""Batches of labelled and unlabelled images together."""

from collections.abc import Callable
from itertools import islice

import pytest
import torch

from shared.data.batches import BatchPlan, batches
from shared.data.images import NO_LABEL, learned_splits, load_learned, load_split
from shared.data.pixels import Residence
from shared.store.artifacts import Artifact

MakeDataset = Callable[..., Artifact]


@pytest.mark.parametrize("residence", ["memory", "file", "streamed"])
def test_an_epoch_of_two_splits_has_every_image_once(make_dataset: MakeDataset, residence: Residence) -> None:
    """Mixed in an order by seed and epoch; only those of train have a label."""
    dataset = make_dataset(train=6, unlabelled=10, val=4)
    known = {image.numpy().tobytes(): place for place, image in enumerate(load_learned(dataset).images)}
    labels = load_split(dataset, "train").labels.tolist() + [NO_LABEL] * 10
    plan = BatchPlan(batch_images=4, seed=1)
    orders = []
    for epoch in range(2):
        order = []
        for images, given in islice(batches(dataset, ("train", "unlabelled"), plan, residence=residence), 8):
            places = [known[image.numpy().tobytes()] for image in images]
            assert given.tolist() == [labels[place] for place in places]
            order += places
        part = order[16 * epoch : 16 * (epoch + 1)]
        assert sorted(part) == list(range(16))
        assert max(part[:8]) >= 6 > min(part[:8])
        orders.append(part)
    assert orders[0] != orders[1]


def test_what_a_generator_learns_from(make_dataset: MakeDataset, tmp_path: object) -> None:
    """The train split alone where there are no unlabelled images, as ever."""
    dataset = make_dataset(train=6, val=4)
    assert learned_splits(dataset) == ("train",)
    learned, train = load_learned(dataset), load_split(dataset, "train")
    assert torch.equal(learned.images, train.images)
    assert torch.equal(learned.labels, train.labels)

"""Images that the annotator gives another class than was asked for: dropped, counted, drawn again."""

import pytest
import torch
from torch import Tensor

from jobs.synthesize.annotations import Tally
from jobs.synthesize.options import SynthesizeOptions
from jobs.synthesize.writer import MOST_DRAWS, agreeing
from jobs.train_mixed.experiment import is_filtered
from jobs.train_mixed.options import MixedOptions
from shared.cli.options import merge
from shared.cli.recipes import load_recipe
from shared.errors import BadConfig
from shared.models.labelled_generator import Synthetic
from shared.store.records.datasets import SyntheticRecord, drawn_words
from shared.store.records.gan import Snapshot

ASKED = torch.tensor([0, 1, 2, 1])


class Source:
    """A generator whose image is its seed, with the class seed % 10, which the annotator always finds."""

    def draw(self, seeds: list[int], asked: Tensor) -> Synthetic:
        """Return an image for each seed."""
        images = torch.tensor(seeds, dtype=torch.uint8)[:, None, None, None]
        return Synthetic(images, seeds, None, asked, images.flatten().long() % 10, torch.tensor(seeds) / 100)


def drop(first: list[int], *others: dict[int, int]) -> tuple[Synthetic, Tally]:
    """Return what is kept, and the counts, where the draws after the first have the seeds of `others`, by place."""
    source, tally = Source(), Tally(3)

    def seeds(places: list[int], again: int) -> list[int]:
        return [others[min(again, len(others)) - 1][place] for place in places]

    return agreeing(source.draw, source.draw(first, ASKED), seeds, tally), tally


def test_images_are_drawn_until_they_agree() -> None:
    """An image that agrees is kept as it is, one that does not is drawn until it does; each that is dropped counts."""
    kept, tally = drop([10, 12, 13, 21], {1: 22, 2: 32}, {1: 31})
    assert kept.seeds == [10, 31, 32, 21]
    assert kept.images.flatten().tolist() == kept.seeds
    assert torch.equal(kept.given, ASKED)
    assert torch.equal(kept.confidence, torch.tensor(kept.seeds) / 100)
    assert tally.dropped.tolist() == [0, 2, 1]


def test_a_class_that_is_never_drawn_is_not_asked_for_ever() -> None:
    """The last of twenty draws is kept, with the annotator's label, so that the number of images is as asked for."""
    kept, tally = drop([10, 11, 13, 21], {2: 33})
    assert kept.seeds == [10, 11, 33, 21]
    assert kept.given.tolist() == [0, 1, 3, 1]
    assert tally.dropped.tolist() == [0, 0, MOST_DRAWS - 1] == [0, 0, 19]


def test_agreement_costs_nothing_where_all_agree() -> None:
    """Nothing is drawn again and nothing counted."""
    kept, tally = drop([10, 11, 12, 21])
    assert kept.seeds == [10, 11, 12, 21]
    assert not tally.dropped.any()


def record(annotated: list[int], dropped: list[int] | None) -> SyntheticRecord:
    """Return the record of images that were annotated, and dropped, so often by class."""
    return SyntheticRecord(
        snapshot=Snapshot(file="s.safetensors", epoch=1, images_seen=1),
        family="dcgan",
        asked_counts=annotated,
        annotated_counts=annotated,
        agreement=1.0,
        confidence_histogram=[0] * 20,
        confidence_median=1.0,
        dropped_counts=dropped,
    )


def test_a_filtered_set_is_said_to_be_one() -> None:
    """Those who read the results are told how many images were drawn and dropped, over all replicates."""
    said = drawn_words([record([900, 990], [10, 100]), record([1000, 1000], [0, 0])])
    assert "110 of 4,000 that were drawn (2.8%) were dropped" in said
    assert drawn_words([record([900, 990], None)]) == ""
    wide = record([900, 990], None).model_copy(update={"latent_scale": 1.2})
    assert drawn_words([wide]).startswith("Synthetic images are drawn from latents with a standard deviation of 1.2.")


def test_the_annotator_has_chosen_filtered_images() -> None:
    """What an arm saw counts all that the annotator knows, as with --min-confidence, though none may be dropped."""
    plain, confident = MixedOptions(), MixedOptions(min_confidence=0.5)
    assert not is_filtered(plain, record([9, 9], None))
    assert is_filtered(plain, record([9, 9], [0, 0]))
    assert is_filtered(confident, record([9, 9], None))


def test_imported_images_are_never_dropped() -> None:
    """They cannot be drawn again: the options say so before anything is read."""
    with pytest.raises(BadConfig, match="--only-agreeing: imported images are all taken"):
        SynthesizeOptions(source="folder", source_path="x", only_agreeing=True)
    with pytest.raises(BadConfig, match="--latent-scale: imported images are all taken"):
        SynthesizeOptions(source="folder", source_path="x", latent_scale=1.2)


def test_a_recipe_for_generated_images_takes_imported_ones() -> None:
    """What a recipe says of drawing was meant for its generator: it does not hold where another source is named."""
    recipe = [("digits", table) for table in load_recipe("digits").tables("synthesize")]
    drawn, _ = merge(SynthesizeOptions, recipe)
    assert (drawn["only_agreeing"], drawn["latent_scale"]) == (True, 1.2)
    values, replaced = merge(SynthesizeOptions, [*recipe, ("flags", {"source": "folder"})])
    assert {"only_agreeing", "latent_scale"}.isdisjoint(values)
    assert [change.values for change in replaced] == [{"only_agreeing": True, "latent_scale": 1.2}]

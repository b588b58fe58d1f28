"""What is counted of annotated images: the same from one piece as from several, by hand, in few bytes an image."""

from pathlib import Path

import pytest
import torch

from jobs.synthesize.annotations import AnnotatedShard, Tally, joined
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.errors import HalfrealError
from shared.store.records.datasets import Snapshot
from shared.store.work_shards import FOLDER, WorkShards

CLASSES = 4
ORIGIN = {"snapshot": Snapshot(epoch=1, images_seen=64, file="s.safetensors"), "family": "dcgan"}


def pieces_of(folder: Path, count: int) -> WorkShards:
    """Return pieces of work in a folder."""
    return WorkShards(Run({}, folder, folder, "cpu", Reporter("synthesize")), count)


def put(pieces: WorkShards, number: int, *batches: tuple[torch.Tensor | None, torch.Tensor, torch.Tensor]) -> None:
    """Count batches as a piece."""
    tally = Tally(CLASSES)
    for batch in batches:
        tally.add(*batch)
    pieces.done(number, AnnotatedShard(shard=None, **tally.stored(pieces, number)).facts())


def tally_of(pieces: WorkShards) -> Tally:
    """Return the counts of all pieces."""
    return joined(pieces, [AnnotatedShard.model_validate(record) for record in pieces.gather() or []], CLASSES)


@pytest.mark.parametrize("total", [1, 2, 99, 100])
def test_pieces_count_as_the_whole(total: int, tmp_path: Path) -> None:
    """The record is what torch counts over all images at once; of an even number the lower median."""
    chance = torch.Generator().manual_seed(total)
    asked, given = (torch.randint(0, CLASSES, (total,), generator=chance) for _ in range(2))
    sure = torch.rand(total, generator=chance)
    pieces = pieces_of(tmp_path, 3)
    put(pieces, 0, (asked[:7], given[:7], sure[:7]), (asked[7:31], given[7:31], sure[7:31]))
    put(pieces, 1, (asked[31:], given[31:], sure[31:]))
    put(pieces, 2)  # a shard of which no image could be read
    record = tally_of(pieces).record(True, **ORIGIN)
    assert record.asked_counts == torch.bincount(asked, minlength=CLASSES).tolist()
    assert record.annotated_counts == torch.bincount(given, minlength=CLASSES).tolist()
    assert record.agreement == float((asked == given).double().mean())
    assert record.confidence_histogram == torch.histc(sure, 20, 0, 1).long().tolist()
    assert record.confidence_median == float(sure.median())


def test_where_nothing_is_asked_nothing_agrees(tmp_path: Path) -> None:
    """Counts of labels asked for and agreement are None."""
    pieces = pieces_of(tmp_path, 1)
    put(pieces, 0, (None, torch.tensor([3, 3, 1]), torch.tensor([0.5, 0.75, 1.0])))
    record = tally_of(pieces).record(False, **ORIGIN)
    assert (record.asked_counts, record.agreement) == (None, None)
    assert (record.annotated_counts, record.confidence_median) == ([0, 1, 0, 2], 0.75)


def test_a_record_does_not_grow_with_its_images(tmp_path: Path) -> None:
    """The record of 100,000 images is as small as that of 100, and its column takes 4 bytes an image."""
    pieces, sizes = pieces_of(tmp_path, 2), []
    for number, total in enumerate((100, 100_000)):
        labels = torch.arange(total) % CLASSES
        put(pieces, number, (labels, labels, torch.rand(total)))
        sizes.append((tmp_path / FOLDER / f"piece-{number:05d}.json").stat().st_size)
    assert sizes[1] < sizes[0] + 200
    assert (tmp_path / FOLDER / "piece-00001.confidence").stat().st_size == 400_000


def test_a_broken_column_is_made_again(tmp_path: Path) -> None:
    """It is an error that says so, to be tried again, and its piece is to be done."""
    pieces = pieces_of(tmp_path, 1)
    put(pieces, 0, (None, torch.tensor([0]), torch.tensor([0.5])))
    (tmp_path / FOLDER / "piece-00000.confidence").write_bytes(b"\0\0\0\0")
    with pytest.raises(HalfrealError, match=r"piece-00000\.confidence: missing or altered") as error:
        tally_of(pieces)
    assert error.value.exit_code == 1
    assert pieces.todo() == [0]

"""Pseudo-labels: a few batches at a time give what all images at once would."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from jobs.synthesize import unlabelled
from shared.cli.progress import Reporter
from shared.data.specs import UNLABELLED
from shared.store.checkpoints import load
from shared.store.pseudo_labels import PSEUDO_LABELS


def test_blocks_give_what_the_whole_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probabilities of 23 images are never held at once, and labels and confidences are those of each image."""
    images = torch.arange(23, dtype=torch.uint8).view(23, 1, 1, 1).expand(23, 1, 8, 8)
    asked: list[int] = []

    def probabilities(network: object, part: Tensor) -> Tensor:
        asked.append(len(part))
        sure = part[:, 0, 0, 0].float() / 100 + 0.405
        return torch.stack([1 - sure, sure], dim=1)

    real: Any = SimpleNamespace(dataset=SimpleNamespace(splits={UNLABELLED: None}, classes=["a", "b"]))
    run: Any = SimpleNamespace(input=lambda row: real, folder=tmp_path, device="cpu", reporter=Reporter("synthesize"))
    monkeypatch.setattr(unlabelled, "load_classifier", lambda *_: SimpleNamespace(input_format=(8, "box")))
    monkeypatch.setattr(unlabelled, "load_split", lambda *_: SimpleNamespace(pixels=images))
    monkeypatch.setattr(unlabelled, "memory_plan", lambda _: "in memory")
    monkeypatch.setattr(unlabelled, "probabilities_of", probabilities)
    monkeypatch.setattr(unlabelled, "batch_for", lambda size_px: 5)
    monkeypatch.setattr(unlabelled, "BLOCK_BATCHES", 2)
    assert unlabelled.annotate_unlabelled(run) == [10, 13]
    assert asked == [10, 10, 3]
    stored, _ = load((tmp_path / PSEUDO_LABELS).read_bytes(), "labels")
    sure = torch.arange(23) / 100 + 0.405
    assert stored["labels"].tolist() == (sure >= 0.5).long().tolist()
    torch.testing.assert_close(stored["confidence"], torch.maximum(sure, 1 - sure))

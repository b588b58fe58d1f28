"""What the annotator says of the unlabelled real images: a file of the synthetic dataset, whose images it annotates."""

from pathlib import Path

from torch import Tensor

from shared.errors import FormatError
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load, save
from shared.store.records.datasets import SyntheticRecord

PSEUDO_LABELS = "unlabelled.safetensors"


def save_pseudo_labels(folder: Path, labels: Tensor, confidence: Tensor) -> None:
    """Write label (N,) and confidence (N,) of every unlabelled image of the real dataset, in its own order."""
    save(folder / PSEUDO_LABELS, {"labels": labels, "confidence": confidence}, {})


def load_pseudo_labels(synthetic: Artifact[SyntheticRecord]) -> tuple[Tensor, Tensor]:
    """Return labels, int64 (N,), and confidence, float32 (N,) in [0, 1]; FormatError where they are not there."""
    with synthetic.remedy():
        where = str(synthetic.folder / PSEUDO_LABELS)
        tensors = load(synthetic.read(PSEUDO_LABELS), where)[0]
        if not {"labels", "confidence"} <= tensors.keys():
            raise FormatError(f"{where}: holds {', '.join(tensors)}; want labels and confidence")
    return tensors["labels"], tensors["confidence"]

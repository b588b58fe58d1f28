"""Generate, annotate and write in one pass: images go from the generator's batch straight into a shard."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from shared.chance import mix
from shared.classify import CLASSIFIER_FILE, load_classifier, probabilities_of
from shared.distributed import pick_device
from shared.files import sha256
from shared.format.manifest import Dataset
from shared.format.sample import Sample
from shared.format.shards import write_split
from shared.job import Run
from shared.resizing import resized
from shared.shares import apportion, spread
from shared.snapshots import draw_images, latents_of, load_snapshot

BATCH_IMAGES = 256
CONFIDENCE_BINS = 20


@dataclass
class Tally:
    """What the pass counts: the label asked for, the label given and the confidence of each image.

    Nothing is asked of an unconditional generator: `asked_counts` and `agreement` are None then.
    """

    conditional: bool
    asked: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)

    def facts(self, classes: int) -> dict[str, Any]:
        """Return the counts as the manifest stores them."""
        sure, asked, given = (torch.tensor(found) for found in (self.confidence, self.asked, self.given))
        asking = self.conditional
        return {
            "asked_counts": torch.bincount(asked, minlength=classes).tolist() if asking else None,
            "annotated_counts": torch.bincount(given, minlength=classes).tolist(),
            "agreement": float((asked == given).double().mean()) if asking else None,
            "confidence_histogram": torch.histc(sure, CONFIDENCE_BINS, 0, 1).long().tolist(),
            "confidence_median": float(sure.median()),
        }


def write_synthetic(run: Run, total: int, shard_images: int, seed: int) -> tuple[Dataset, dict[str, Any]]:
    """Write `total` annotated images as the split `train`; return the dataset's description and the facts.

    Images are written at the size that the annotator sees, brought there by its own filter.
    """
    real, gan, scores, classifier = (run.inputs[name] for name in ("real", "gan", "scores", "classifier"))
    info, tally = real.dataset, Tally(gan.facts["conditional"])
    size_px, resize_filter = classifier.facts["size_px"], classifier.facts["resize_filter"]
    with run.talk.bar("synthesize", total, "images") as bar:

        def counted() -> Iterator[Sample]:
            for sample in _samples(run, total, seed, tally):
                yield sample
                bar.advance()

        split = write_split(run.folder, "train", counted(), class_count=len(info.classes), shard_images=shard_images)
    dataset = Dataset(
        classes=info.classes,
        size_px=size_px,
        channels=info.channels,
        preparation={
            "generated_at_px": info.size_px,
            "resize_filter": resize_filter,
            "resizer": "Pillow" if size_px != info.size_px else "none needed",
            "quantisation": "uint8, rounded half to even",
        },
        splits={"train": split},
    )
    facts = {"snapshot": scores.facts["chosen"], "family": gan.facts["family"], **tally.facts(len(info.classes))}
    return dataset, facts


def _samples(run: Run, total: int, seed: int, tally: Tally) -> Iterator[Sample]:
    """Yield annotated samples: labels are asked for in the train split's proportions, the annotator gives its own.

    An unconditional generator is asked for nothing, so its samples have no `asked_label`.
    """
    real, gan, classifier, scores = (run.inputs[name] for name in ("real", "gan", "classifier", "scores"))
    device = pick_device(run.device)
    chosen = scores.facts["chosen"]["file"]
    network, annotator = load_snapshot(gan, chosen, device), load_classifier(classifier, device)
    origin = {"generator_sha256": sha256(gan.read(chosen)), "snapshot": chosen}
    hashed = sha256(classifier.read(CLASSIFIER_FILE))
    asked = torch.from_numpy(spread(apportion(real.dataset.splits["train"].class_counts, total)))
    for start in range(0, total, BATCH_IMAGES):
        labels = asked[start : start + BATCH_IMAGES]
        seeds = [mix(seed, 6, start + offset) for offset in range(len(labels))]
        images = draw_images(network, latents_of(seeds, gan.facts["latent"]), labels)
        images = resized(images, *annotator.sees)
        confidence, given = probabilities_of(annotator, images).cpu().max(dim=1)
        tally.asked += labels.tolist()
        tally.given += given.tolist()
        tally.confidence += confidence.tolist()
        for offset, pixels in enumerate(images.permute(0, 2, 3, 1).numpy()):
            asked_for = {"asked_label": int(labels[offset])} if tally.conditional else {}
            yield Sample(
                key=f"synthetic-{start + offset:08d}",
                image=pixels,
                label=int(given[offset]),
                meta={
                    "origin": {**origin, "latent_seed": seeds[offset], **asked_for},
                    "annotation": {"classifier_sha256": hashed, "confidence": round(float(confidence[offset]), 6)},
                },
            )

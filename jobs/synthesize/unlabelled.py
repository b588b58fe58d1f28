"""The unlabelled real images, named by the annotator that names the synthetic ones: pseudo-labels (Lee 2013)."""

import torch

from jobs.pipeline import PREPROCESS, TRAIN_CLASSIFIER
from shared.cli.run import Run
from shared.data.decoded.plan import memory_plan
from shared.data.images import load_split
from shared.data.specs import UNLABELLED
from shared.models.fitting import load_classifier, probabilities_of
from shared.models.inference import batch_for
from shared.runtime.devices import pick_device
from shared.store.pseudo_labels import save_pseudo_labels

BLOCK_BATCHES = 32
"""Batches whose probabilities are held at once."""


def annotate_unlabelled(run: Run) -> list[int] | None:
    """Write the annotator's label of each unlabelled image and its confidence; return the labels' counts by class.

    None, and no file, where the real images have no such split.
    """
    real = run.input(PREPROCESS)
    if UNLABELLED not in real.dataset.splits:
        return None
    annotator = load_classifier(run.input(TRAIN_CLASSIFIER), pick_device(run.device))
    run.reporter.info(memory_plan([(real, UNLABELLED)]), event="memory")
    images = load_split(real, UNLABELLED).pixels
    # whole batches at a time: probabilities of all images and classes may be larger than the images
    block = BLOCK_BATCHES * batch_for(annotator.input_format[0] or images.shape[-1])
    found = [probabilities_of(annotator, part).cpu().max(dim=1) for part in images.split(block)]
    confidence, labels = torch.cat([sure for sure, _ in found]), torch.cat([given for _, given in found])
    # as many digits as synthetic images have, so that one least confidence means the same for both
    save_pseudo_labels(run.folder, labels, confidence.round(decimals=6))
    return torch.bincount(labels, minlength=len(real.dataset.classes)).tolist()

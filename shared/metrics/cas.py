"""Classification accuracy score: how well a classifier trained on synthetic images alone does on real ones.

Ravuri and Vinyals 2019, "Classification Accuracy Score for Conditional Generative Models".
"""

import numpy as np
import torch

from shared.attributes import attributes_in
from shared.data.images import Images
from shared.data.sampling import stratified
from shared.metrics.classification import score_table
from shared.models.fit_options import FitConfig
from shared.models.fitting import fit, logits_of
from shared.store.records.scores import SyntheticOnly

HELD_OUT = 0.1
"""The share of the synthetic images that chooses the classifier's weights, so that no real image does."""


def classification_accuracy_score(
    drawn: Images, reference: Images, classes: int, seed: int, device: torch.device, config: FitConfig | None = None
) -> SyntheticOnly:
    """Return the accuracy, in [0, 1], on `reference` of a classifier that was trained on the images `drawn` alone.

    `drawn` has at least 4 images; a stratified tenth of them, at least 2, decides which weights are used.
    """
    config = config or FitConfig()
    # synthetic images choose the weights too: the score must owe nothing to real images other than `reference`
    count = max(round(HELD_OUT * len(drawn)), 2)
    held_out = stratified(drawn.labels.numpy(), count, seed)
    trained_on = np.setdiff1d(np.arange(len(drawn)), held_out)
    fitted = fit(drawn.subset(trained_on), drawn.subset(held_out), classes, config, seed=seed, device=device)
    predicted = logits_of(fitted.network, reference.pixels).argmax(dim=1).cpu()
    attributes = [str(place) for place in range(attributes_in(classes))]
    names = [str(label) for label in range(classes)]
    table = score_table(reference.labels.numpy(), predicted.numpy(), names, attributes)
    return SyntheticOnly(
        accuracy=table.accuracy,
        f1=table.f1,
        n_real=len(reference),
        n_synthetic=len(trained_on),
        steps=config.steps,
        seed=seed,
    )

"""What annotators see: the experiment's own sees all labels, those of arms must not."""

import pytest
import torch

from jobs.train_mixed.arms import ARMS, OWN
from shared.data.images import load_split
from shared.models.fitting import load_classifier
from tests.experiment.conftest import REPLICATES, Mixed, Tiny
from tests.experiment.tiny import FILTER, SEEN_PX, TRAIN, same, seen

OWN_ARMS = [name for name, arm in ARMS.items() if arm.labels == OWN]

every_replicate = pytest.mark.parametrize("replicate", range(REPLICATES))


@every_replicate
def test_the_annotator_learns_from_images_resized_by_the_filter_that_it_records(replicate: int, tiny: Tiny) -> None:
    """It is trained on all of train and chosen on val, both resized by Pillow with the filter that it records."""
    found = tiny.replicates[replicate]
    assert same(found.annotator.train, seen(tiny.made["real"], "train"))
    assert same(found.annotator.val, seen(tiny.made["real"], "val"))
    assert load_classifier(found.made["classifier"], torch.device("cpu")).input_format == (SEEN_PX, FILTER)


def test_one_arm_has_an_annotator_of_its_own(mixed: Mixed) -> None:
    """The other arms fit no annotator."""
    assert {name for name, _ in mixed.annotators} == set(OWN_ARMS) == {"synthetic_70_real_30_own"}


@pytest.mark.parametrize("name", OWN_ARMS)
@every_replicate
def test_an_annotator_of_the_arms_own_sees_the_arms_real_images_alone(
    name: str, replicate: int, mixed: Mixed, tiny: Tiny
) -> None:
    """It is trained on exactly its arm's real images and chosen on val: no other label enters the arm."""
    annotator, arm = mixed.annotators[name, replicate], mixed.arms[name, replicate]
    n_real, _ = ARMS[name].counts(TRAIN)
    assert same(annotator.train, arm.train.subset(range(n_real)))
    assert same(annotator.val, seen(tiny.made["real"], "val"))
    assert annotator.extras.augment is None


@pytest.mark.parametrize("name", OWN_ARMS)
@every_replicate
def test_the_arms_own_annotator_gives_the_labels(name: str, replicate: int, mixed: Mixed, tiny: Tiny) -> None:
    """The labels of the arm's synthetic images are its annotator's most likely classes."""
    n_real, n_synthetic = ARMS[name].counts(TRAIN)
    synthetic = load_split(tiny.replicates[replicate].made["synthetic"], "train")
    with torch.no_grad():
        logits = mixed.annotators[name, replicate].network.eval()(synthetic.images[:n_synthetic].float() / 127.5 - 1)
    given = mixed.arms[name, replicate].train.labels[n_real:]
    assert torch.equal(given, logits.argmax(dim=1))


def test_no_two_classifiers_of_a_replicate_start_alike(mixed: Mixed, tiny: Tiny) -> None:
    """The seed of an annotator, of all labels or of an arm's own, differs from the arms', and between replicates."""
    arms = {fitted.seed for fitted in mixed.arms.values()}
    annotators = [*(fitted.seed for fitted in mixed.annotators.values()), *(r.annotator.seed for r in tiny.replicates)]
    assert not arms & set(annotators)
    assert len(set(annotators)) == len(annotators)

"""Training sets: which images of an arm, with whose labels, and what that lets its networks see."""

import pytest
import torch

from jobs.train_mixed.arms import ARMS, ASKED, GIVEN, OWN, chosen_arms
from jobs.train_mixed.mixing import Synthetic, training_set
from shared.data.images import Images
from shared.data.sampling import spread
from shared.errors import BadInput


def numbered(total: int, classes: int = 4, offset: int = 0) -> Images:
    """Return images of one pixel whose value, in four uint8 channels, is their index plus `offset`."""
    numbers = torch.arange(total) + offset
    digits = [(numbers // 256**power % 256) for power in range(4)]
    return Images(torch.stack(digits, dim=1).to(torch.uint8)[:, :, None, None], torch.arange(total) ** 2 % classes)


def drawn(total: int, offset: int = 10_000, asked: bool = True) -> Synthetic:
    """Return numbered synthetic images; the requested class is the label plus one, confidence rises from 0 to 1."""
    images = numbered(total, offset=offset)
    return Synthetic(
        images, (images.labels + 1) % 4 if asked else None, torch.linspace(0, 1, max(total, 1))[:total], total
    )


def numbers(images: Images) -> list[int]:
    """Return the indexes that `numbered` wrote into these images."""
    weights = 256 ** torch.arange(4)
    return (images.images.flatten(1).long() * weights).sum(dim=1).tolist()


@pytest.mark.parametrize("seed", [0, 5])
def test_arms_with_the_same_real_share_use_the_same_real_images(seed: int) -> None:
    """The mixed arm is exactly the 30 % arm's real images plus synthetic ones: the comparison is paired."""
    real, synthetic = numbered(200), drawn(180)
    alone, n_real, _ = training_set("real_30", real, synthetic, seed, 0)
    mixed, m_real, m_synthetic = training_set("synthetic_70_real_30", real, synthetic, seed, 0)
    assert (n_real, m_real, m_synthetic) == (60, 60, 140)
    assert numbers(mixed)[:60] == numbers(alone)
    assert numbers(mixed)[60:] == list(range(10_000, 10_140))
    assert torch.equal(mixed.labels[:60], real.labels[torch.tensor(numbers(alone))])


def test_the_real_images_are_drawn_by_seed_without_repeats() -> None:
    """Another seed draws other real images; none is drawn twice; the arm of all real images has them all."""
    real, synthetic = numbered(200), drawn(0)
    draws = [numbers(training_set("real_30", real, synthetic, seed, 0)[0]) for seed in (0, 1)]
    assert draws[0] != draws[1]
    assert len(set(draws[0])) == 60
    assert numbers(training_set("real_100", real, synthetic, 0, 0)[0]) == list(range(200))


def test_the_real_images_are_stratified() -> None:
    """30 % of the real images are 30 % of each class, to within one image."""
    real = numbered(200, classes=7)
    chosen = training_set("real_30", real, drawn(0), 0, 0)[0]
    whole, part = (torch.bincount(images.labels, minlength=7) for images in (real, chosen))
    assert ((part - 0.3 * whole).abs() <= 1).all()


@pytest.mark.parametrize("name", [name for name, arm in ARMS.items() if arm.synthetic_share])
def test_every_fit_of_a_replicate_has_synthetic_images_of_its_own(name: str) -> None:
    """Fit f takes the n images from f * n on, modulo all of them; the first fit takes the first n."""
    real, total = numbered(40), 170
    n_real, n_synthetic = ARMS[name].counts(40)
    for draw in range(5):
        chosen = training_set(name, real, drawn(total), 7, draw)[0]
        wanted = [10_000 + (draw * n_synthetic + place) % total for place in range(n_synthetic)]
        assert numbers(chosen)[n_real:] == wanted
        assert len(set(wanted)) == n_synthetic


def test_every_window_has_the_proportions_of_the_classes() -> None:
    """Classes spread evenly over the set are spread evenly over each fit's window, also where it wraps around."""
    counts = [60, 30, 10]
    labels = torch.from_numpy(spread(counts))
    images = Images(numbered(100).images, labels)
    synthetic = Synthetic(images, None, torch.ones(100), 100)
    for draw in range(4):
        chosen = training_set("synthetic_only", numbered(50), synthetic, 0, draw)[0]
        found = torch.bincount(chosen.labels, minlength=3)
        assert ((found - 0.35 * torch.tensor(counts)).abs() <= 1.5).all(), found


def test_a_copied_arm_has_its_real_images_twice() -> None:
    """All real images, then the same once more with their labels; none is synthetic."""
    real = numbered(50)
    chosen, n_real, n_synthetic = training_set("real_100_copied", real, drawn(90), 0, 0)
    assert (n_real, n_synthetic) == (50, 0)
    assert numbers(chosen) == [*range(50), *range(50)]
    assert torch.equal(chosen.labels, real.labels.repeat(2))


@pytest.mark.parametrize("name", [name for name, arm in ARMS.items() if arm.labels == GIVEN])
@pytest.mark.parametrize("asked", [True, False])
def test_given_labels_are_those_asked_for_where_there_are_any(name: str, asked: bool) -> None:
    """The class asked for of a conditional generator, the annotator's label of another one."""
    real, synthetic = numbered(50), drawn(150, asked=asked)
    n_real, n_synthetic = ARMS[name].counts(50, 150)
    given = training_set(name, real, synthetic, 0, 0)[0].labels[n_real:]
    annotated = synthetic.images.labels[:n_synthetic]
    assert torch.equal(given, (annotated + 1) % 4 if asked else annotated)


@pytest.mark.parametrize("name", ARMS)
def test_the_real_images_of_an_arm_are_the_share_that_it_says(name: str) -> None:
    """The classifier's share in the information row is the share of different real images that the arm is fitted to."""
    chosen = training_set(name, numbered(200), drawn(600), 3, 0)[0]
    distinct = {number for number in numbers(chosen) if number < 10_000}
    assert len(distinct) == round(200 * ARMS[name].information(conditional=True).classifier)


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("name", ARMS)
def test_the_information_is_what_the_labels_and_images_carry(name: str, conditional: bool) -> None:
    """A generator counts where there are synthetic images; the annotator where its labels are what is trained on."""
    arm, n_real = ARMS[name], ARMS[name].counts(200)[0]
    if arm.labels == ASKED and not conditional:
        return  # there is no such arm: see test_nothing_can_be_asked_of_an_unconditional_generator
    synthetic = drawn(600, asked=conditional)
    chosen = training_set(name, numbered(200), synthetic, 3, 0)[0]
    places = torch.tensor([number - 10_000 for number in numbers(chosen)])
    made = places >= 0
    by_annotator = bool(made.any()) and torch.equal(chosen.labels[made], synthetic.images.labels[places[made]])
    said = arm.information(conditional, unlabelled=True)
    # what is added are synthetic images, or unlabelled ones in their place
    assert said.generator == said.generator_unlabelled == float(made.any() and not arm.pseudo)
    assert said.classifier_unlabelled == float(arm.pseudo)
    # an annotator of the arm's own replaces the labels before the arm draws from them
    assert said.annotator == (arm.annotator_share if arm.labels == OWN else float(by_annotator))
    assert said.classifier == arm.real_share
    assert n_real == round(200 * said.classifier)


def test_the_synthetic_arm_has_no_real_image() -> None:
    """The synthetic-only arm has no real image."""
    chosen, n_real, n_synthetic = training_set("synthetic_only", numbered(100), drawn(70, offset=500), 0, 0)
    assert (n_real, n_synthetic, numbers(chosen)) == (0, 70, list(range(500, 570)))


def test_too_few_synthetic_images_are_refused() -> None:
    """An arm with too few synthetic images says how many it needs and what to run."""
    with pytest.raises(BadInput) as caught:
        training_set("synthetic_only", numbered(100), drawn(69), 0, 0)
    needs = "arm synthetic_only needs 70 synthetic images; there are 69"
    assert str(caught.value) == f"{needs}\nrun synthesize with --share 0.7 or more"


def passing(total: int, usable: int) -> Synthetic:
    """Return the synthetic images that pass a filter."""
    whole = drawn(total)
    sure = torch.arange(total) < usable
    return Synthetic(whole.images, whole.asked, sure.float(), total).confident(0.9)


def test_a_share_that_suffices_is_named() -> None:
    """864 of 879 images pass, so 879 need 895 (894.3, rounded up): 0.712 of 1,257, rounded up."""
    with pytest.raises(BadInput) as caught:
        training_set("synthetic_70_real_30", numbered(1257), passing(879, 864), 0, 0)
    assert str(caught.value).splitlines() == [
        "arm synthetic_70_real_30 needs 879 synthetic images; 864 of 879 synthetic images pass --min-confidence",
        "run synthesize with --share 0.72 or more, or lower --min-confidence",
    ]


def test_where_no_image_passes_no_share_suffices() -> None:
    """Then more images are no help, but a lower limit is."""
    with pytest.raises(BadInput, match="; 0 of 70 synthetic images pass --min-confidence; lower") as caught:
        training_set("synthetic_only", numbered(100), passing(70, 0), 0, 0)
    assert "--share" not in str(caught.value)


def test_asked_labels_take_the_place_of_annotations() -> None:
    """The same images, in the same order, with the class that the generator was asked for."""
    real, synthetic = numbered(100), drawn(70)
    annotated = training_set("synthetic_only", real, synthetic, 0, 0)[0]
    asked = training_set("synthetic_only_asked", real, synthetic, 0, 0)[0]
    assert numbers(asked) == numbers(annotated)
    assert torch.equal(asked.labels, (annotated.labels + 1) % 4)


def test_nothing_can_be_asked_of_an_unconditional_generator() -> None:
    """Its arms with requested classes are dropped from a group, and refused if named."""
    assert not [name for name in chosen_arms("all", conditional=False) if ARMS[name].labels == ASKED]
    with pytest.raises(BadInput, match="asked for no class"):
        training_set("synthetic_only_asked", numbered(100), drawn(70, asked=False), 0, 0)


def test_a_filter_keeps_the_confident() -> None:
    """Images at or above the least confidence stay, with their labels."""
    synthetic = drawn(101)
    kept = synthetic.confident(0.75)
    assert numbers(kept.images) == list(range(10_075, 10_101))
    assert kept.asked is not None
    assert torch.equal(kept.asked, (kept.images.labels + 1) % 4)
    assert len(synthetic.confident(0.0).images) == 101

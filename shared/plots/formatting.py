"""Numbers in words, the same on the page, on the card and in the terminal."""

from shared.store.records.copies import ClosestPair
from shared.store.records.mixed import (
    Answer,
    ArmRow,
    EqualSteps,
    Estimate,
    Information,
    OptionalEstimate,
    RealImages,
    Variance,
)

NOT_LIKE_FOR_LIKE = "not like for like: the generator saw real images that the baseline did not"
"""What an answer is followed by whose arms saw different shares of the real images."""

TEST_MAY_BE_SEEN = "not like for like: the generator may have seen the test images"
"""The same where that is worse: synthetic images were imported and no real ones were held out."""

MOST_DECIMALS = 6


def percent(share: float) -> str:
    """Return a share as percent with one decimal."""
    return f"{100 * share:.1f}"


def side_words(score: str) -> str:
    """Return what follows a score's name: of an extrapolated one, which side is; nothing of others."""
    from shared.metrics.metric import extrapolated_side  # here, since tables alone need it
    from shared.models.tables import EXTRACTORS

    side = extrapolated_side(score, EXTRACTORS)
    return "" if side is None else f" ({side} side only)"


def real_images(number: RealImages, about: str = "") -> str:
    """Return a number of real images as read off the learning curve; `about` precedes one between its ends."""
    words = about if number.beyond is None else f"{number.beyond} than "
    return f"{words}{number.images:,}"


def bounds_decimals(*bounds: float) -> int:
    """Return the fewest decimals, at least one, with which no bound of an interval in points reads 0 unless it is."""
    # "+0.0 to +1.6" would leave open on which side of 0 the interval lies, which is what an answer is made of
    return next(
        (
            digits
            for digits in range(1, MOST_DECIMALS)
            if all(bound == 0 or round(abs(100 * bound), digits) > 0 for bound in bounds)
        ),
        MOST_DECIMALS,
    )


def signed_points(share: float, decimals: int = 1) -> str:
    """Return a difference of shares in percentage points, with its sign, the proper minus; 0.0 has none."""
    text = f"{100 * share:+.{decimals}f}"
    return text.replace("-", "\u2212") if float(text) else text[1:]


def level_text(level: float) -> str:
    """Return a confidence level in percent: 95 %, 98.3 %."""
    return f"{100 * level:.1f}".removesuffix(".0") + " %"


def detectable_points(answer: Answer) -> str:
    """Return the difference that the experiment finds four times in five, in points."""
    # no two accuracies differ by more: an experiment that needs as much finds nothing
    return "more than 100" if answer.detectable > 1 else percent(answer.detectable)


def detectable_sentence(answer: Answer) -> str:
    """Return how strong the experiment is, which bounds no answer and is printed apart from it."""
    return (
        f"An experiment like this one finds a difference of {detectable_points(answer)} points of test "
        f"{metric_name(answer.metric)} four times in five."
    )


def difference_points(found: Answer | EqualSteps) -> str:
    """Return a difference in points, with as many decimals as its interval."""
    return signed_points(found.difference, bounds_decimals(found.low, found.high))


def interval_points(found: Answer | EqualSteps) -> str:
    """Return the interval of a difference in points: "+0.2 to +1.1"."""
    digits = bounds_decimals(found.low, found.high)
    return f"{signed_points(found.low, digits)} to {signed_points(found.high, digits)}"


def spread(summary: Estimate | OptionalEstimate) -> str:
    """Return mean ± standard deviation in percent, or the mean alone where there is no spread."""
    mean = metric_value(summary)
    return mean if summary.std is None else f"{mean} ± {percent(summary.std)}"


UNDEFINED = "undefined"
"""What is shown in place of a metric that has nothing to divide by, and of its interval."""


def metric_value(estimate: Estimate | OptionalEstimate) -> str:
    """Return the mean of a metric in percent, or that it is undefined."""
    return UNDEFINED if estimate.mean is None else percent(estimate.mean)


def percent_interval(estimate: Estimate | OptionalEstimate) -> str:
    """Return the interval of a metric in percent, "95.0 to 98.7".

    Where some replicates have no value there is no interval, but in how many; nothing where none has. Where all have
    one, an image without which there would be none leaves the interval undefined.
    """
    if estimate.low is not None and estimate.high is not None:
        return f"{percent(estimate.low)} to {percent(estimate.high)}"
    if estimate.mean is None:
        return ""
    lacking = sum(value is None for value in estimate.values)
    if not lacking:
        return f"interval {UNDEFINED}"
    return f"{UNDEFINED} in {lacking} of {len(estimate.values)}"


CLASS_METRICS = {"precision": "precision", "recall": "recall", "f1": "F1"}
"""The metrics of one class as a reader knows them."""


def metric_name(name: str, positive_class: str | None = None) -> str:
    """Return a metric of all classes as a reader knows it; the ROC-AUC with the positive one of two."""
    if name in CLASS_METRICS:
        return f"macro {CLASS_METRICS[name]}"
    if name == "roc_auc":
        return f"ROC-AUC, positive class: {positive_class}" if positive_class else "ROC-AUC"
    return name.replace("_", " ")


def seen(share: float, train_images: int) -> str:
    """Return how many real images a network saw, of the real train images: "all 1,257", "377 (30 %)", "none"."""
    from shared.data.sampling import floor_share  # here, since most of what is written needs no numpy

    if share == 0:
        return "none"
    # as the arms are cut: 30 % are what 70 % leave
    count = train_images - floor_share(1 - share, train_images)
    return f"all {train_images:,}" if share >= 1 else f"{count:,} ({100 * share:.3g} %)"


def saw(
    information: Information, train_images: int, imported: bool = False, unlabelled: int | None = None
) -> dict[str, str]:
    """Return what each network of an arm saw of the real images and their labels, in words.

    Nobody here knows what the generator of `imported` images saw. No network has the labels of the `unlabelled` ones.
    """
    shares = (information.classifier, information.generator, information.annotator)
    names = ("classifier", "generator", "annotator")
    said = {name: seen(share, train_images) for name, share in zip(names, shares, strict=True)}
    more = {"classifier": information.classifier_unlabelled, "generator": information.generator_unlabelled}
    for name, share in more.items():
        if unlabelled and share:
            # a generator of these learns from no label, those of train included
            each = "all without labels" if name == "generator" else "with the annotator's labels"
            said[name] = f"{said[name]}, and {seen(share, unlabelled)} unlabelled ones, {each}"
    if imported and information.generator > 0:
        said["generator"] = f"may have seen {said['generator']}"
    return said


def like_for_like(answer: Answer, test_seen: bool | None = False) -> str:
    """Return whether both arms of an answer saw the same real images, in words; `test_seen` is the protocol's."""
    if answer.like_for_like:
        return "like for like"
    return TEST_MAY_BE_SEEN if test_seen else NOT_LIKE_FOR_LIKE


def synthetic_count(arm: ArmRow) -> str:
    """Return how many synthetic images an arm has: "500", or "480 to 500" where replicates differ."""
    most = "" if arm.n_synthetic_most is None else f" to {arm.n_synthetic_most:,}"
    return f"{arm.n_synthetic:,}{most}"


def pseudo_count(*arms: ArmRow) -> str:
    """Return how many unlabelled images the first of `arms` that has any has, as `synthetic_count`; "0" without any."""
    arm = next((arm for arm in arms if arm.n_pseudo is not None), None)
    if arm is None:
        return "0"
    return f"{arm.n_pseudo:,}" + ("" if arm.n_pseudo_most is None else f" to {arm.n_pseudo_most:,}")


def labelled_count(arm: ArmRow) -> str:
    """Return how many real images with their labels an arm has: "500", or "480 to 500" where replicates differ."""
    most = "" if arm.n_real_most is None else f" to {arm.n_real_most:,}"
    return f"{arm.n_real:,}{most}"


def real_count(arm: ArmRow) -> str:
    """Return how many real images an arm has: "500", or "50 + 450 unlabelled"."""
    more = "" if arm.n_pseudo is None else f" + {pseudo_count(arm)} unlabelled"
    return f"{labelled_count(arm)}{more}"


SOURCES = {"generator": "generators", "fit": "fits of the classifier", "images": "test images"}
"""Where variance comes from, by the field of the record, as a reader sees it."""


def variance_shares(variance: Variance | None) -> dict[str, float | None]:
    """Return the shares of the variance by the words of their source; None where the experiment cannot tell."""
    return {words: getattr(variance, name) if variance else None for name, words in SOURCES.items()}


def variance_words(variance: Variance | None) -> str:
    """Return in a sentence where the variance of the headline's difference comes from."""
    shares = variance_shares(variance)
    if all(share is None for share in shares.values()):
        return "Where the variance of the headline's difference comes from is not known."
    said = [f"{words} {'not known' if share is None else f'{100 * share:.0f} %'}" for words, share in shares.items()]
    return f"The variance of the headline's difference: {', '.join(said)}."


def pair_title(pair: ClosestPair) -> str:
    """Return the distance of a pair and what the synthetic image is of the other, in lines as narrow as a picture."""
    return "\n".join([f"{pair.distance:.2f}", *(pair.transform or "").replace(" and ", "\nand ").split(", ")])

"""The table of what was searched, and what was confirmed, as lines of Markdown."""

from collections.abc import Iterator
from pathlib import Path

from jobs.train_mixed.verdict import judged
from shared.plots.formatting import bounds_decimals
from shared.stats.confidence import LEVEL_TEXT, other_level
from tests.checks.helps.choice import Choice, Chosen, Searched, gan_named, read_choice, searched
from tests.checks.helps.images import CONFIRM, SEARCH
from tests.checks.helps.phases import PHASES, Comparison, Found, all_found
from tests.checks.helps.settings import AUGMENTED, BASELINE, CLASSIFIERS, COPIED, GANS, PLUS_ALL


def lines(out: Path) -> Iterator[str]:
    """Yield what was searched, a line for each GAN with each classifier, then what was confirmed."""
    settings = list(searched(list(all_found(out, SEARCH)), {gan.name: gan for gan in GANS}))
    amounts = list(dict.fromkeys(times(gan.name, arm) for gan in GANS for arm in gan.arms))
    yield f"| GAN | classifier | real alone | {' | '.join(f'{amount} synthetic' for amount in amounts)} |"
    yield "|---" * (3 + len(amounts)) + "|"
    for gan in GANS:
        for classifier in CLASSIFIERS:
            mine = [setting for setting in settings if (setting.gan, setting.classifier) == (gan.name, classifier)]
            if mine:
                yield row(mine, amounts)
    yield ""
    yield (
        f"searched: {len(settings)} settings of {len({setting.gan for setting in settings})} GANs,"
        f" {PHASES[SEARCH].replicates} replicates each; {above(settings)} intervals ({LEVEL_TEXT}) lie above 0, "
        f"{below(settings)} below, uncorrected"
    )
    choice = read_choice(out / CONFIRM / "choice.json")
    if choice is None:
        return
    if choice.searched != len(settings):
        yield f"the confirmed ones were chosen of {choice.searched}"
    confirmed = {(found.gan, found.classifier): found for found in all_found(out, CONFIRM)}
    for chosen in choice.settings:
        found = confirmed.get((chosen.gan, chosen.classifier))
        yield from ["", *([f"not confirmed yet: {named(chosen)}"] if found is None else answer(chosen, found, choice))]


def above(settings: list[Searched]) -> int:
    """Return how many intervals of the search lie above 0."""
    return sum(setting.comparison.low > 0 for setting in settings)


def below(settings: list[Searched]) -> int:
    """Return how many intervals of the search lie below 0."""
    return sum(setting.comparison.high < 0 for setting in settings)


def row(settings: list[Searched], amounts: list[str]) -> str:
    """Return the line of a GAN with a classifier: the difference of each amount, and what was flagged as copies."""
    first = settings[0]
    copies = f" (copies: {', '.join(first.found.copies)})" if first.found.copies else ""
    by_amount = {times(setting.gan, setting.arm): points(setting.comparison) for setting in settings}
    differences = " | ".join(by_amount.get(amount, "-") for amount in amounts)
    real = 100 * first.found.accuracy[BASELINE]
    return f"| {first.gan}{copies} | {first.classifier} | {real:.1f} % | {differences} |"


def answer(chosen: Chosen, found: Found, choice: Choice) -> Iterator[str]:
    """Yield what the confirmation of a setting showed: the headline, and its controls, which share a level."""
    headline = found.comparison(chosen.arm, BASELINE)
    low, high = headline.at(choice.level)
    # by the product's rule: a gain from what may be copies is no gain from new images
    said = judged(low, high, copied=bool(found.copies))
    yield (
        f"confirmed: {named(chosen)}: {said}, {points(headline, choice.level)}"
        f" at {100 * choice.level:g} %, {len(found.seeds)} replicates, {found.n_test:,} test images"
    )
    yield f"accuracies: {', '.join(f'{arm} {100 * value:.1f} %' for arm, value in found.accuracy.items())}"
    yield f"flagged as copies: {', '.join(found.copies) or 'none'}"
    controls = [(chosen.arm, COPIED), (chosen.arm, AUGMENTED[0]), (AUGMENTED[1], AUGMENTED[0])]
    level = other_level(len(controls) * len(choice.settings))
    for a, b in controls:
        yield f"control: {a} less {b}: {points(found.comparison(a, b), level)} at {100 * level:.1f} %"


def named(chosen: Chosen) -> str:
    """Return a setting in words."""
    return f"{chosen.gan}, {chosen.classifier}, {times(chosen.gan, chosen.arm)} as many synthetic images added"


def times(gan: str, arm: str) -> str:
    """Return how many synthetic images an arm has for each real one."""
    amount = gan_named(gan).share if arm == PLUS_ALL else int(arm.rpartition("_")[2]) / 100
    return f"{amount:g} x"


def points(comparison: Comparison, level: float | None = None) -> str:
    """Return a difference and its interval in points, with as many decimals as show whether it holds 0."""
    low, high = (comparison.low, comparison.high) if level is None else comparison.at(level)
    digits = bounds_decimals(low, high)
    said = [f"{100 * value:+.{digits}f}" for value in (comparison.difference, low, high)]
    return f"{said[0]} ({said[1]} to {said[2]})"

"""The table of what was searched, and what was confirmed, as lines of Markdown."""

from collections.abc import Iterator
from pathlib import Path

from jobs.train_mixed.verdict import judged
from shared.stats.confidence import LEVEL_TEXT, other_level
from tests.checks.helps.choice import Choice, Chosen, Searched, gan_named, read_choice, searched
from tests.checks.helps.images import CONFIRM, SEARCH
from tests.checks.helps.phases import PHASES, Comparison, Found, all_found
from tests.checks.helps.settings import AUGMENTED, BASELINE, COPIED, GANS, PLUS_ALL


def lines(out: Path) -> Iterator[str]:
    """Yield every setting that was searched, how many those are, then what was confirmed."""
    results = list(all_found(out, SEARCH))
    settings = list(searched(results, {gan.name: gan for gan in GANS}))
    yield f"| GAN | classifier | synthetic | real alone | difference, {LEVEL_TEXT} interval | copies |"
    yield "|---|---|---|---|---|---|"
    for setting in sorted(settings, key=lambda setting: -setting.comparison.low):
        yield row(setting)
    yield ""
    yield (
        f"searched: {len(settings)} settings of {len({found.gan for found in results})} GANs,"
        f" {PHASES[SEARCH].replicates} replicates each; {above(settings)} intervals lie above 0, uncorrected"
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


def row(setting: Searched) -> str:
    """Return the line of a setting that was searched."""
    copies = ", ".join(setting.found.copies) or "none"
    real = 100 * setting.found.accuracy[BASELINE]
    return (
        f"| {setting.gan} | {setting.classifier} | {times(setting.gan, setting.arm)} | {real:.1f} % |"
        f" {points(setting.comparison)} | {copies} |"
    )


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
    """Return a difference and its interval in points."""
    low, high = (comparison.low, comparison.high) if level is None else comparison.at(level)
    return f"{100 * comparison.difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"

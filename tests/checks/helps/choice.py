"""Which settings are confirmed: of each classifier the one whose interval lies highest in the search."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.stats.confidence import LEVEL
from tests.checks.helps.images import CONFIRM, SEARCH
from tests.checks.helps.phases import Comparison, Found, all_found
from tests.checks.helps.settings import BASELINE, CLASSIFIERS, GANS, Gan


class SearchWentOn(Exception):
    """Settings were searched after a choice was made: the confirmed ones would no longer be its best."""


class Unfinished(Exception):
    """Rows of the search are missing: a choice among the others would be kept for good."""


@dataclass(frozen=True)
class Searched:
    """A setting that was searched: a GAN, a classifier and an arm, compared with all real images."""

    gan: str
    classifier: str
    arm: str
    comparison: Comparison
    found: Found


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A setting that is confirmed."""

    gan: str
    classifier: str
    arm: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The settings that are confirmed, how many were searched, and their level: they share the usual 5 %."""

    settings: list[Chosen]
    searched: int

    @property
    def level(self) -> float:
        """The level of each confirmed interval (Bonferroni)."""
        return 1 - (1 - LEVEL) / max(len(self.settings), 1)


def gan_named(name: str) -> Gan:
    """Return the row of the table; KeyError where there is none."""
    return {gan.name: gan for gan in GANS}[name]


def searched(results: Sequence[Found], gans: Mapping[str, Gan]) -> Iterator[Searched]:
    """Yield every setting that has been searched."""
    for found in results:
        for arm in gans[found.gan].arms:
            yield Searched(found.gan, found.classifier, arm, found.comparison(arm, BASELINE), found)


def best(settings: Sequence[Searched]) -> list[Chosen]:
    """Return of each classifier the setting with the highest lower bound, in the order of the table of classifiers."""
    found = []
    for classifier in CLASSIFIERS:
        mine = [setting for setting in settings if setting.classifier == classifier]
        if mine:
            top = max(mine, key=lambda setting: setting.comparison.low)
            found.append(Chosen(gan=top.gan, classifier=classifier, arm=top.arm))
    return found


def check_finished(results: Sequence[Found]) -> None:
    """Raise Unfinished unless every GAN has been searched with every classifier."""
    there = {(found.gan, found.classifier) for found in results}
    missing = [(gan.name, each) for gan in GANS for each in CLASSIFIERS if (gan.name, each) not in there]
    if missing:
        raise Unfinished(
            f"not searched yet: {', '.join(f'{gan} with {classifier}' for gan, classifier in missing)}\n"
            "the best of the whole search is confirmed, once: run search first, or leave these rows out of the table"
        )


def choose(out: Path) -> Choice:
    """Return the choice from the whole search, and keep it: it is made once.

    Raises Unfinished before the search is, SearchWentOn where more or fewer settings have been searched since.
    """
    results = list(all_found(out, SEARCH))
    check_finished(results)
    settings = list(searched(results, {gan.name: gan for gan in GANS}))
    choice = Choice(settings=best(settings), searched=len(settings))
    path = out / CONFIRM / "choice.json"
    before = read_choice(path)
    if before is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(choice), indent=1) + "\n", encoding="utf-8")
    elif before != choice:
        raise SearchWentOn(
            f"{path}: chosen of {before.searched} settings, now there are {choice.searched}\n"
            "its test images have been seen: a search that goes on needs another --out and other confirming images"
        )
    return choice


def read_choice(path: Path) -> Choice | None:
    """Return the choice in a file; None where there is no file."""
    if not path.exists():
        return None
    facts = json.loads(path.read_text(encoding="utf-8"))
    return Choice(settings=[Chosen(**row) for row in facts["settings"]], searched=facts["searched"])

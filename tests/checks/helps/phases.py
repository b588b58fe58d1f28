"""The two phases, what they may not share, and what their experiments showed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.runtime.seeding import replicate_seed
from shared.stats.confidence import LEVEL, quantile
from tests.checks.helps.images import CONFIRM, SEARCH, Overlap


class OtherResult(Exception):
    """A result is there under this name, but of other options or other real images."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A phase: whose half of the images it takes, the seed of its experiments, how many replicates each has."""

    name: str
    seed: int
    replicates: int

    @property
    def seeds(self) -> list[int]:
        """The seeds of its replicates."""
        return [replicate_seed(self.seed, number) for number in range(self.replicates)]


PHASES: Mapping[str, Phase] = {
    SEARCH: Phase(name=SEARCH, seed=1000, replicates=3),
    CONFIRM: Phase(name=CONFIRM, seed=2000, replicates=5),
}


def check_seeds(search: Sequence[int], confirm: Sequence[int]) -> None:
    """Raise Overlap unless the confirmation has seeds of its own."""
    both = sorted({*search} & {*confirm})
    if both:
        raise Overlap(f"seeds {both} are in the search and in the confirmation; want none in both")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The accuracy of arm `a` less that of arm `b`; `values` has one difference for each replicate."""

    a: str
    b: str
    difference: float
    low: float
    high: float
    standard_error: float
    freedom: float
    values: list[float]

    def at(self, level: float) -> tuple[float, float]:
        """Return the ends of the interval at another level than `LEVEL`."""
        stretch = quantile(self.freedom, level) / quantile(self.freedom, LEVEL)
        middle = (self.low + self.high) / 2
        return middle + stretch * (self.low - middle), middle + stretch * (self.high - middle)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What an experiment showed with one classifier: accuracies by arm, comparisons, what was flagged as copies.

    `options` and `images`, the hash of the phase's half, are what it was made from; empty where an earlier version
    did not keep them.
    """

    gan: str
    classifier: str
    n_test: int
    seeds: list[int]
    accuracy: dict[str, float]
    comparisons: list[Comparison]
    copies: list[str]
    options: dict[str, str] = field(default_factory=dict)
    images: str = ""

    def comparison(self, a: str, b: str) -> Comparison:
        """Return the comparison of two arms; KeyError where there is none."""
        for row in self.comparisons:
            if (row.a, row.b) == (a, b):
                return row
        raise KeyError(f"{self.gan}, {self.classifier}: no comparison of {a} with {b}")


def result_path(out: Path, phase: str, gan: str, classifier: str) -> Path:
    """Return where the result of an experiment with one classifier is."""
    return out / phase / "results" / f"{gan}-{classifier}.json"


def write_found(path: Path, found: Found) -> None:
    """Write a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    unfinished.rename(path)


def read_found(path: Path) -> Found:
    """Return the result in a file."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    return Found(**{**facts, "comparisons": [Comparison(**row) for row in facts["comparisons"]]})


def check_made_from(path: Path, found: Found, options: Mapping[str, str], images: str) -> None:
    """Raise OtherResult unless a result was made from these options, and from the half with this hash."""
    names = sorted({*options, *found.options})
    changed = [name for name in names if options.get(name) != found.options.get(name)]
    changed += ["the real images"] if images != found.images else []
    if changed:
        raise OtherResult(
            f"{path}: made from other options or images than it would be now ({', '.join(changed)})\n"
            "take another --out, or remove this file: what is still right of the experiment is not trained again"
        )


def all_found(out: Path, phase: str) -> Iterator[Found]:
    """Yield every result of a phase, by name."""
    for path in sorted((out / phase / "results").glob("*.json")):
        yield read_found(path)

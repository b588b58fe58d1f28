"""The options of tune, checked: the space against the real options of train_gan, before the first trial."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jobs.commands.calls import command_of, options_of
from jobs.pipeline import PIPELINE
from jobs.tune.space import TUNABLE, Space, WrongSpace, parse_space
from shared.cli.common_options import COMMON_NAMES
from shared.errors import BadConfig
from shared.format.files import json_bytes, sha256

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact

OBJECTIVES = ("frechet", "synthetic_only")
"""What a trial is judged by, on val: its best Fréchet distance; the error of a classifier that saw its images alone."""


@dataclass(frozen=True, kw_only=True)
class TuneConfig:
    """How options are searched for. `train_gan` and `evaluate` are the recipe's own options, which trials vary.

    `others` has those of the other jobs, by job: no trial depends on them, but the tuned recipe names them too.

    At most `trials` trials are made, and none is begun `minutes` after the first. `epochs` is the length of a trial,
    None the recipe's. Of the trials that come to a rung of successive halving, one in `reduction` goes on; 1 lets all
    of them. Afterwards the recipe's own options and the best are trained from `seeds` seeds each.
    """

    trials: int
    minutes: float | None
    objective: str
    space: str
    reduction: int
    epochs: int | None
    seeds: int
    seed: int
    train_gan: dict[str, Any] = field(default_factory=dict)
    evaluate: dict[str, Any] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)

    def resolved(self) -> dict[str, Any]:
        """Return tune's own options."""
        return {name: value for name, value in asdict(self).items() if name not in ("train_gan", "evaluate", "others")}

    @cached_property
    def domains(self) -> Space:
        """The search space by `job.option`."""
        return parse_space(self.space, option_types())

    @property
    def fixed(self) -> dict[str, Any]:
        """The options of train_gan, by `job.option`, that every trial has."""
        return {} if self.epochs is None else {f"{TUNABLE}.epochs": self.epochs}

    @property
    def own(self) -> dict[str, Any]:
        """The recipe's own values of what the space varies; None where it has none."""
        return {name: self.train_gan.get(name.partition(".")[2]) for name in self.domains}

    @property
    def rungs(self) -> list[int]:
        """The epochs after which trials are compared: epochs / reduction^2 and epochs / reduction."""
        total = self.train_gan["epochs"]
        if self.reduction == 1:
            return []
        first = max(total // self.reduction**2, 1)
        return [epoch for epoch in (first, first * self.reduction) if epoch < total]

    def study(self, inputs: "Mapping[str, Artifact]") -> str:
        """Return twelve hexadecimal digits that stand for all that trials depend on: not how many there are."""
        parts = asdict(self) | dict.fromkeys(("trials", "minutes", "seeds", "others"))
        hashes = {name: artifact.sha256 for name, artifact in sorted(inputs.items())}
        return sha256(json_bytes([parts, hashes]))[:12]


def option_types() -> dict[str, str]:
    """Return what click calls the type of each option of train_gan."""
    return {str(param.name): param.type.name for param in command_of(TUNABLE).params if param.name not in COMMON_NAMES}


def make_config(place: Callable[..., str], words: list[str], **options: Any) -> TuneConfig:
    """Return the config of a call whose trials get `words`.

    Raises BadConfig for a wrong space; `place(*keys)` says where the part of it stands that `keys` lead to.
    """
    alone = TuneConfig(**options)
    try:
        for name, domain in alone.domains.items():
            for value in domain.probes:
                probe(name, value, words)
        found = {row.name: options_of(row.name, words, alone.fixed) for row in PIPELINE}
        return TuneConfig(**options, train_gan=found.pop(TUNABLE), evaluate=found.pop("evaluate"), others=found)
    except WrongSpace as error:
        raise BadConfig(f"{place(*error.keys)}: {error}") from error


def probe(name: str, value: Any, words: list[str]) -> None:
    """Let train_gan check one value of one option; WrongSpace with its reason if it refuses."""
    try:
        options_of(TUNABLE, words, {name: value})
    except BadConfig as error:
        raise WrongSpace(f"{name} = {value!r}: {' '.join(str(error).split())}", *name.split(".")) from error

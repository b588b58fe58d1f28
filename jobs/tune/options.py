"""The options of tune, checked: the space against the real options of train_gan, before the first trial."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

from jobs.pipeline import EVALUATE
from jobs.tune.space import TUNABLE, Space, WrongSpace, parse_space
from shared.cli.options import JobOptions, Within, option, recorded
from shared.errors import BadConfig
from shared.format.files import json_bytes, sha256
from shared.runtime.job_processes import Answer, ask
from shared.store.identity import identifying

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact
    from shared.store.records.base import Value

OBJECTIVES = ("frechet", "synthetic_only")
"""Scores on val: the best Fréchet distance, or the error of a classifier trained on the trial's images alone."""

TYPES: dict[str, type] = {kind.__name__: kind for kind in (bool, int, float, str)}
"""The types that options have, by name."""

DEFAULT_SPACE = (
    '{"train_gan": {"learning_rate": {"low": 1e-5, "high": 1e-2, "log": true}, '
    '"batch_images": [16, 32, 64, 128], "latent": [32, 64, 100, 128]}}'
)
"""What is searched where the recipe has no table [tune.space]: every family's own learning rate is in it."""


@dataclass(frozen=True, kw_only=True)
class TuneOptions(JobOptions):
    """How options are searched for.

    At most `trials` trials are made, and no new one starts `minutes` after the first. `epochs` is the length of a
    trial, None the recipe's. At each rung of successive halving 1 in `reduction` trials survives; 1: all do. Afterwards
    the recipe's own options and the best are trained from `seeds` seeds each.
    """

    trials: int = option(20, "Trials at most, over all workers.", "search", within=Within(1))
    minutes: float | None = option(
        None, "Time budget in minutes; no new trial starts after it.", "search", within=Within(0, above=True)
    )
    objective: str = option("frechet", "Score on val that trials lower.", "search", choices=OBJECTIVES)
    space: str = option(
        DEFAULT_SPACE,
        "Search space: options of train_gan, each with a list of values or a range.",
        "search",
        metavar="JSON",
        table=True,
    )
    reduction: int = option(
        2, "Successive halving: 1 in N trials survives a rung (1: no pruning).", "search", within=Within(1)
    )
    epochs: int | None = option(
        None, "Epochs of a trial; without it those of train_gan in the recipe.", "search", within=Within(1)
    )
    seeds: int = option(
        3, "Runs of the baseline and of the tuned options, compared on test.", "search", within=Within(1)
    )
    workers: int = option(
        1,
        "Processes that this call starts (0: as many as there are cores for); start it again for more.",
        "run",
        within=Within(0),
        recorded=False,
    )
    storage: str | None = option(
        None, "Database of the trials; without it a journal file on the volume.", "run", metavar="URL", recorded=False
    )


@dataclass(frozen=True, kw_only=True)
class TuneConfig(TuneOptions):
    """The options, checked against those of other jobs: what a search depends on.

    `train_gan` and `evaluate` are the recipe's own options, which trials vary. `others` has those of the other jobs, by
    job: no trial depends on them, but the tuned recipe names them too. `types` names the type of each option of
    train_gan.
    """

    train_gan: dict[str, object] = field(default_factory=dict)
    evaluate: dict[str, object] = field(default_factory=dict)
    others: dict[str, dict[str, object]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def recorded(self) -> dict[str, object]:
        """Return what the manifest records."""
        parts = {"train_gan": self.train_gan, "evaluate": self.evaluate, "others": self.others}
        return recorded(self) | {name: identifying(options) for name, options in parts.items()}

    @cached_property
    def domains(self) -> Space:
        """The search space by `job.option`."""
        return parse_space(self.space, {name: TYPES[kind] for name, kind in self.types.items()})

    @property
    def fixed(self) -> dict[str, object]:
        """The options of train_gan, by `job.option`, that every trial has."""
        return {} if self.epochs is None else {f"{TUNABLE}.epochs": self.epochs}

    @property
    def own(self) -> "dict[str, Value]":
        """The recipe's own values of what the space varies; None where it has none."""
        return {name: _value(self.train_gan.get(name.partition(".")[2])) for name in self.domains}

    @property
    def outside(self) -> list[str]:
        """Each of the recipe's own values that no trial can have, in words, with where the search space ends."""
        return [
            f"{name}: the recipe's own {self.own[name]!r} is not in the search space ({domain.words})"
            for name, domain in self.domains.items()
            if not domain.holds(self.own[name])
        ]

    @property
    def trial_epochs(self) -> int:
        """The epochs that a trial is trained for."""
        return int(str(self.train_gan["epochs"]))

    @property
    def rungs(self) -> list[int]:
        """The epochs after which trials are compared: epochs / reduction^2 and epochs / reduction."""
        total = self.trial_epochs
        if self.reduction == 1:
            return []
        # two rungs: at the first a trial has cost 1 / reduction^2 of a full one
        first = max(total // self.reduction**2, 1)
        return [epoch for epoch in (first, first * self.reduction) if epoch < total]

    def study(self, inputs: "Mapping[str, Artifact]") -> str:
        """Return twelve hexadecimal digits, a hash of all that a trial depends on; their number is not part of it."""
        # not how many trials there are: raising --trials continues the same study
        parts = self.recorded() | dict.fromkeys(("trials", "minutes", "seeds", "others"))
        hashes = {name: artifact.sha256 for name, artifact in sorted(inputs.items())}
        return sha256(json_bytes([parts, hashes]))[:12]


def _value(value: object) -> "Value":
    """Return the value of an option that can be varied: options that are tables cannot."""
    assert value is None or isinstance(value, str | int | float | bool)
    return value


Answers = dict[str, Answer]
"""The options of the jobs, by the name of the job."""


def complete(
    place: Callable[..., str], words: list[str], options: TuneOptions, answers: Answers, inherited: bool
) -> TuneConfig:
    """Return the config of a call whose trials get `words`.

    The second answer of train_gan has the epochs of a trial. An `inherited` space was written for another value of an
    owner, such as the family: options that the present one refuses are dropped from it. Raises BadConfig for a wrong
    space; `place(*keys)` names the file and key of a part of the space.
    """
    given = {spec.name: getattr(options, spec.name) for spec in fields(options)}
    answer = answers[TUNABLE]
    types = answer.types | {"threads": "int"}  # so that the space is told why it cannot vary
    try:
        config = TuneConfig(**given, train_gan=answer.options(1), types=types)
        refused = refusals(config, words)
        owned = {name for name in refused if name.partition(".")[2] in answer.owners}
        if inherited and owned:
            config = replace(config, space=without(config.space, owned))
            refused = refusals(config, words)
        for name, reason in refused.items():
            raise WrongSpace(reason, *name.split("."))
    except WrongSpace as error:
        raise BadConfig(f"{place(*error.keys)}: {error}") from error
    others = {job: resolved.options() for job, resolved in answers.items() if job != TUNABLE}
    return replace(config, evaluate=others.pop(EVALUATE.name), others=others)


def refusals(config: TuneConfig, words: list[str]) -> dict[str, str]:
    """Return why train_gan refuses values of the search space: by `job.option`, the first reason of each."""
    # the ends of ranges and every listed value: a mistake shows now, not in the trial that draws it
    probes = [(name, value) for name, domain in config.domains.items() for value in domain.probes]
    questions = [{name.partition(".")[2]: value} for name, value in probes]
    refused: dict[str, str] = {}
    for (name, value), resolved in zip(probes, ask({TUNABLE: questions}, words)[TUNABLE].resolved, strict=True):
        if isinstance(resolved, str):  # the error message, in place of options
            refused.setdefault(name, f"{name} = {value!r}: {' '.join(resolved.split())}")
    return refused


def without(space: str, names: set[str]) -> str:
    """Return the search space without some options, by `job.option`; the default one where none is left."""
    left = {name: domain for name, domain in json.loads(space)[TUNABLE].items() if f"{TUNABLE}.{name}" not in names}
    return json.dumps({TUNABLE: left}) if left else DEFAULT_SPACE

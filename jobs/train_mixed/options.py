"""The options of train_mixed, checked."""

from dataclasses import dataclass

from jobs.train_mixed.arms import chosen_arms
from shared.cli.fit_options import FitOptions
from shared.cli.options import Within, option


@dataclass(frozen=True, kw_only=True)
class MixedOptions(FitOptions):
    """Which arms are trained and how; `arms` are names of groups and arms joined by commas."""

    arms: str = option(
        "short", "Groups (short, fair, curve, sweep, all) or arms to train, joined by commas.", "experiment design"
    )
    min_confidence: float = option(
        0.0,
        "Least annotation confidence of the synthetic images used.",
        "experiment design",
        within=Within(0, 1),
    )
    seeds: int = option(3, "Fits of each arm, each from a seed of its own.", "experiment design", within=Within(1))
    steps: int = option(1000, "Optimizer steps, the same for every arm.", "optimizer", within=Within(1))

    def __post_init__(self) -> None:
        super().__post_init__()
        chosen_arms(self.arms, conditional=True)

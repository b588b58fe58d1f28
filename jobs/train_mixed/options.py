"""The options of train_mixed, checked."""

from dataclasses import dataclass
from typing import ClassVar

from jobs.train_mixed.arms import ARMS, GROUPS, chosen_arms
from shared.cli.fit_options import FitOptions
from shared.cli.options import Within, option
from shared.errors import BadConfig
from shared.stats.looks import BUDGETS

CAP = 10
"""Early stopping ends after this many times `steps` at most."""

LEAST_GAIN = 0.01
"""What a loss on val, in nats, has to fall by to count as an improvement where macro F1 is the same.

On images that are told apart without a mistake the loss falls as 1 / step for ever: if any gain counted, or a share of
the loss, such fits would all go on for long, or to the cap. Gains below this one are too small to change answers.
"""


@dataclass(frozen=True, kw_only=True)
class MixedOptions(FitOptions):
    """Which arms are trained and how; `arms` are names of groups and arms joined by commas."""

    former: ClassVar = {"seeds": "fits for several fits of each arm, replicates (--replicates) for several GANs"}

    arms: str = option(
        "short",
        "Groups (original, short, fair, judge, labels, curve, sweep, all) or arms to train, joined by commas.",
        "experiment design",
        several=(*GROUPS, *ARMS),
    )
    min_confidence: float = option(
        0.0,
        "Least annotation confidence of the synthetic images used.",
        "experiment design",
        within=Within(0, 1),
    )
    fits: int = option(
        1, "Fits of each arm in a replicate, each from a seed of its own.", "experiment design", within=Within(1)
    )
    steps: int = option(
        1000,
        f"Optimizer steps: early stopping ends after {CAP} times as many at most; the control has the best "
        "weights within these.",
        "optimizer",
        within=Within(1),
    )
    until: float = option(
        0.0,
        "Half-width of the headline's interval, in points, that replicates are added until; 0: their number is given. "
        "`halfreal run --until` sets it.",
        "experiment design",
        within=Within(0, 100),
        gathers=True,
    )
    until_ended: str = option(
        "no",
        "What ended the experiment before that, where it was not its width; `halfreal run --until` sets it.",
        "experiment design",
        choices=("no", *BUDGETS),
        gathers=True,
    )
    budget_minutes: float = option(
        0.0,
        "Time budget that epochs, width and replicates were chosen for, in minutes; 0: none. `halfreal run --minutes` "
        "sets it.",
        "experiment design",
        within=Within(0),
        gathers=True,
    )
    verdict_on: str | None = option(
        None,
        "Attribute whose F1 the answers are about, where images have several; their macro F1 where not given.",
        "experiment design",
        metavar="NAME",
        gathers=True,
    )
    patience: int = option(
        8,
        "Early stopping, the same for every arm: measurements on val without improvement before training ends; "
        "0: never.",
        "run",
        within=Within(0),
    )

    @property
    def most_steps(self) -> int:
        """The step at which training ends at the latest."""
        return CAP * self.steps

    def __post_init__(self) -> None:
        super().__post_init__()
        arms = chosen_arms(self.arms, conditional=True)
        if self.until:
            # here, since records are slow to import and most options need none
            from jobs.train_mixed.questions import HEADLINE, headline_of

            if headline_of(arms) is None:
                raise BadConfig(
                    f"--until {self.until:g} is about the headline, for which --arms {self.arms} lacks an arm\n"
                    f"want {HEADLINE.a} and {HEADLINE.b} among them, or leave --until out"
                )

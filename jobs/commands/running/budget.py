"""What a time budget buys: epochs, width and replicates, chosen by plain arithmetic on measured times. No torch."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace

LEAST_REPLICATES = 3
"""Replicates at least: of fewer the spread between generators is hardly known."""

RESERVE = 0.15
"""The share of the budget that nothing is planned for, since a machine is not always as quick as when it was timed."""

ENOUGH, LEAST = 0.25, 0.1
"""Shares of the recipe's epochs: with fewer than ENOUGH narrower networks are taken; LEAST are trained at least."""

NARROWEST = 8
"""The least width that is chosen."""

BEST_AT = 0.75
"""The share of its recipe's steps after which a fit improves no more, roughly."""

LOOKS, FINAL_SCORES = 1.5, 6.0
"""What scoring images costs, as a multiple of drawing and looking at them; the same of all scores on test together."""

PICTURES, STARTS = 4.0, 8.0
"""What figures of a replicate cost, and processes and the page of an experiment, as multiples of a start of torch."""


@dataclass(frozen=True)
class Plan:
    """`replicates` GANs of a width, each trained for `epochs`, with a snapshot every `every` epochs."""

    epochs: int
    every: int
    width: int
    replicates: int

    @property
    def snapshots(self) -> int:
        """How many snapshots each GAN leaves, which are all scored."""
        return math.ceil(self.epochs / self.every)

    def of_epochs(self, epochs: int) -> "Plan":
        """Return the plan with other epochs and as many snapshots, or one more or less where epochs do not divide."""
        if epochs == self.epochs:
            return self
        return replace(self, epochs=epochs, every=max(round(epochs / self.snapshots), 1))


@dataclass(frozen=True)
class Times:
    """Seconds that were measured on a machine as busy as the run will make it.

    `epoch_s` is an epoch of one GAN, by width; `annotator_step_s` and `fit_step_s` a step of the annotator and of an
    arm's classifier; `image_s` drawing an image and looking at it; `start_s` is until a process has imported torch.
    """

    epoch_s: Mapping[int, float]
    annotator_step_s: float
    fit_step_s: float
    image_s: float
    start_s: float

    @classmethod
    def slowest(cls, measured: Sequence["Times"]) -> "Times":
        """Return the longest time of each kind: a run ends with its last process."""
        widths = measured[0].epoch_s
        return cls(
            {width: max(each.epoch_s[width] for each in measured) for width in widths},
            *(max(getattr(each, field.name) for each in measured) for field in fields(cls)[1:]),
        )


@dataclass(frozen=True)
class Work:
    """What a replicate has to do besides training its GAN.

    The annotator takes `annotator_steps`, each of the `fits` takes `fit_steps`. For each score `scored` images are
    drawn, and `drawn` for the synthetic set.
    """

    annotator_steps: int
    fits: int
    fit_steps: int
    scored: int
    drawn: int


@dataclass(frozen=True)
class Costs:
    """Seconds of the parts of a run: a GAN's epoch by width, a snapshot's scores, all else of a replicate, the rest.

    There are cores for `abreast` replicates. `processes` replicates run next to each other; 0: `abreast`, one more
    where they have a thread each and cores would be idle in the last round.
    """

    epoch_s: Mapping[int, float]
    snapshot_s: float
    replicate_s: float
    once_s: float
    abreast: int = 1
    processes: int = 0
    one_thread: bool = False

    @classmethod
    def from_times(cls, times: Times, work: Work, abreast: int, processes: int, one_thread: bool) -> "Costs":
        """Return what work costs where its steps take these times."""
        annotating = work.annotator_steps * times.annotator_step_s
        fitting = work.fits * work.fit_steps * times.fit_step_s
        looking = (FINAL_SCORES * work.scored + LOOKS * work.drawn) * times.image_s
        return cls(
            times.epoch_s,
            LOOKS * work.scored * times.image_s,
            annotating + fitting + looking + PICTURES * times.start_s,
            STARTS * times.start_s,
            abreast,
            processes,
            one_thread,
        )

    def of(self, plan: Plan) -> float:
        """Return the seconds that a plan takes."""
        each = plan.epochs * self.epoch_s[plan.width] + plan.snapshots * self.snapshot_s + self.replicate_s
        return self.once_s + each * self.rounds(plan.replicates)

    def rounds(self, replicates: int) -> float:
        """Return how long all replicates take, as a multiple of one whose core is its own."""
        extra = self.one_thread and self.abreast > 1 and replicates % self.abreast
        at_once = self.processes or self.abreast + bool(extra)
        whole, rest = divmod(replicates, at_once)
        # more at once than there are cores for slow each other down
        return whole * max(at_once / self.abreast, 1.0) + (max(rest / self.abreast, 1.0) if rest else 0.0)


@dataclass(frozen=True)
class Asked:
    """The recipe's plan, and which of its fields were given by the user and stay as they are."""

    plan: Plan
    given: Collection[str] = ()

    @property
    def whole(self) -> Plan:
        """The plan that nothing is missing of: the recipe's, of LEAST_REPLICATES at least."""
        return replace(self.plan, replicates=max(self.plan.replicates, self.fewest))

    @property
    def fewest(self) -> int:
        """How many replicates are made at least."""
        return self.plan.replicates if "replicates" in self.given else LEAST_REPLICATES

    @property
    def widths(self) -> list[int]:
        """The widths that may be chosen, the recipe's first."""
        widths = [self.plan.width]
        while "width" not in self.given and widths[-1] // 2 >= NARROWEST:
            widths.append(widths[-1] // 2)
        return widths

    def shorter(self, plan: Plan, epochs: int) -> Plan:
        """Return a plan with other epochs."""
        return replace(plan, epochs=epochs) if "every" in self.given else plan.of_epochs(epochs)

    def epochs(self, share: float) -> int:
        """Return a share of the recipe's epochs, all of them where they were given."""
        return self.plan.epochs if "epochs" in self.given else max(math.ceil(share * self.plan.epochs), 1)


def choose(seconds: float, costs: Costs, asked: Asked) -> Plan | None:
    """Return the plan to be done in `seconds`; None where not even `least` can be.

    Replicates are given up first, down to LEAST_REPLICATES, then epochs down to ENOUGH of them, then width, then epochs
    again.
    """
    for replicates in range(asked.whole.replicates, asked.fewest - 1, -1):
        plan = replace(asked.whole, replicates=replicates)
        if costs.of(plan) <= seconds:
            return plan
    fewest = [replace(asked.whole, replicates=asked.fewest, width=width) for width in asked.widths]
    longest = [(plan, _most_epochs(seconds, costs, plan, asked)) for plan in fewest]
    for share in (ENOUGH, LEAST):
        for plan, epochs in longest if share == ENOUGH else longest[::-1]:
            if epochs >= asked.epochs(share):
                return asked.shorter(plan, epochs)
    return None


def least(costs: Costs, asked: Asked) -> Plan:
    """Return the plan that takes the least time."""
    plans = [replace(asked.whole, replicates=asked.fewest, width=width) for width in asked.widths]
    return min((asked.shorter(plan, asked.epochs(LEAST)) for plan in plans), key=costs.of)


def _most_epochs(seconds: float, costs: Costs, plan: Plan, asked: Asked) -> int:
    """Return the most epochs, those of `plan` at most, that can be done in `seconds`; 0 where none can."""
    for epochs in range(plan.epochs, asked.epochs(LEAST) - 1, -1):
        if costs.of(asked.shorter(plan, epochs)) <= seconds:
            return epochs
    return 0


def usable_s(minutes: float, elapsed_s: float = 0.0) -> float:
    """Return the seconds that may be planned for of a budget of which `elapsed_s` are over."""
    return 60 * minutes * (1 - RESERVE) - elapsed_s


def minutes_for(seconds: float, elapsed_s: float = 0.0) -> int:
    """Return the whole minutes of the smallest budget in which `seconds` may be planned for."""
    return math.ceil(round((seconds + elapsed_s) / (1 - RESERVE) / 60, 6))


def fit_steps(steps: int, most_steps: int, patience: int, measure_every: int) -> int:
    """Return about how many steps a fit takes until it stops: at least `steps`, which its control needs."""
    if not patience:
        return most_steps
    return min(max(steps, round(BEST_AT * steps) + patience * measure_every), most_steps)


def said(minutes: float, plan: Plan, costs: Costs, asked: Asked, elapsed_s: float = 0.0) -> list[str]:
    """Return what was chosen for a budget and what more time would buy, a line each."""
    whole, cores = asked.whole, f"{costs.abreast} process{'es' if costs.abreast > 1 else ''}"
    takes = round((elapsed_s + costs.of(plan)) / 60)
    lines = [f"--minutes {minutes:g}: {in_words(plan)}; about {max(takes, 1)} minutes on {cores} at a time"]
    if plan == whole:
        return [*lines, "that is all the recipe has; more time is for more replicates: --replicates, or --until POINTS"]
    longer = [replace(whole, replicates=plan.replicates), whole]
    buys = [
        f"--minutes {minutes_for(costs.of(more), elapsed_s)}: {in_words(more)}"
        for more in dict.fromkeys(longer)
        if more != plan
    ]
    return [*lines, f"more time buys: {'; '.join(buys)}"]


def in_words(plan: Plan) -> str:
    """Return a plan in words."""
    replicates = f"{plan.replicates} replicate{'s' if plan.replicates > 1 else ''}"
    return f"{replicates}, GANs of width {plan.width} for {plan.epochs} epoch{'s' if plan.epochs > 1 else ''}"

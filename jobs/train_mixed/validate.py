"""What the options need of the real and the synthetic images."""

from jobs.train_mixed.arms import ARMS, chosen_arms
from jobs.train_mixed.options import MixedOptions
from shared.cli.options import nearest
from shared.data.specs import Specs
from shared.errors import BadConfig
from shared.store.work_shards import Shard


def validate(options: MixedOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadConfig for images that the network is not built for, and for fewer synthetic ones than an arm needs."""
    if specs.real is not None:
        options.check_size(specs.real.size_px)
        check_verdict(options.verdict_on, specs.real.attributes)
    unlabelled = specs.real is None or specs.real.unlabelled
    arms = chosen_arms(options.arms, conditional=True, unlabelled=unlabelled)
    share = synthetic_share(specs)
    if share is None:
        return
    # the arm that needs most: if it has enough, all have
    arm = max(arms, key=lambda name: ARMS[name].synthetic_share)
    if ARMS[arm].synthetic_share > share:
        raise BadConfig(
            f"arm {arm} needs {ARMS[arm].synthetic_share:.0%} of the train split in synthetic images, there are "
            f"{share:.0%}\n"
            f"{remedy(specs, ARMS[arm].synthetic_share)}, or leave the arm out"
        )


def check_verdict(attribute: str | None, attributes: tuple[str, ...]) -> None:
    """Raise BadConfig for an attribute that the real images do not have."""
    if attribute is None or attribute in attributes:
        return
    there = (
        f"want one of {', '.join(attributes)}" if attributes else "leave it out: they have one label, not attributes"
    )
    raise BadConfig(
        f"--verdict-on {attribute}: the real images have no such attribute{nearest(attribute, attributes)}; {there}"
    )


def synthetic_share(specs: Specs) -> float | None:
    """Return how many synthetic images there are, or will be, to one of the real train split; None where none knows."""
    if specs.synthetic is None:
        return None
    share = specs.synthetic.share_of_unlabelled
    if specs.synthetic.share is not None or share is None or specs.real is None:
        return specs.synthetic.share
    return share * (1 - specs.real.labelled_fraction) / specs.real.labelled_fraction


def remedy(specs: Specs, needed: float) -> str:
    """Return what makes as many synthetic images as are needed."""
    if specs.synthetic is not None and specs.synthetic.share is None:
        return f"want a --labelled-fraction of preprocess of {1 / (1 + needed):.2g} at most"
    return f"run synthesize with --share {needed} or more"

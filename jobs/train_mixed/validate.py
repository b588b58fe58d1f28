"""What the options need of the real and the synthetic images."""

from jobs.train_mixed.arms import ARMS, chosen_arms
from jobs.train_mixed.options import MixedOptions
from shared.data.specs import Specs
from shared.errors import BadConfig
from shared.store.work_shards import Shard


def validate(options: MixedOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadConfig for images that the network is not built for, and for fewer synthetic ones than an arm needs."""
    if specs.real is not None:
        options.check_size(specs.real.size_px)
    unlabelled = specs.real is None or specs.real.unlabelled
    arms = chosen_arms(options.arms, conditional=True, unlabelled=unlabelled)
    if specs.synthetic is None or specs.synthetic.share is None:
        return
    # the arm that needs most: if it has enough, all have
    arm = max(arms, key=lambda name: ARMS[name].synthetic_share)
    if ARMS[arm].synthetic_share > specs.synthetic.share:
        raise BadConfig(
            f"arm {arm} needs {ARMS[arm].synthetic_share:.0%} of the train split in synthetic images, there are "
            f"{specs.synthetic.share:.0%}\n"
            f"run synthesize with --share {ARMS[arm].synthetic_share} or more, or leave the arm out"
        )

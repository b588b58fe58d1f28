"""What the options need of the real images, and what they say of the synthetic ones before there are any."""

from jobs.synthesize.options import SynthesizeOptions
from shared.data.specs import UNLABELLED, Specs, SyntheticSpec
from shared.errors import BadConfig
from shared.store.work_shards import Shard


def declare(options: SynthesizeOptions) -> SyntheticSpec | None:
    """Return the description of the images that a run with these options writes; None before a set is read."""
    if options.imports:
        return None
    # how many unlabelled images there are to one labelled image, only the split tells
    if options.share_of == UNLABELLED:
        return SyntheticSpec(share=None, share_of_unlabelled=options.share)
    return SyntheticSpec(share=options.share)


def validate(options: SynthesizeOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadConfig for a share of images that are not there."""
    if options.share_of == UNLABELLED and specs.real is not None and not specs.real.unlabelled:
        raise BadConfig(
            "--share-of unlabelled: the real images have no such split\n"
            "run preprocess with a --labelled-fraction below 1, or say --share-of train"
        )

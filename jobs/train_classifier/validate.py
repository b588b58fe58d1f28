"""What the options need of the real images."""

from jobs.train_classifier.options import ClassifierOptions
from shared.data.specs import Specs
from shared.store.work_shards import Shard


def validate(options: ClassifierOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadConfig for images that the network is not built for, by the size at which it sees them."""
    # unknown where preprocess has not run
    size_px = options.size_px or (specs.real.size_px if specs.real is not None else None)
    if size_px is not None:
        options.check_size(size_px)

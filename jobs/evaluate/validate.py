"""What the options need of the real images and this machine."""

from jobs.evaluate.options import EvaluateOptions
from shared.data.specs import Specs
from shared.runtime.memory import check_images_fit
from shared.store.work_shards import Shard


def validate(options: EvaluateOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadConfig for more images than this machine's memory holds."""
    # refused here, before the kernel kills a job that has trained for hours
    if specs.real is not None:
        check_images_fit("--images", options.images, specs.real.size_px, specs.real.channels)

"""What the options need of the real images and this machine."""

from jobs.evaluate.options import EvaluateOptions
from shared.data.specs import Specs
from shared.errors import BadConfig
from shared.runtime.launch import is_one_of_several
from shared.runtime.memory import check_images_fit
from shared.store.work_shards import Shard


def validate(options: EvaluateOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadConfig for more images than this machine's memory holds, and for parts of what a launcher shares."""
    if shard.count > 1 and is_one_of_several():
        raise BadConfig(
            "--parts: more than replicates, and the processes of a launcher share each snapshot already\n"
            "want as many parts as replicates at most, or each part without a launcher"
        )
    # refused here, before the kernel kills a job that has trained for hours
    if specs.real is not None:
        check_images_fit("--images", options.images, specs.real.size_px, specs.real.channels)

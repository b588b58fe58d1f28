"""The options of synthesize, checked."""

from dataclasses import dataclass

from shared.cli.options import JobOptions, Within, option


@dataclass(frozen=True, kw_only=True)
class SynthesizeOptions(JobOptions):
    """How many images are generated, and how they are stored."""

    share: float = option(
        1.0, "Number of synthetic images, as a share of the train split.", "data", within=Within(0, 1000, above=True)
    )
    shard_images: int = option(1000, "Images in a shard.", "run", within=Within(1))

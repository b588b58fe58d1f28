"""What the options say of the synthetic images before there are any."""

from jobs.synthesize.options import SynthesizeOptions
from shared.data.specs import SyntheticSpec


def declare(options: SynthesizeOptions) -> SyntheticSpec:
    """Return the description of the images that a run with these options writes."""
    return SyntheticSpec(share=options.share)

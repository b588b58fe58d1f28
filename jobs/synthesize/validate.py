"""What the options say of the synthetic images before there are any."""

from jobs.synthesize.options import SynthesizeOptions
from shared.data.specs import SyntheticSpec


def declare(options: SynthesizeOptions) -> SyntheticSpec | None:
    """Return the description of the images that a run with these options writes; None before a set is read."""
    return None if options.imports else SyntheticSpec(share=options.share)

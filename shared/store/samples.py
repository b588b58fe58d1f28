"""The samples of a synthetic dataset with what their json says of them."""

from collections.abc import Iterator

from shared.runtime.seeding import Stream, derive_seed
from shared.store.artifacts import Artifact
from shared.store.records.base import parse_record_json
from shared.store.records.datasets import SampleMeta, SyntheticRecord


def annotated_members(synthetic: Artifact[SyntheticRecord]) -> Iterator[tuple[str, dict[str, bytes], SampleMeta]]:
    """Yield key, members by type and what the json says of each train sample, every shard checked whole.

    Raises FormatError for a sample without its json, or one that says nothing of an annotation.
    """
    for key, members in synthetic.members("train"):
        with synthetic.remedy():
            meta = parse_record_json(SampleMeta, members.get("json", b""), f"{synthetic.folder}: the json of {key!r}")
        yield key, members, meta


def asked_labels(synthetic: Artifact[SyntheticRecord]) -> list[int] | None:
    """Return the label that each image was asked for or that its set gave it; None unless all have one."""
    asked = [meta.origin.asked_label for _, _, meta in annotated_members(synthetic)]
    known = [label for label in asked if label is not None]
    # all or none: an image without the class asked for makes what needs it impossible
    return known if len(known) == len(asked) else None


def places_of_draw(total: int, count: int, seed: int) -> list[int]:
    """Return `count` places of `total` images, or all, drawn without replacement from `seed`, in order."""
    import numpy as np  # here, since the rest of this module does without

    if count >= total:
        return list(range(total))
    rng = np.random.default_rng(derive_seed(seed, Stream.IMPORTED_DRAW))
    return sorted(rng.choice(total, count, replace=False).tolist())

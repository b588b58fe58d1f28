"""The samples of a synthetic dataset with what their json says of them."""

from collections.abc import Iterator

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

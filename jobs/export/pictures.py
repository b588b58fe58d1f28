"""The synthetic images of an export: PNGs as they are in the shards, with the chosen label."""

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.export.options import ASKED, ExportConfig
from shared.errors import BadConfig, FormatError
from shared.format.sample import decode_label
from shared.store.artifacts import Artifact
from shared.store.records.datasets import IMPORTED, SampleMeta, SyntheticRecord
from shared.store.samples import annotated_members


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image: its PNG as it is in the shard, its label, and what its json says of it.

    `asked` is None where the generator cannot be asked. `confidence` is the annotator's in its own label, 0 to 1.
    """

    key: str
    png: bytes
    label: int
    annotated: int
    asked: int | None
    confidence: float
    meta: SampleMeta

    def row(self) -> dict[str, object]:
        """Return what is known of the image as a line of a table."""
        asked = {} if self.asked is None else {"asked_label": self.asked}
        return {
            "label": self.label,
            "annotated_label": self.annotated,
            **asked,
            "confidence": self.confidence,
            **self.source,
        }

    @property
    def source(self) -> dict[str, object]:
        """What finds the image again: the latent's seed, or the imported file and its hash."""
        origin = self.meta.origin
        if origin.generator_sha256 != IMPORTED:
            return {"latent_seed": origin.latent_seed}
        return {"imported_file": origin.file or "", "imported_sha256": origin.sha256}


def pictures(synthetic: Artifact[SyntheticRecord], config: ExportConfig) -> Iterator[Picture]:
    """Yield the images of `synthetic` that `config` wants, in reading order, every shard checked.

    Raises BadConfig where the classes asked for are wanted of a generator that was asked for none.
    """
    # before the first shard is read, so that a mistake costs seconds
    if config.labels == ASKED and synthetic.record.agreement is None:
        raise BadConfig("--labels asked: these images have no label but the annotator's; take annotated")
    # PNGs are passed on as bytes: encoding them again would change files for nothing
    for key, members, meta in annotated_members(synthetic):
        annotated, asked = decode_label(members["cls"]), meta.origin.asked_label
        if config.labels == ASKED and asked is None:
            raise FormatError(f"{synthetic.folder}: the json of {key!r} has no asked_label, others have; make it again")
        if meta.annotation.confidence >= config.min_confidence:
            yield Picture(
                key=key,
                png=members["png"],
                label=asked if config.labels == ASKED and asked is not None else annotated,
                annotated=annotated,
                asked=asked,
                confidence=meta.annotation.confidence,
                meta=meta,
            )

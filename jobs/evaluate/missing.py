"""What evaluate cannot do without weights, said before the work; and what it can add to finished scores later."""

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.evaluate.options import EvaluateOptions
from shared.cli.common_options import place_flags
from shared.cli.options import listed
from shared.models.pretrained.missing import missing_weights
from shared.models.pretrained.weights import missing

if TYPE_CHECKING:
    from shared.store.records.base import Record


def lacking(options: EvaluateOptions, data_root: Path) -> list[str]:
    """Return a line for each file of weights that the options ask for and the volume has not."""
    asked = dict.fromkeys([*listed(options.per_snapshot), *listed(options.extractors)])
    absent = [name for name in asked if missing(name, data_root / "weights")]
    lines = [each.line for each in missing_weights(absent, place_flags(data_root))]
    first = listed(options.per_snapshot)[0]
    if first in absent and not options.imported:
        chooser = "classifier" if missing(options.fallback, data_root / "weights") else options.fallback
        lines.append(f"until then {chooser} chooses the snapshots in place of {first}; later --force chooses again")
    return lines


def addable(record: "Record", data_root: Path) -> list[str]:
    """Return the extractors that finished scores left out and whose weights are there now."""
    from shared.store.records.scores import ScoresRecord  # here, since it imports pydantic

    assert isinstance(record, ScoresRecord)
    return [name for name in record.left_out if not missing(name, data_root / "weights")]

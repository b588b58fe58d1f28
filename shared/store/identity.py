"""What identifies an artifact: the options that it depends on but for its last digits, and those that extend it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.format.files import write_json
from shared.format.outside import parse_json, read_regular
from shared.lazy import Lazy
from shared.limits import MANIFEST_BYTES, PIXELS

NOT_IDENTIFYING = frozenset({"threads"})
"""Options that change speed and rounding alone. Manifests of earlier versions have them; another value is no change."""

_UNLABELLED: dict[str, object] = {"unlabelled": "-1,nan,none,null,n/a,na,unlabeled,unlabelled,_unlabeled"}
_PIXELS: dict[str, object] = {"max_pixels": PIXELS}
"""Earlier versions read up to 179 megapixels: a set with such an image is kept as it is."""

_FIT: dict[str, object] = {"class_weights": "none", "sampling": "natural"}

ADDED_OPTIONS: dict[str, dict[str, object]] = {
    "preprocess": {
        "limit_train": 0,
        "per_class_train": 0,
        "near_duplicates_bits": 4,
        "audit_fraction": 0.0,
        "train_val_fraction": 1.0,
        "labelled_fraction": 1.0,
        "resplit": "none",
        **_UNLABELLED,
        **_PIXELS,
    },
    "evaluate": {"fallback": "classifier", "scored": "snapshots"},
    "synthesize": {
        "source": "generator",
        "max_rejected": 0.01,
        "labels": "given",
        "share_of": "train",
        "only_agreeing": False,
        "latent_scale": 1.0,
        **_UNLABELLED,
        **_PIXELS,
    },
    "train_classifier": _FIT,
    "train_gan": {"generators": 1},
    "train_mixed": {**_FIT, "until": 0.0, "until_ended": "no", "budget_minutes": 0.0},
}
"""Options, by job, that earlier versions did not have, with the values that they went by."""

KEY = ".key.json"
"""The file in which a staging folder keeps what identifies its work, as `Manifest` does for what is finished."""


@dataclass(frozen=True)
class Progress:
    """How far some work is: a number to compare it by, and in words, such as "epoch 12 of 40"."""

    steps: int
    words: str


@dataclass(frozen=True)
class Extends:
    """The whole-number `options` of which a larger value extends what was made with a smaller one.

    Its function `progress(folder, options)` returns how far the work in a folder is, None where nothing can go on.
    Every file but those for people must be written whole, by rename: the copies share their bytes on disk.
    """

    options: tuple[str, ...]
    progress: Lazy[Callable[[Path, Mapping[str, object]], Progress | None]]


def identifying(options: Any) -> Any:
    """Return `options` without those that identify nothing, in the tables within them too."""
    if not isinstance(options, dict):
        return options
    return {name: identifying(value) for name, value in options.items() if name not in NOT_IDENTIFYING}


def write_key(folder: Path, options: dict[str, object], inputs: dict[str, str], *, from_scratch: bool) -> None:
    """Write what identifies the work in a staging folder; `from_scratch` is work that must not extend other work."""
    write_json(folder / KEY, {"options": options, "inputs": inputs, "from_scratch": from_scratch})


def read_key(folder: Path) -> dict[str, Any] | None:
    """Return what `write_key` wrote; None where nothing can be read, as in folders of earlier versions."""
    try:
        fields = parse_json(read_regular(folder / KEY, MANIFEST_BYTES))
        return {
            "options": dict(fields["options"]),
            "inputs": dict(fields["inputs"]),
            "from_scratch": bool(fields["from_scratch"]),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None

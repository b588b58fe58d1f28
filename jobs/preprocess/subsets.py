"""Parts of the splits: what is kept from everything, what of train and val is used, whose labels count.

Each draw goes by the rank of a hash, so that of two shares the smaller one is part of the larger one. Equal images and
groups stay together. The draws of one split do not depend on those before them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.preprocess.groups import Grouping, joined
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.splits import leaders_of
from shared.data.sampling import ceil_share
from shared.errors import BadInput
from shared.format.files import sha256

Indexes = NDArray[np.int64]


class Seeds(NamedTuple):
    """The seeds of the draws: of `splits` and the audit images, and of the `subsets` of train and val."""

    splits: int
    subsets: int


def subsets(
    places: dict[str, Indexes],
    labels: Indexes,
    contents: Sequence[str],
    groups: Grouping | None,
    config: PreprocessOptions,
    seeds: Seeds,
) -> dict[str, Indexes]:
    """Return the splits with what the options keep from them: sorted places among all images, as in `places`.

    `audit_fraction` of train is the split `audit`; of the rest of train and of val `train_val_fraction` is left;
    of that `labelled_fraction`, and what else there is of train is the split `unlabelled`. Test stays as it is. Raises
    BadInput where train would lack a class, or audit images, or unlabelled ones.
    """
    units = np.array(joined(contents, groups.of) if groups else leaders_of(contents))
    first = leaders_of(contents) == np.arange(len(contents))

    def kept(split: Indexes, share: float, salt: str) -> Indexes:
        return kept_share(split, labels, units, first, share, _named(units, contents), salt)

    made = dict(places)
    if config.audit_fraction:
        stays = kept(made["train"], round(1 - config.audit_fraction, 6), f"audit {seeds.splits}")
        made |= {"train": stays, "audit": np.setdiff1d(made["train"], stays)}
    if config.train_val_fraction < 1:
        made |= {
            split: kept(made[split], config.train_val_fraction, f"share {seeds.subsets}") for split in ("train", "val")
        }
    if config.labelled_fraction < 1:
        labelled = {
            split: kept(made[split], config.labelled_fraction, f"labels {seeds.subsets}") for split in ("train", "val")
        }
        made |= labelled | {"unlabelled": np.setdiff1d(made["train"], labelled["train"])}
    for split, option in (("audit", "audit_fraction"), ("unlabelled", "labelled_fraction")):
        if split in made and not len(made[split]):
            raise BadInput(
                f"--{option.replace('_', '-')} {getattr(config, option):g}: leaves no image for {split}, since train "
                "keeps at least one image of each class\nwant another share, or more images"
            )
    return made


def _named(units: Indexes, contents: Sequence[str]) -> dict[int, str]:
    """Return the name of each unit, the smallest content in it: it does not depend on their order."""
    names: dict[int, str] = {}
    for unit, content in zip(units.tolist(), contents, strict=True):
        names[unit] = min(names.get(unit, content), content)
    return names


def kept_share(
    split: Indexes,
    labels: Indexes,
    units: Indexes,
    first: NDArray[np.bool_],
    share: float,
    names: dict[int, str],
    salt: str,
) -> Indexes:
    """Return the sorted places of a `share` of a split, in whole `units`, stratified by class; `salt` is the seed.

    `first` says which images are no copies: only these count. Units are ranked by the hash of their names. From those
    whose most frequent class is c, the first ones are taken whose number of images is nearest to the share, at least
    one; and of every class the first unit that holds it. So a larger share holds a smaller one, in groups of any size.
    """
    held: dict[int, dict[int, int]] = {}
    for place in split.tolist():
        counts = held.setdefault(int(units[place]), {})
        counts[int(labels[place])] = counts.get(int(labels[place]), 0) + int(first[place])
    ranked = sorted(held, key=lambda unit: sha256(f"{salt} {names[unit]}".encode()))
    by_class: dict[int, list[int]] = {}
    taken: set[int] = set()
    covered: set[int] = set()
    for unit in ranked:
        # of equally frequent ones the first class
        main = min(held[unit], key=lambda label: (-held[unit][label], label))
        by_class.setdefault(main, []).append(unit)
        if not held[unit].keys() <= covered:
            taken.add(unit)
            covered |= held[unit].keys()
    for members in by_class.values():
        taken |= set(_nearest(members, [sum(held[unit].values()) for unit in members], share))
    return np.array([place for place in split.tolist() if int(units[place]) in taken], dtype=np.int64)


def _nearest(members: Sequence[int], sizes: Iterable[int], share: float) -> Sequence[int]:
    """Return the first of the members whose sizes add up nearest to a share of all of them, at least one member."""
    reached = np.cumsum([*sizes])
    wanted = ceil_share(share, int(reached[-1]))
    return members[: int(np.argmin(np.abs(reached - wanted))) + 1]

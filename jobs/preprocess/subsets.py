"""Parts of the splits: what is kept from everything, what of train and val is used, whose labels count.

Each draw goes by the rank of a hash, so that of two shares the smaller one is part of the larger one. Equal images and
groups stay together. The draws of one split do not depend on those before them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.preprocess.groups import Grouping, joined
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.splits import leaders_of
from shared.data.sampling import ceil_share
from shared.errors import BadInput
from shared.sources.digests import ranks

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
    leaders = leaders_of(contents)
    units = np.array(joined(leaders.tolist(), groups.of) if groups else leaders)
    first, names = leaders == np.arange(len(leaders)), _names(units, contents)

    def kept(split: Indexes, share: float, salt: str) -> Indexes:
        hashes = ranks(f"{salt} {contents[index]}" for index in names[np.unique(units[split])].tolist())
        return kept_share(split, labels, units, first, share, hashes)

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


def _names(units: Indexes, contents: Sequence[str]) -> Indexes:
    """Return, by unit, the index of the smallest content in it: that names it in any order of the images."""
    order = np.argsort(np.asarray(contents), kind="stable")[::-1]
    names = np.zeros(len(units), np.int64)
    names[units[order]] = order  # of equal indexes the last one counts, the smallest content
    return names


def kept_share(
    split: Indexes,
    labels: Indexes,
    units: Indexes,
    first: NDArray[np.bool_],
    share: float,
    hashes: NDArray[Any],
) -> Indexes:
    """Return the sorted places of a `share` of a split, in whole `units`, stratified by class.

    `first` says which images are no copies: only these count. Units are ranked by their `hashes`, one for each unit in
    the split, sorted by the units' numbers. From those whose most frequent class is c, the first ones are taken whose
    number of images is nearest to the share, at least one; and of every class the first unit that holds it. So a larger
    share holds a smaller one, in groups of any size.
    """
    members, unit = np.unique(units[split], return_inverse=True)
    rank = np.empty(len(members), np.int64)
    rank[np.argsort(hashes, kind="stable")] = np.arange(len(members))
    # a row for each class in each unit, with the number of its images that are no copies
    pairs, row = np.unique(np.stack([rank[unit], labels[split]]), axis=1, return_inverse=True)
    counts = np.bincount(row.ravel(), weights=first[split], minlength=pairs.shape[1]).astype(np.int64)
    sizes = np.bincount(pairs[0], weights=counts, minlength=len(members)).astype(np.int64)
    # a unit's most frequent class: by rank, then the most images, of equally frequent ones the first class
    order = np.lexsort((pairs[1], -counts, pairs[0]))
    main = pairs[1, order][np.unique(pairs[0, order], return_index=True)[1]]
    taken = np.zeros(len(members), np.bool_)
    # rows are sorted by rank: the first of a class is that of the first unit with it
    taken[pairs[0, np.unique(pairs[1], return_index=True)[1]]] = True
    for label in np.unique(main):
        taken[_nearest(np.flatnonzero(main == label), sizes, share)] = True
    return split[taken[rank[unit]]]


def _nearest(members: Indexes, sizes: Indexes, share: float) -> Indexes:
    """Return the first of the members whose sizes add up nearest to a share of all of them, at least one member."""
    reached = np.cumsum(sizes[members])
    wanted = ceil_share(share, int(reached[-1]))
    return members[: int(np.argmin(np.abs(reached - wanted))) + 1]

"""The choice of images and of the split of each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.preprocess.groups import Grouping, joined, split_groups
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.train_size import exact_counts
from jobs.preprocess.validate import check_room, drawn_fractions
from shared.data.sampling import ceil_share, stratified
from shared.runtime.seeding import Stream, derive_seed
from shared.sources.digests import ranks

ORDER = ("train", "val", "test")

Indexes = NDArray[np.int64]


def choose(labels: Indexes, partition: Sequence[str] | None, limit: int, per_class: int, seed: int) -> Indexes:
    """Return the sorted indexes of at most `per_class` images of each class and `limit` in all, drawn from `seed`.

    0 means no limit. The limit keeps the proportions of classes, and of official splits where there are any.
    """
    kept = np.arange(len(labels))
    if per_class:
        rng = np.random.default_rng(seed)
        drawn = []
        for name in np.unique(labels):
            members = np.flatnonzero(labels == name)
            drawn.append(members if len(members) <= per_class else rng.choice(members, per_class, replace=False))
        # sorted: which images are drawn must not change their order in the shards
        kept = np.sort(np.concatenate(drawn))
    if limit and limit < len(kept):
        # a stratum for each (class, official split), so that the limit keeps the proportions of both
        strata = labels[kept] * len(ORDER)
        if partition is not None:
            strata = strata + np.array([ORDER.index(partition[index]) for index in kept.tolist()])
        kept = kept[stratified(strata, limit, seed)]
    return kept


def leaders_of(contents: Sequence[str]) -> Indexes:
    """Return for each image the index of the first one of equal contents: its own, unless it is a copy."""
    _, first, group = np.unique(np.asarray(contents), return_index=True, return_inverse=True)
    leaders: Indexes = first[group].astype(np.int64)
    return leaders


def split_indexes(
    labels: Indexes,
    contents: Sequence[str],
    partition: Sequence[str] | None,
    val_fraction: float,
    test_fraction: float,
    seed: int,
    groups: Grouping | None = None,
) -> dict[str, Indexes]:
    """Return the sorted indexes of train, val and test.

    Without a partition the split is random, seeded and stratified by class; val and test get their fraction of the
    different images rounded up, train the rest. With a partition that has no val, its fraction is of train's. Images
    of equal `contents` are always in one split and count once for its size: that of their first one, or test before
    val before train where a partition tears them apart. What is drawn, is drawn in whole `groups` where there are such,
    near its size; see `groups.split_groups`. Raises BadInput where a class is too small to be in every split.
    """
    # only the first of equal images is drawn; copies follow it, or a training image could be a test image too
    leaders = leaders_of(contents)
    distinct = np.flatnonzero(leaders == np.arange(len(leaders)))
    # -1: not placed yet; 0, 1, 2 are train, val, test
    place = np.full(len(labels), -1)
    draw = partial(_draw_places, labels, contents, groups, seed)
    if partition is not None:
        given = np.array([ORDER.index(name) for name in partition])
        # copies in two official splits: all go to test before val before train, so that no test image is lost and none
        # of them is trained on
        np.maximum.at(place, leaders, given)
        if not (given == ORDER.index("val")).any():
            # test stays the official one, so that scores compare with published ones
            train = distinct[place[distinct] == 0]
            place[train] = draw(train, {"val": val_fraction})
    else:
        place[distinct] = draw(distinct, {"test": test_fraction, "val": val_fraction})
    where = place[leaders]
    return {name: np.flatnonzero(where == number) for number, name in enumerate(ORDER)}


def in_drawn_order(places: Indexes, seed: int) -> Indexes:
    """Return the places of a split in the order in which its shards hold them, drawn from `seed`.

    Sources are ordered by class; each shard is to have about the classes of the whole.
    """
    return np.random.default_rng(derive_seed(seed, Stream.SHARD_ORDER)).permutation(places)


def moves(partition: Sequence[str] | None, places: Mapping[str, Indexes]) -> dict[tuple[str, str], int]:
    """Return how many images left their official split for the one of an equal image, by both of them.

    An image that goes to a val which is drawn from train has not left its split.
    """
    pairs = (
        Counter((partition[index], split) for split, found in places.items() for index in found.tolist())
        if partition
        else {}
    )
    there = {split for split, _ in pairs}
    return {(old, new): count for (old, new), count in pairs.items() if old != new and new in there}


def exact_indexes(
    labels: Indexes,
    contents: Sequence[str],
    partition: Sequence[str] | None,
    config: PreprocessOptions,
    names: Sequence[str],
    groups: Grouping | None = None,
) -> dict[str, Indexes]:
    """Return the sorted indexes of train, val and test where train has an exact size; see `train_size.exact_counts`.

    The images of train all differ and are drawn from `limit_seed`, the rest from `seed`. Copies of an image of val or
    test go with it, those of a train image are left out. An official test or val split stays as it is: a train image
    that equals one of its images is left out. `names` are those of the classes. With `groups` the splits are first
    drawn in whole groups, and train is drawn from its groups. Raises BadInput where there are too few images.
    """
    assert config.train_size is not None
    if groups is not None:
        return _exact_in_groups(labels, contents, partition, config, names, groups)
    leaders = leaders_of(contents)
    first = leaders == np.arange(len(leaders))
    given = np.zeros(len(labels), np.int64) if partition is None else np.array([ORDER.index(n) for n in partition])
    there = None if partition is None else {ORDER[number] for number in np.unique(given)}
    # of equal images in several official splits the one in test counts, else the one in val
    place = np.full(len(labels), -1)
    np.maximum.at(place, leaders, given)
    candidates = np.flatnonzero(first & (place == 0))
    counts = np.bincount(labels[candidates], minlength=len(names)).tolist()
    plan = exact_counts(config.train_size, counts, drawn_fractions(config, there), names)
    place[candidates] = -1
    for label in range(len(names)):
        members = _by_hash(candidates[labels[candidates] == label], contents, f"train {config.limit_seed}")
        train, left = np.split(members, [plan["train"][label]])
        place[train] = 0
        left = _by_hash(left, contents, f"rest {config.seed}")
        for split in [split for split in plan if split != "train"]:
            drawn, left = np.split(left, [plan[split][label]])
            place[drawn] = ORDER.index(split)
    where = place[leaders]
    where[(where == 0) & ~first] = -1
    for split in (there or set()) - {"train"}:
        where[(where == ORDER.index(split)) & (given != where)] = -1
    return {name: np.flatnonzero(where == number) for number, name in enumerate(ORDER)}


def _exact_in_groups(
    labels: Indexes,
    contents: Sequence[str],
    partition: Sequence[str] | None,
    config: PreprocessOptions,
    names: Sequence[str],
    groups: Grouping,
) -> dict[str, Indexes]:
    """Return the indexes of the splits where groups stay whole and train has an exact size; see `exact_indexes`."""
    assert config.train_size is not None
    fractions = config.val_fraction, config.test_fraction
    places = split_indexes(labels, contents, partition, *fractions, config.seed, groups)
    leaders = leaders_of(contents)
    candidates = places["train"][leaders[places["train"]] == places["train"]]
    counts = np.bincount(labels[candidates], minlength=len(names)).tolist()
    plan = exact_counts(config.train_size, counts, {}, names)["train"]
    drawn = [
        _by_hash(candidates[labels[candidates] == label], contents, f"train {config.limit_seed}")[:count]
        for label, count in enumerate(plan)
    ]
    official = set(partition or ())
    kept = {
        split: np.array([i for i in indexes.tolist() if partition is None or partition[i] == split], dtype=np.int64)
        if split in official
        else indexes
        for split, indexes in places.items()
    }
    return kept | {"train": np.sort(np.concatenate(drawn))}


def _by_hash(indexes: Indexes, contents: Sequence[str], salt: str) -> Indexes:
    """Return the indexes in a random order that depends on `salt`."""
    # a rank of its own for each image: where one turns out to be broken, the next one replaces it and no other moves
    return indexes[np.argsort(ranks(f"{salt} {contents[index]}" for index in indexes.tolist()), kind="stable")]


def _draw_places(
    labels: Indexes,
    contents: Sequence[str],
    groups: Grouping | None,
    seed: int,
    candidates: Indexes,
    fractions: Mapping[str, float],
) -> Indexes:
    """Return the split, its index in ORDER, of each candidate: each of `fractions` gets its share, train the rest."""
    if groups is not None:
        related = joined(leaders_of(contents).tolist(), groups.of)[candidates]
        splits = split_groups(labels[candidates], related, fractions, seed, groups.classes)
        return np.array([ORDER.index(split) for split in splits], dtype=np.int64)
    places = np.zeros(len(labels), np.int64)
    remaining = candidates
    for split, share in fractions.items():
        # of all candidates, also for what is drawn second
        count = ceil_share(share, len(candidates))
        check_room(np.unique(labels[remaining], return_counts=True)[1].tolist(), count, split, len(candidates))
        remaining, drawn = _draw(remaining, labels, count, seed)
        places[drawn] = ORDER.index(split)
    return places[candidates]


def _draw(candidates: Indexes, labels: Indexes, count: int, seed: int) -> Any:
    """Return the candidates that stay and the `count` that are drawn, stratified by class, from `seed`."""
    from sklearn.model_selection import train_test_split  # it takes longer to import than all else here

    return train_test_split(candidates, test_size=count, random_state=seed, stratify=labels[candidates])

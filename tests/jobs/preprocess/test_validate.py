"""preprocess refuses before reading exactly what it would refuse after reading."""

import re
from collections import Counter
from math import ceil
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

from jobs.__main__ import main as halfreal
from jobs.commands.calls import command_of
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.splits import choose, split_indexes
from jobs.preprocess.validate import check_room, check_splits, declare, taken, validate
from shared.cli.resolve import options_with
from shared.data.specs import ImageSpec, Specs
from shared.errors import BadConfig, BadInput
from shared.sources.table import SOURCES
from shared.store.work_shards import WHOLE

DIGITS = load_digits().target
"""The label of every image of the source `digits`."""


def config(**options: Any) -> PreprocessOptions:
    """Return the options of the recipe `digits` with some of them changed."""
    found = options_with(command_of("preprocess"), [], {})
    return PreprocessOptions(**({"source_path": None, "label": None} | found | options))


def refused(**options: Any) -> bool:
    """Whether the options are refused for what is known about the source."""
    try:
        validate(config(**options), WHOLE, Specs())
    except BadInput:
        return True
    return False


def refused_by_the_split(limit: int, per_class: int, val: float, test: float) -> bool:
    """Whether selecting and splitting the digits themselves, all distinct, fails."""
    chosen = choose(DIGITS, None, limit, per_class, 0)
    try:
        split_indexes(DIGITS[chosen], [str(index) for index in chosen], None, val, test, 0)
    except BadInput:
        return True
    return False


def test_the_counts_are_those_of_the_digits() -> None:
    """The counts of the source `digits` are those of scikit-learn's array."""
    counts = Counter(DIGITS.tolist())
    assert SOURCES["digits"].counts == {"train": tuple(counts[label] for label in range(10))}


@pytest.mark.parametrize("fractions", [(0.1, 0.2), (0.3, 0.3), (0.05, 0.05)])
def test_a_limit_is_refused_before_reading_where_the_split_would_fail(fractions: tuple[float, float]) -> None:
    """For any limit and number per class the options are refused if and only if the split itself fails."""
    val, test = fractions
    for limit, per_class in [(limit, 0) for limit in range(1, 240, 7)] + [(0, each) for each in range(1, 24)]:
        given = {"val_fraction": val, "test_fraction": test, "limit": limit, "per_class": per_class}
        assert refused(**given) == refused_by_the_split(limit, per_class, val, test), given


def test_both_answers_occur() -> None:
    """The test above would mean little if every limit were refused, or none."""
    assert refused(limit=3)
    assert refused(per_class=5)
    assert refused(val_fraction=0.0006)
    assert not refused(limit=110)
    assert not refused(per_class=20)


@pytest.mark.parametrize(
    ("counts", "drawn", "enough"),
    [
        ([2, 2], 2, True),
        ([3, 1], 2, False),
        ([3, 0, 3], 2, True),
        ([2, 2], 1, False),
        ([2, 2], 3, False),
        ([], 0, False),
    ],
)
def test_the_least_split_is_scikit_learns(counts: list[int], drawn: int, enough: bool) -> None:
    """At least two images per class, and on both sides as many as there are classes, as in `train_test_split`."""
    from sklearn.model_selection import train_test_split

    labels = np.repeat(np.arange(len(counts)), counts)
    try:
        train_test_split(labels, test_size=drawn, stratify=labels, random_state=0)
        agreed = True
    except ValueError:
        agreed = False
    assert agreed == enough
    if enough:
        check_room(counts, drawn, "val", sum(counts))
    else:
        with pytest.raises(BadInput, match=f"cannot draw {drawn} of {sum(counts)}"):
            check_room(counts, drawn, "val", sum(counts))


@pytest.mark.parametrize("source", [name for name, row in SOURCES.items() if not (row.label or row.columns)])
def test_a_label_is_for_sources_that_have_several(source: str) -> None:
    """`--label` is refused where the source ignores it."""
    with pytest.raises(BadConfig, match="--label Young"):
        validate(config(source=source, label="Young"), WHOLE, Specs())


@pytest.mark.parametrize("option", ["file_column", "split_column", "group_column", "group_by"])
def test_columns_are_for_files_of_the_users_own(option: str) -> None:
    """Published sets have none; a table and foreign shards have."""
    with pytest.raises(BadConfig, match=f"--{option.replace('_', '-')} \\(x\\): the source mnist is a published set"):
        validate(config(source="mnist", **{option: "(x)"}), WHOLE, Specs())
    for source in ("folder", "csv", "webdataset"):
        assert not refused(source=source, **{option: "(x)"})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"group_by": "x"}, "--group-by x: has 0 groups; want one"),
        ({"group_by": "(x)(y)"}, "has 2 groups; want one"),
        ({"group_by": "("}, "--group-by (: no regular expression"),
        ({"group_by": "(x)", "group_column": "who"}, "--group-column who, --group-by (x): want one of them"),
    ],
)
def test_what_tells_groups_is_checked_at_once(options: dict[str, str], said: str) -> None:
    """A pattern has one group, and there is one way to tell groups."""
    with pytest.raises(BadConfig, match=re.escape(said)):
        config(source="folder", **options)


@pytest.mark.parametrize("source", ["celeba", "webdataset"])
def test_sources_with_several_labels_take_one(source: str) -> None:
    """CelebA has 40 attributes; foreign shards have the fields of their json."""
    assert not refused(source=source, label="Young")


@pytest.mark.parametrize(("source", "official"), [(name, row.official) for name, row in SOURCES.items()])
def test_an_official_split_is_for_sources_that_may_have_one(source: str, official: bool | None) -> None:
    """`--split official` is refused where the source never has one; of the user's own only the files tell."""
    assert refused(source=source, split="official") == (official is False)


def test_a_limit_keeps_the_parts_of_an_official_split() -> None:
    """100 images of CIFAR10 (5 to 1, ten classes) leave at least 80 for train, from which val is drawn."""
    assert not refused(source="cifar10", limit=240, val_fraction=0.1)
    assert refused(source="cifar10", limit=24, val_fraction=ceil(10) / 100)


def test_another_source_drops_the_recipes_source_options() -> None:
    """`--source digits` with a recipe on CIFAR10 does not ask for CIFAR10's official split."""
    words = ["preprocess", "--recipe", "cifar10_dcgan", "--source", "digits", "--dry-run"]
    result = CliRunner().invoke(halfreal, words)
    assert result.exit_code == 0, result.output
    assert "split = 'auto'" in result.output
    assert "split = 'official'" in CliRunner().invoke(halfreal, [*words[:3], "--dry-run"]).output


def test_a_call_refuses_what_would_leave_too_few_images() -> None:
    """The command refuses such options with exit code 2 before it opens anything, in a dry run too."""
    result = CliRunner().invoke(halfreal, ["preprocess", "--limit", "12", "--dry-run"])
    assert result.exit_code == 2
    assert "classes" in result.stderr
    with pytest.raises(BadInput, match="classes"):
        options_with(command_of("preprocess"), [], {"limit": 12})


def test_what_preprocess_declares_is_known_without_reading() -> None:
    """Size, channels and mirroring come from the options; the number of classes is known where the counts are."""
    digits = declare(config(size_px=32, channels=3))
    assert digits == ImageSpec(size_px=32, channels=3, source="digits", mirrors=False, classes=10)
    assert declare(config(source="folder")).classes is None
    assert declare(config(source="folder")).mirrors


@pytest.mark.parametrize(
    ("counts", "val", "test", "said"),
    [
        ([5, 5, 5], 0.1, 0.2, r"2 of 12 images for val.*classes: --val-fraction 0\.14 gives 3$"),
        ([4, 4, 4], 0.3, 0.1, r"2 of 12 images for test.*classes: --test-fraction 0\.17 gives 3$"),
        ([5, 5, 5], 0.75, 0.2, r"want no fewer images left than there are classes: --val-fraction 0\.6 at most$"),
        ([9, 9, 1], 0.2, 0.2, r"smallest of 1\nwant at least 3 images of each class$"),
        ([2, 2, 2], 0.1, 0.2, r"want at least 3 images of each class$"),
    ],
)
def test_what_is_said_to_do_works(counts: list[int], val: float, test: float, said: str) -> None:
    """The fraction that is named draws a split; more images are wanted only where no fraction would do."""
    labels = np.repeat(np.arange(len(counts)), counts)
    contents = [str(index) for index in range(len(labels))]
    with pytest.raises(BadInput, match=f"(?s){said}") as caught:
        split_indexes(labels, contents, None, val, test, 0)
    if named := re.search(r"--(val|test)-fraction ([0-9.]+) ", f"{caught.value} "):
        fractions = {"val": val, "test": test, named[1]: float(named[2])}
        places = split_indexes(labels, contents, None, fractions["val"], fractions["test"], 0)
        assert all(set(labels[found].tolist()) == {0, 1, 2} for found in places.values())


def test_a_limit_is_named_only_where_one_was_given() -> None:
    """It may be raised, too; the other way is the fraction."""
    counts: dict[str, tuple[int, ...]] = {"all": (20, 20)}
    with pytest.raises(BadInput, match=r"--val-fraction 0\.11 gives 2; or raise --limit 10$"):
        check_splits(config(source="folder", limit=10), taken(counts, 10, 0))
    with pytest.raises(BadInput) as caught:
        check_splits(config(source="folder"), {"all": [5, 5]})
    assert "raise" not in str(caught.value)

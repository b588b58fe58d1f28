"""The arms: how many images of which kind, groups and flags."""

import pytest

from jobs.train_mixed.arms import ARMS, ASKED, GIVEN, GROUPS, LEARNING_CURVE, OWN, SWEEP, chosen_arms, first_shown
from shared.errors import BadConfig


@pytest.mark.parametrize(
    ("total", "arm", "real", "synthetic"),
    [
        (1257, "real_100", 1257, 0),
        (1257, "real_30", 378, 0),  # 1,257 - floor(0.7 * 1,257) = 1,257 - floor(879.9)
        (1257, "synthetic_70_real_30", 378, 879),
        (1257, "synthetic_only", 0, 879),
        (162770, "synthetic_70_real_30", 48831, 113939),  # CelebA's train split
        (162770, "synthetic_only", 0, 113939),
        (1257, "real_100_plus_synthetic_100", 1257, 1257),
        (1257, "synthetic_100", 0, 1257),
        (1257, "real_100_plus_synthetic_50", 1257, 628),
        (1257, "real_100_plus_synthetic_300", 1257, 3771),
        (1257, "real_100_copied", 1257, 0),
        (1257, "real_100_plus_synthetic_all", 1257, 5000),
        (1257, "synthetic_all", 0, 5000),
        (1257, "real_100_plus_pseudo_all", 1257, 5000),
        (10, "synthetic_70_real_30", 3, 7),  # 0.7 * 10 is below 7 in floating point
    ],
)
def test_counts_by_hand(total: int, arm: str, real: int, synthetic: int) -> None:
    """Of N real train images an arm takes floor(0.7 N) synthetic ones and N - floor(0.7 N) real ones, or all 5,000."""
    assert ARMS[arm].counts(total, 5000) == (real, synthetic)


@pytest.mark.parametrize("total", [1257, 162770, 10, 11, 99, 100, 101])
def test_the_mixed_arm_has_exactly_as_many_images_as_there_are_real_ones(total: int) -> None:
    """70 % synthetic and 30 % real images are N together, for any N."""
    assert sum(ARMS["synthetic_70_real_30"].counts(total)) == total


def test_an_own_annotator_sees_no_more_than_its_arm() -> None:
    """Its share is that of the arm's real images, so that it brings in no label that the arm does not have."""
    own = [arm for arm in ARMS.values() if arm.labels == OWN]
    assert own
    assert all(arm.annotator_share == arm.real_share for arm in own)


@pytest.mark.parametrize("name", ARMS)
def test_a_filter_by_confidence_lets_the_annotator_in(name: str) -> None:
    """Images chosen by the annotator's confidence carry all labels that it saw, also where others label them."""
    said = ARMS[name].information(conditional=True, filtered=True)
    assert said.annotator == float(not ARMS[name].is_real)
    assert said.generator == float(ARMS[name].has_synthetic)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("original", "original"),
        ("original,short", "original"),
        (" original , fair", "original"),
        ("short", "headline"),
        ("short,original", "headline"),
        ("real_100,original", "headline"),
    ],
)
def test_a_page_begins_with_the_original_design_where_that_is_named_first(text: str, first: str) -> None:
    """Recipes of published systems name the group `original` first."""
    assert first_shown(text) == first


def test_the_groups_have_the_arms_of_the_design() -> None:
    """The default group has the user's question, the question of sharing, and the published design."""
    design = ("real_100", "real_30", "synthetic_70_real_30")
    assert GROUPS["original"] == design
    assert set(GROUPS["short"]) == {*design, "real_100_plus_synthetic_100", "synthetic_100"}
    added = "real_100_augmented", "real_100_plus_synthetic_100_augmented", "real_100_copied"
    sizes = "real_100_plus_synthetic_50", "real_100_plus_synthetic_300"
    assert set(GROUPS["fair"]) == {*GROUPS["short"], *added, *sizes}
    assert GROUPS["judge"] == ("real_100", "real_100_plus_synthetic_all", "synthetic_all")
    assert GROUPS["labels"] == ("real_100", "real_100_plus_synthetic_all", "real_100_plus_pseudo_all")
    assert {name for group in GROUPS.values() for name in group} == ARMS.keys()


@pytest.mark.parametrize("name", ARMS)
def test_flags_and_names_agree(name: str) -> None:
    """An arm's name says whether it is augmented, copied, annotated by its own, or labelled as asked."""
    arm = ARMS[name]
    assert arm.augmented == name.endswith("_augmented")
    assert arm.copied == name.endswith("_copied")
    assert (arm.labels == OWN) == name.endswith("_own")
    assert (arm.labels == ASKED) == name.endswith("_asked")
    assert (arm.labels == GIVEN) == (
        name.startswith("real_100_plus_synthetic_") or name in ("synthetic_100", "synthetic_all")
    )
    assert ("synthetic" in name) == arm.has_synthetic
    assert arm.every_synthetic == name.endswith("synthetic_all")
    assert arm.pseudo == ("pseudo" in name)
    assert arm.is_real == ("synthetic" not in name and not arm.pseudo)


def test_the_sweeps_add_up() -> None:
    """Each arm of the sweep has as many images as the real train split; the learning curve has its percentages."""
    for share, name in SWEEP.items():
        real, synthetic = ARMS[name].counts(1000)
        assert (real, synthetic) == (1000 - 10 * share, 10 * share)
    assert [ARMS[name].counts(1000)[0] for name in LEARNING_CURVE.values()] == [50, 100, 250, 500, 1000]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "want groups"),
        ("shrt", "unknown: 'shrt'"),
        ("short,real_31", "unknown: 'real_31'"),
        ("a,b", "unknown: 'a', 'b'"),
    ],
)
def test_unknown_arms_are_refused(text: str, says: str) -> None:
    """The error names only the wrong ones, and lists the groups and the arms."""
    with pytest.raises(BadConfig, match="original, short, fair, judge, labels, curve, sweep, all") as caught:
        chosen_arms(text, conditional=True)
    assert says in str(caught.value)


def test_groups_and_arms_join_in_the_order_of_the_table() -> None:
    """An arm named twice is trained once."""
    assert chosen_arms("synthetic_only,curve,real_5", conditional=True) == [
        name for name in ARMS if name in {"synthetic_only", *GROUPS["curve"]}
    ]


@pytest.mark.parametrize("text", ["labels", "short,real_100_plus_pseudo_all"])
def test_pseudo_labels_need_unlabelled_images(text: str) -> None:
    """An arm that is named is refused without them; the group of all arms does without it."""
    assert "real_100_plus_pseudo_all" in chosen_arms(text, conditional=True, unlabelled=True)
    with pytest.raises(BadConfig, match=r"unlabelled real images, and there are none\n.*--labelled-fraction below 1"):
        chosen_arms(text, conditional=True, unlabelled=False)
    everything = chosen_arms("all", conditional=True, unlabelled=False)
    assert everything == [name for name in ARMS if name != "real_100_plus_pseudo_all"]

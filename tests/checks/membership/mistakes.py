"""Mistakes in the membership test: who is attacked, who has seen whom, and what is said of too few or other images."""

from tests.checks.mutation import Mutation

METRIC = "shared/metrics/membership.py"
METRICS = "tests/shared/metrics/test_membership.py::"
EVALUATE = "jobs/evaluate/membership.py"
WHOLE = "tests/experiment/splits/test_audit.py::"
OVER = "shared/metrics/over_replicates.py"
SUMMARIES = "tests/shared/metrics/test_over_replicates.py::"

MEMBERSHIP: tuple[Mutation, ...] = (
    Mutation(
        "members_and_non_members_swapped",
        METRIC,
        "auc = delong_auc(members, non_members)[0]",
        "auc = delong_auc(non_members, members)[0]",
        METRICS + "test_the_area_is_that_of_nearer_members",
        "the AUC is the probability that a member is the nearer one",
    ),
    Mutation(
        "non_members_from_val",
        EVALUATE,
        "images = work.splits[TEST] if split == TEST else",
        'images = work.splits["val"] if split == TEST else',
        WHOLE + "test_test_images_are_the_non_members_of_one_random_draw",
        "val chose snapshots and weights: its images are no non-members",
    ),
    Mutation(
        "members_from_val",
        EVALUATE,
        "        work.splits[work.learned],  # all",
        '        work.splits["val"],  # all',
        WHOLE + "test_audit_images_are_the_non_members",
        "members are images that the generator learned from",
    ),
    Mutation(
        "audit_images_are_learned_from",
        "jobs/preprocess/subsets.py",
        'made |= {"train": stays, "audit": np.setdiff1d(made["train"], stays)}',
        'made |= {"audit": np.setdiff1d(made["train"], stays)}',
        WHOLE + "test_audit_images_are_in_no_other_split",
        "what the generator learned from is no non-member",
    ),
    Mutation(
        "attacked_by_what_learned_from_members",
        METRIC,
        "network = fit(rest, val,",
        "network = fit(train, val,",
        METRICS + "test_the_classifier_has_seen_no_image_that_is_attacked",
        "features of images that a network has seen lie apart, with any generator",
    ),
    Mutation(
        "equal_images_in_both_halves",
        METRIC,
        "    where = second[which]\n",
        "    where = np.arange(len(which)) % 2 == 1\n",
        METRICS + "test_equal_images_are_in_one_half",
        "a classifier that has seen a copy has seen the member",
    ),
    Mutation(
        "threshold_of_the_members",
        METRIC,
        "(members < np.sort(non_members)[allowed]).mean()",
        "(members < np.sort(members)[allowed]).mean()",
        METRICS + "test_the_threshold_is_that_of_non_members",
        "a threshold that members set always finds the share that it allows",
    ),
    Mutation(
        "too_few_false_positives",
        METRIC,
        "if allowed < FEWEST_FALSE:",
        "if allowed < 1:",
        METRICS + "test_a_rate_of_fewer_than_ten_non_members_is_not_given",
        "a threshold set by one or two images is an accident",
    ),
    Mutation(
        "shares_of_classes_differ",
        METRIC,
        "counts = [min(int((side == name).sum()) for side in (members, non_members)) for name in names]",
        "counts = [int((members == name).sum()) if name in non_members else 0 for name in names]",
        METRICS + "test_members_and_non_members_have_equal_shares_of_classes",
        "other shares of classes tell the sides apart without any leak",
    ),
    Mutation(
        "official_splits_not_confounded",
        EVALUATE,
        "return TEST, real.record.split != RANDOM_SPLIT",
        "return TEST, False",
        WHOLE + "test_a_split_that_is_no_random_draw_is_confounded",
        "an official split may differ by person or writer",
    ),
    Mutation(
        "confounded_not_said",
        OVER,
        "return self.low > CHANCE and not self.confounded",
        "return self.low > CHANCE",
        SUMMARIES + "test_members_are_found_only_where_non_members_are_of_the_same_draw",
        "an AUC that can have another cause is no finding",
    ),
    Mutation(
        "interval_over_replicates_alone",
        OVER,
        "fmean(max(test.auc_high - test.auc, test.auc - test.auc_low) for test in tests),",
        "0.0,",
        SUMMARIES + "test_an_interval_over_replicates_is_for_other_members_too",
        "replicates share their non-members: Student alone held the truth in 71 %",
    ),
    Mutation(
        "certain_of_an_area_of_1",
        METRIC,
        "delong_auc(np.append(members, np.inf), np.append(non_members, -np.inf))",
        "delong_auc(members, non_members)",
        METRICS + "test_an_interval_is_never_of_zero_width",
        "an AUC of 1 over a hundred images is not certain",
    ),
)

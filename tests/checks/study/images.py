"""Mistakes that let a point of a study see what it must not, or that pick its answer.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

TESTS = "tests/jobs/study/"
WHOLE = TESTS + "test_study.py::"
OPTIONS = TESTS + "test_study_children.py::"
RULE = TESTS + "test_study_answer.py::"

CHILDREN = "jobs/study/children.py"
COMMAND = "jobs/study/command.py"
ANSWER = "jobs/study/answer.py"

IMAGES: tuple[Mutation, ...] = (
    Mutation(
        "a_point_sees_all_images",
        CHILDREN,
        "={point.share:g}",
        "=1",
        OPTIONS + "test_a_point_has_its_share_and_a_draw_for_each_replicate",
        "a point's GAN, annotator and classifiers see its share of the images alone",
    ),
    Mutation(
        "val_of_a_point_is_whole",
        "jobs/preprocess/subsets.py",
        'config.train_val_fraction, f"share {seeds.subsets}") for split in ("train", "val")',
        'config.train_val_fraction, f"share {seeds.subsets}") for split in ("train",)',
        WHOLE + "test_a_point_has_its_share_of_train_and_val",
        "weights and snapshots are chosen on the point's share of val",
    ),
    Mutation(
        "a_point_has_one_subset",
        CHILDREN,
        '"train" if min(point.share, *others) < 1 else',
        '"train" if min(point.share, *others) < 0 else',
        OPTIONS + "test_a_point_has_its_share_and_a_draw_for_each_replicate",
        "each replicate draws its images again",
    ),
    Mutation(
        "epochs_are_not_scaled",
        CHILDREN,
        "    if point.row.scales_epochs and point.share < 1:",
        "    if not point.row.scales_epochs:",
        OPTIONS + "test_a_point_has_its_share_and_a_draw_for_each_replicate",
        "a GAN of fewer images is shown as many of them",
    ),
    Mutation(
        "intervals_are_not_corrected",
        COMMAND,
        "level = other_level(len(children))",
        "level = other_level(1)",
        OPTIONS + "test_every_point_is_judged_at_the_level_of_all",
        "the intervals of all points hold together",
    ),
    Mutation(
        "points_are_shown_at_their_own_level",
        "jobs/study/judging.py",
        "headline=answer(question, trained, level,",
        "headline=answer(question, trained, 0.95,",
        WHOLE + "test_a_point_is_judged_from_its_fits_at_the_level_of_all",
        "each point's answer is given at the level of the study",
    ),
    Mutation(
        "the_best_range_is_picked",
        ANSWER,
        "    if len(ranges) > 1:\n        return SCATTERED\n",
        "    ranges = ranges[-1:]\n",
        RULE + "test_the_range_in_which_synthetic_images_helped",
        "a range of the answer holds no point that did not help",
    ),
    Mutation(
        "the_smallest_point_that_helped_is_the_answer",
        ANSWER,
        "EVERYWHERE if first and last else FROM if last else",
        "EVERYWHERE if first and last else FROM if not first else",
        RULE + "test_no_range_holds_a_point_that_did_not_help",
        "from N images on: at every larger number tried",
    ),
    Mutation(
        "copies_count_as_help",
        ANSWER,
        "    helped = [point.headline.outcome == HELPED for point in points]",
        "    helped = [point.headline.outcome in (HELPED, COPIES) for point in points]",
        RULE + "test_no_range_holds_a_point_that_did_not_help",
        "a gain from copies does not count",
    ),
    Mutation(
        "earlier_points_are_forgotten",
        COMMAND,
        "answered = {*before.planned, *before.added} if before else set()",
        "answered: set[str] = set()",
        OPTIONS + "test_points_of_an_earlier_answer_belong_to_the_study",
        "no answer is about a choice of the points that were seen",
    ),
    Mutation(
        "points_without_an_answer_are_dropped",
        COMMAND,
        "if has_verdict or point.name in answered]",
        "if point.name in answered]",
        OPTIONS + "test_points_that_have_a_verdict_belong_to_the_study",
        "no answer is about a choice of the points whose own verdicts were seen",
    ),
    Mutation(
        "points_made_at_the_same_time_are_dropped",
        COMMAND,
        "children = planned(all_points(folder, options), name",
        "children = planned(points, name",
        WHOLE + "test_points_that_another_study_made_meanwhile_count",
        "the answer is about all points that have a verdict when it is given",
    ),
    Mutation(
        "added_points_are_not_flagged",
        "jobs/study/record.py",
        "planned = known.planned if known else names",
        "planned = names",
        TESTS + "test_study_page.py::test_added_points_and_replicates_are_flagged",
        "points that were added after an answer are named",
    ),
    Mutation(
        "a_subset_of_all_images_is_drawn_again",
        CHILDREN,
        '"train" if min(point.share, *others) < 1 else',
        '"train" if True else',
        OPTIONS + "test_replicates_of_all_images_draw_what_there_is_to_draw",
        "with all images no report speaks of another subset for each replicate",
    ),
    Mutation(
        "subsets_of_nothing",
        "jobs/preprocess/validate.py",
        'options.resplit == "train" and options.train_val_fraction',
        'options.resplit == "train" and 0 == options.train_val_fraction',
        "tests/jobs/test_validate.py::test_subsets_of_all_images_are_refused",
        "each replicate draws its subset again where it has one",
    ),
    Mutation(
        "options_of_a_study_are_overridden",
        CHILDREN,
        'if values.get(RESPLIT, "all") != "all":',
        "if False:",
        OPTIONS + "test_what_a_study_sets_is_refused",
        "no option that somebody gave is overridden without a word",
    ),
    Mutation(
        "too_few_synthetic_images_are_noticed_late",
        "jobs/study/labels.py",
        "if percent * (1 + share) >= 100 and share:",
        "if percent * (1 + share) > 200 and share:",
        TESTS + "test_study_labels.py::test_arms_with_more_synthetic_images_than_there_will_be_are_refused",
        "a mistake in the arms costs no GAN",
    ),
    Mutation(
        "audit_images_count_as_train",
        "jobs/study/counts.py",
        "for share in (round(1 - config.audit_fraction, 6), *shares.values()):",
        "for share in shares.values():",
        OPTIONS + "test_what_other_options_keep_from_a_point_counts",
        "a point with too few images is refused before anything is made",
    ),
    Mutation(
        "parts_write_the_page_at_once",
        COMMAND,
        "    with locked(folder / JSON, wait=True):\n",
        "    if True:\n",
        OPTIONS + "test_parts_that_end_at_once_write_one_after_the_other",
        "no part takes its own answer for the first one",
    ),
    Mutation(
        "results_show_an_outdated_study",
        "jobs/study/outdated.py",
        "return there != point.generators",
        "return False",
        WHOLE + "test_an_outdated_study_is_said_to_be_one",
        "no answer is shown as that of generators that are no longer there",
    ),
    Mutation(
        "any_folder_of_a_volume_called_study_is_a_point",
        "shared/store/lineage.py",
        " and re.fullmatch(POINT_NAME, folder.name) is not None",
        "",
        "tests/shared/store/test_lineage.py::test_where_the_volume_of_an_experiment_is",
        "sources and weights are looked for on the volume of the experiment",
    ),
    Mutation(
        "added_points_vanish_without_trace",
        "jobs/study/record.py",
        "seen = [*known.planned, *known.added, *known.left_out]",
        "seen = [*known.planned]",
        TESTS + "test_study_page.py::test_a_point_that_was_added_and_removed_leaves_a_trace",
        "points that were left out after an answer are named",
    ),
    Mutation(
        "a_job_takes_the_part_of_the_study",
        CHILDREN,
        'ONE_PART = {"HALFREAL_PARTS": "1"}',
        "ONE_PART: dict[str, str] = {}",
        WHOLE + "test_parts_reach_no_job",
        "parts of a study are whole points",
    ),
)

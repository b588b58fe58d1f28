"""Mistakes by which replicates would not be the whole procedure again, or arms not be paired within one.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

OWN = "tests/experiment/test_replicates.py::"
ARMS = "tests/experiment/test_arms.py::"
COMPARED = "tests/shared/metrics/test_compare.py::"
COMPARE = "tests/jobs/compare/test_compare_command.py::"
PIPELINE = "jobs/pipeline.py"

REPLICATES: tuple[Mutation, ...] = (
    Mutation(
        "annotator_of_the_first_replicate",
        PIPELINE,
        "(PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE),\n",
        "(PREPROCESS, TRAIN_GAN, EVALUATE),\n    first=(TRAIN_CLASSIFIER,),\n",
        OWN + "test_synthetic_images_are_annotated_by_the_replicates_own_annotator",
        "every replicate has an annotator of its own",
    ),
    Mutation(
        "one_seed_for_every_gan",
        "shared/cli/calls/call.py",
        'own["seed"] = replicate_seed(seed, piece.replicate)',
        'own["seed"] = seed if piece.row.writes == "gan" else replicate_seed(seed, piece.replicate)',
        OWN + "test_every_job_of_a_replicate_has_its_seed",
        "the interval speaks of other generators",
    ),
    Mutation(
        "synthetic_images_of_the_first_replicate",
        PIPELINE,
        "(PREPROCESS, SYNTHESIZE),\n",
        "(PREPROCESS,),\n    first=(SYNTHESIZE,),\n",
        ARMS + "test_an_arm_sees_its_shares_and_nothing_else",
        "the arms of a replicate are trained on its own synthetic images",
    ),
    Mutation(
        "features_of_every_replicate",
        PIPELINE,
        "(PREPROCESS, TRAIN_GAN),\n    gpu=True,\n    parts=True,\n    replicated=True,\n"
        "    first=(TRAIN_CLASSIFIER,),",
        "(PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN),\n    gpu=True,\n    replicated=True,",
        OWN + "test_scores_of_all_replicates_have_the_features_of_the_first_classifier",
        "scores of replicates compare, since one extractor has seen all of them",
    ),
    Mutation(
        "another_patience_for_one_arm",
        "jobs/train_mixed/fits.py",
        "patience=config.patience,",
        'patience=config.patience + (planned.arm == "real_100"),',
        ARMS + "test_every_arm_is_trained_by_the_same_rule",
        "no arm is favoured by a longer training",
    ),
    Mutation(
        "answers_of_the_first_replicate",
        "jobs/train_mixed/experiment.py",
        "        for artifact in fits\n",
        "        for artifact in fits[:1] * len(fits)\n",
        ARMS + "test_the_answers_are_of_paired_differences_over_replicates",
        "the verdict is of all replicates",
    ),
    Mutation(
        "first_synthetic_images_left_out",
        "jobs/train_mixed/mixing.py",
        "window = (draw * n_synthetic",
        "window = ((draw + 1) * n_synthetic",
        ARMS + "test_the_published_design_is_exactly_seventy_and_thirty",
        "the 70/30 design has the first synthetic images",
    ),
    Mutation(
        "design_without_its_annotator",
        "jobs/train_mixed/arms.py",
        'Arm(about="30 % of the real + synthetic", real_share=0.3, synthetic_share=0.7)',
        'Arm(about="30 % of the real + synthetic", real_share=0.3, synthetic_share=0.7, labels=ASKED)',
        ARMS + "test_the_published_design_is_exactly_seventy_and_thirty",
        "the 70/30 design has annotated images",
    ),
    Mutation(
        "arms_drawn_apart",
        "jobs/train_mixed/mixing.py",
        "    seen = real_part(real, arm.real_share, seed)\n",
        "    seen = real_part(real, arm.real_share, seed + len(name))\n",
        ARMS + "test_arms_with_the_same_real_share_see_the_same_real_images",
        "arms are paired within a replicate",
    ),
    Mutation(
        "added_replicates_not_counted",
        "jobs/train_mixed/experiment.py",
        "added=max(len(fits) - planned, 0),",
        "added=0,",
        "tests/jobs/test_replicates.py::test_a_replicate_is_added_without_making_the_others_again",
        "replicates that came after an answer are said",
    ),
    Mutation(
        "all_replicates_made_again",
        "shared/cli/calls/perform.py",
        "return [piece for piece, there in zip(pieces, complete, strict=True) if not there]",
        "return pieces",
        "tests/jobs/test_replicates.py::test_a_replicate_is_added_without_making_the_others_again",
        "a finished replicate is never made again",
    ),
    Mutation(
        "replicates_that_the_verdict_does_not_have",
        "jobs/compare/experiments.py",
        "if (folder / TRAIN_MIXED.writes / MANIFEST).is_file():",
        "if not folder.is_dir():",
        COMPARE + "test_replicates_are_those_of_the_verdict",
        "a comparison is of the replicates that the verdict was made from",
    ),
    Mutation(
        "a_reference_that_scores_the_latents_of_test_again",
        "jobs/compare/under_reference.py",
        "Stream.REFERENCE_LATENTS, index",
        "Stream.TEST_LATENTS, index",
        COMPARE + "test_images_under_a_reference_are_fresh_and_in_its_format",
        "a reference scores fresh images",
    ),
    Mutation(
        "a_reference_with_another_filter",
        "jobs/compare/reference.py",
        "self.info.channels, self.resize_filter)",
        'self.info.channels, "bicubic")',
        COMPARE + "test_images_under_a_reference_are_fresh_and_in_its_format",
        "generated images are resized as the reference's real ones were",
    ),
    Mutation(
        "a_level_for_one_pair",
        "shared/metrics/compare.py",
        "level, others = other_level(pairs)",
        "level, others = other_level(1)",
        COMPARED + "test_the_level_counts_every_pair",
        "the intervals of all pairs hold together",
    ),
    Mutation(
        "better_than_one_is_best",
        "shared/metrics/compare.py",
        "if wins[name] == len(values) - 1",
        "if wins[name] >= 1",
        COMPARED + "test_the_best_of_three_is_better_than_both",
        "a winner is better than every other",
    ),
    Mutation(
        "scores_of_different_protocols_compared",
        "shared/metrics/compare.py",
        "if extractor in other and differences(",
        "if extractor not in other and differences(",
        COMPARED + "test_different_protocols_are_refused",
        "scores of different protocols are not compared",
    ),
    Mutation(
        "a_mean_of_means_over_epochs",
        "shared/metrics/over_epochs.py",
        "fmean(pooled)",
        "fmean(map(fmean, values.values()))",
        "tests/shared/metrics/test_over_epochs.py::test_all_snapshots_of_all_replicates_are_pooled",
        "the mean over epochs is over all snapshots",
    ),
)
"""Mistakes in what replicates share and do not share, in what is made of all of them, and in comparing experiments."""

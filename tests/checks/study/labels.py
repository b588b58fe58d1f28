"""Mistakes that let hidden labels in, or that miscount who saw images without labels.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

TESTS = "tests/experiment/splits/test_unlabelled.py::"
VALIDATE = "tests/jobs/test_validate.py::"
WORDS = "tests/jobs/train_mixed/test_warnings.py::"
IMAGES = "shared/data/images.py"
FITS = "jobs/train_mixed/fits.py"
TABLE = "jobs/train_mixed/arms.py"

TRUE_LABELS = '[int(members["cls"]) for _, members in real.members("unlabelled")]'
"""What no job may read."""

LABELS: tuple[Mutation, ...] = (
    Mutation(
        "hidden_labels_are_read",
        IMAGES,
        "    if split == UNLABELLED:\n        labels.fill_(NO_LABEL)\n",
        "",
        TESTS + "test_labels_of_unlabelled_images_are_not_read",
        "no job has the labels of unlabelled images",
    ),
    Mutation(
        "batches_have_hidden_labels",
        IMAGES,
        "labels.fill_(NO_LABEL)",
        "labels.fill_(0)",
        "tests/shared/data/test_unlabelled_batches.py::test_an_epoch_of_two_splits_has_every_image_once",
        "nor has a batch of them",
    ),
    Mutation(
        "gan_is_given_labels",
        "jobs/train_gan/loop.py",
        "    if not task.unlabelled_images:",
        "    if True:",
        TESTS + "test_the_gan_learns_from_all_images_and_from_no_label",
        "a generator that learns from unlabelled images learns from no label",
    ),
    Mutation(
        "gan_of_the_labelled_images_alone",
        "jobs/train_gan/task.py",
        "return learned_splits(self.real)",
        'return ("train",)',
        TESTS + "test_the_gan_learns_from_all_images_and_from_no_label",
        "the generator has all images",
    ),
    Mutation(
        "conditional_gans_of_unlabelled_images",
        "jobs/train_gan/validate.py",
        "if specs.real.unlabelled:",
        "if False:",
        VALIDATE + "test_options_that_contradict_the_data_are_refused",
        "families that need labels are refused before anything is made",
    ),
    Mutation(
        "annotator_with_hidden_labels",
        "jobs/train_classifier/__main__.py",
        '            splits["train"],\n            splits["val"],',
        '            splits["train"]\n'
        '            + type(splits["train"])(\n'
        '                load_split(real, "unlabelled").at(size_px, config.resize_filter).pixels,\n'
        f'                __import__("torch").tensor({TRUE_LABELS}),\n'
        "            ),\n"
        '            splits["val"],',
        TESTS + "test_annotator_and_arms_learn_from_the_labelled_images",
        "the annotator has the labels of the labelled share alone",
    ),
    Mutation(
        "pseudo_labels_are_true",
        FITS,
        "return Synthetic(Images(found.pixels, labels), None,",
        f"return Synthetic(Images(found.pixels, torch.tensor({TRUE_LABELS})), None,",
        TESTS + "test_pseudo_labels_are_the_annotators",
        "the control has no label that the annotator did not give",
    ),
    Mutation(
        "pseudo_labels_of_any_confidence",
        FITS,
        "pseudo = load_pseudo(real, synthetic).confident(min_confidence)",
        "pseudo = load_pseudo(real, synthetic)",
        TESTS + "test_the_least_confidence_is_one_for_pseudo_labels_too",
        "the least confidence holds for all images that the annotator names",
    ),
    Mutation(
        "pseudo_labels_of_no_images",
        TABLE,
        '"classifier_unlabelled": float(self.pseudo)',
        '"classifier_unlabelled": 0.0',
        WORDS + "test_unlabelled_images_are_information",
        "the arm with pseudo-labels saw images that the one without them did not",
    ),
    Mutation(
        "generator_of_labelled_images",
        TABLE,
        '"generator_unlabelled": float(self.has_synthetic)',
        '"generator_unlabelled": 0.0',
        WORDS + "test_unlabelled_images_are_information",
        "the generator saw the unlabelled images",
    ),
    Mutation(
        "unlabelled_images_are_no_information",
        "shared/store/records/mixed.py",
        "return labelled, max(self.classifier_unlabelled or 0.0, self.generator_unlabelled or 0.0)",
        "return labelled, 0.0",
        TESTS + "test_the_headline_is_like_for_like",
        "like for like counts images without labels",
    ),
    Mutation(
        "synthetic_images_by_the_labelled_ones",
        "jobs/synthesize/__main__.py",
        ".split(config.share_of).count",
        '.split("train").count',
        TESTS + "test_the_partner_has_as_many_synthetic_images",
        "both arms add equally many images",
    ),
    Mutation(
        "copies_among_labelled_images_alone",
        "jobs/evaluate/on_test.py",
        "    learned = work.splits[work.learned]\n    copies",
        '    learned = work.splits["train"]\n    copies',
        TESTS + "test_copies_are_searched_among_unlabelled_images_too",
        "a copy of an unlabelled image is a copy",
    ),
    Mutation(
        "hidden_labels_are_counted",
        "shared/plots/gallery.py",
        "for name, split in dataset.splits.items() if name != UNLABELLED}",
        "for name, split in dataset.splits.items()}",
        TESTS + "test_other_hidden_labels_change_no_byte",
        "hidden labels change no byte of anything that is made later",
    ),
    Mutation(
        "annotators_that_do_not_vary",
        "jobs/train_mixed/verdict.py",
        "by_fits_alone=ARMS[headline.b].is_real",
        "by_fits_alone=not ARMS[headline.b].has_synthetic",
        "tests/jobs/train_mixed/test_summaries.py::test_pseudo_labels_vary_with_their_annotator",
        "a baseline whose annotator varies does not tell how much fits vary",
    ),
    Mutation(
        "arms_are_refused_after_the_gans",
        "jobs/train_mixed/validate.py",
        "return share * (1 - specs.real.labelled_fraction) / specs.real.labelled_fraction",
        "return None",
        "tests/jobs/study/test_study_labels.py::test_a_run_refuses_such_arms_too",
        "arms that need more synthetic images than there will be are refused before anything is made",
    ),
    Mutation(
        "options_of_few_labels_are_overridden",
        "jobs/study/children.py",
        "{*OWN, *(LABELS_OWN if point.row.unlabelled else ())}",
        "{*OWN}",
        "tests/jobs/study/test_study_labels.py::test_what_a_point_of_few_labels_sets_is_refused",
        "nothing that somebody set is overridden silently",
    ),
)

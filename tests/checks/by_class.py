"""Mistakes in what is said of each class: values, intervals, names, the positive one, figures of a few images."""

from tests.checks.mutation import Mutation

INFLUENCE = "shared/metrics/influence.py"
INFLUENCES = "tests/shared/metrics/test_influence.py::"
OUTCOME = "jobs/train_mixed/outcome.py"
OUTCOMES = "tests/jobs/train_mixed/test_outcome.py::"
PAGES = "tests/jobs/report/test_verdict_page.py::"
RESULTS = "tests/jobs/commands/test_results.py::"
DRAWINGS = "tests/jobs/commands/test_drawing.py::"
PIXELS = "tests/shared/metrics/test_pixels.py::"

BY_CLASS: tuple[Mutation, ...] = (
    Mutation(
        "precision_of_a_class_is_its_recall",
        INFLUENCE,
        '"precision": (right, named.astype(np.float64)),',
        '"precision": (right, true.astype(np.float64)),',
        INFLUENCES + "test_a_metric_of_a_class_is_scikit_learns",
        "precision is of the answers that name the class, recall of its images",
    ),
    Mutation(
        "undefined_is_0",
        INFLUENCE,
        "value = np.divide(above.sum(axis=-1), total, out=np.full(total.shape, np.nan), where=total > 0)",
        "value = np.divide(above.sum(axis=-1), total, out=np.zeros(total.shape), where=total > 0)",
        INFLUENCES + "test_what_has_nothing_to_divide_by_is_undefined",
        "what has nothing to divide by is undefined, never a silent 0",
    ),
    Mutation(
        "a_class_has_the_interval_of_all_images",
        INFLUENCE,
        "held = below.reshape(-1, len(truth)).any(axis=0)",
        "held = np.ones(len(truth), dtype=bool)",
        OUTCOMES + "test_the_interval_of_recall_is_that_of_the_classs_images",
        "a class of few test images has a wide interval",
    ),
    Mutation(
        "interval_of_the_defined_replicates",
        OUTCOME,
        "whole = len(known) == len(by_replicate)",
        "whole = len(known) > 0",
        OUTCOMES + "test_what_is_undefined_is_not_0",
        "where a replicate has no value the mean has no interval",
    ),
    Mutation(
        "names_of_classes_in_another_order",
        OUTCOME,
        "for name, (own, label) in zip(classes, asked, strict=True)",
        "for name, (own, label) in zip(reversed(classes), asked, strict=True)",
        OUTCOMES + "test_metrics_of_classes_are_scikit_learns",
        "every class has its own numbers",
    ),
    Mutation(
        "the_first_class_is_positive",
        "shared/metrics/classification.py",
        "POSITIVE = 1\n",
        "POSITIVE = 0\n",
        OUTCOMES + "test_the_positive_class_is_the_second_of_two",
        "the positive class is the one that the ROC-AUC ranks, the second of two",
    ),
    Mutation(
        "f1_of_another_arm",
        "jobs/report/classes.html",
        "{{ estimate(arm.classes[place].f1) }}",
        "{{ estimate(first_arms[0].classes[place].f1) }}",
        PAGES + "test_f1_of_the_first_answers_arms_is_open",
        "each arm of the page has its own numbers",
    ),
    Mutation(
        "recall_in_the_column_of_precision",
        "jobs/report/classes.html",
        "{{ estimate(row.precision) }}{{ estimate(row.recall) }}",
        "{{ estimate(row.recall) }}{{ estimate(row.precision) }}",
        PAGES + "test_every_arm_has_its_classes",
        "each column has what its heading says",
    ),
    Mutation(
        "baseline_first",
        "shared/plots/answers.py",
        "[record.arm(top.a), record.arm(top.b)]",
        "[record.arm(top.b), record.arm(top.b)]",
        RESULTS + "test_the_metrics_of_the_first_answers_arms",
        "both arms of the first answer are printed, each with its own numbers",
    ),
    Mutation(
        "classes_of_the_first_replicate",
        "jobs/commands/results.py",
        "return best_on_val(dict(enumerate(self.scores)))",
        "return 0",
        RESULTS + "test_the_generators_classes_are_in_the_json",
        "the classes that are listed are those of the replicate that is named",
    ),
    Mutation(
        "freedom_of_the_replicates_alone",
        "shared/plots/answers.py",
        "{quantile(first.freedom, first.level):.1f}",
        "{quantile(replicates - 1, first.level):.1f}",
        PAGES + "test_few_replicates_and_what_they_cost",
        "what few replicates cost is said of the interval that is printed",
    ),
    Mutation(
        "numbers_before_names",
        "jobs/commands/drawing.py",
        "        if wanted in self.classes:\n",
        "        if wanted in self.classes and not wanted.isdecimal():\n",
        DRAWINGS + "test_a_class_has_a_name_before_a_number",
        "a class is asked for by its name",
    ),
    Mutation(
        "ratios_upside_down",
        "shared/metrics/pixels.py",
        "mine[name] / own[name] if name in mine and own.get(name) else None",
        "own[name] / mine[name] if mine.get(name) and name in own else None",
        PIXELS + "test_few_images_have_what_they_can_have",
        "ratios are to the real images' values, as in evaluate",
    ),
)
"""Mistakes that swap classes, arms or metrics, or hide that a value is missing."""

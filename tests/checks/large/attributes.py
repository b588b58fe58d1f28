"""Planted mistakes: several attributes as one label, what learns from them, what is measured of them."""

from tests.checks.mutation import Mutation

NETWORKS = "shared/models/networks.py"
HEADS = "tests/shared/models/attributes/test_heads.py::"
OUTCOME = "jobs/train_mixed/outcome.py"
VERDICT = "tests/jobs/attributes/test_verdict.py::"
REAL = "tests/jobs/attributes/test_preprocess.py::"

ATTRIBUTES = (
    Mutation(
        "attributes_in_the_order_of_the_table",
        "shared/sources/published/celeba.py",
        "[header.index(attribute) for attribute in wanted]",
        "sorted(header.index(attribute) for attribute in wanted)",
        REAL + "test_a_label_has_a_bit_for_each_attribute",
        "bit j is the attribute that was named as number j, wherever the table has it",
    ),
    Mutation(
        "one_side_of_an_attribute_is_enough",
        "jobs/preprocess/writer.py",
        "    if source.attributes:\n        names = ",
        "    if source.attributes:\n        return\n        names = ",
        REAL + "test_an_attribute_that_all_train_images_have_is_refused",
        "nothing is learned of an attribute that all images have",
    ),
    Mutation(
        "combinations_need_no_names_of_their_own",
        "shared/format/manifest.py",
        "if self.attributes and self.classes != combinations(self.attributes):",
        "if False:",
        REAL + "test_a_manifest_whose_classes_are_not_the_combinations_is_refused",
        "names of classes and bits of labels say the same",
    ),
    Mutation(
        "a_softmax_over_attributes",
        "shared/models/extractors.py",
        "network.logits(features).softmax(dim=1)",
        "network.head(features).softmax(dim=1)",
        HEADS + "test_the_extractor_names_combinations",
        "the agreement counts whole vectors, as the annotator names them",
    ),
    Mutation(
        "a_softmax_over_combinations",
        "shared/models/classifiers.py",
        'keywords["classes"] = attributes',
        "attributes = 0",
        HEADS + "test_a_classifier_has_an_output_for_each_attribute",
        "a head has a sigmoid for each attribute",
    ),
    Mutation(
        "combinations_are_embedded_apart",
        NETWORKS,
        "return AttributeEmbedding(attributes, size) if attributes else nn.Embedding(classes, size)",
        "return nn.Embedding(classes, size)",
        HEADS + "test_combinations_share_the_embeddings_of_their_attributes",
        "rare combinations learn from the images that share an attribute with them",
    ),
    Mutation(
        "macro_means_over_both_sides",
        "shared/metrics/classification.py",
        "            occurs[self.scored :] = False\n",
        "            pass\n",
        "tests/shared/metrics/attributes/test_metrics.py::test_a_metric_is_scikit_learns_of_vectors",
        "macro F1 of attributes is that of the images that have them",
    ),
    Mutation(
        "the_verdict_on_attributes_is_on_accuracy",
        OUTCOME,
        'return image_values(self, "f1", self.predicted)[1] if self.attributes else self.correct_by_fit',
        "return self.correct_by_fit",
        VERDICT + "test_the_verdict_is_about_macro_f1",
        "most attributes are rare: accuracy is that of the common answer",
    ),
    Mutation(
        "the_verdict_on_one_attribute_is_on_all",
        "jobs/train_mixed/verdict.py",
        "return {name: outcome.only(attribute) for name, outcome in outcomes.items()}",
        "return outcomes",
        VERDICT + "test_a_verdict_on_one_attribute_is_about_its_f1",
        "the answer is about the attribute that was asked for",
    ),
    Mutation(
        "a_missing_image_has_every_attribute",
        OUTCOME,
        "return np.where(labels == NO_IMAGE, NO_IMAGE, labels >> attribute & 1)",
        "return labels >> attribute & 1",
        VERDICT + "test_one_attribute_alone_keeps_what_is_no_image",
        "replicates with fewer test images are not judged on ones that are not there",
    ),
)
"""Mistakes in datasets, networks and answers of several attributes."""

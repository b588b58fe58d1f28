"""The annotator: a classifier trained on the real train split."""

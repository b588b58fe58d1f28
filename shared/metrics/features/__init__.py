"""Metrics on two sets of features, by an extractor; and blocks of such sets."""

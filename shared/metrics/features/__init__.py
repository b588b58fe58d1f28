"""Metrics on two sets of features, by an extractor."""

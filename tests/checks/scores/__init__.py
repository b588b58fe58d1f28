"""Mistakes in scores over replicates, the copy test and its pairs, and what is simulated of metrics and splits."""

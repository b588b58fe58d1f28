"""The rows of the benchmark table, by part of the product."""

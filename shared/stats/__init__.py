"""Intervals and tests: one confidence level, one place."""

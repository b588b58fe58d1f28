"""Intervals, significance tests and equivalent data: one confidence level, in `confidence`."""

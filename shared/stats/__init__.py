"""Intervals, the two-way model of replicates and images, and equivalent data: one confidence level, in `confidence`."""

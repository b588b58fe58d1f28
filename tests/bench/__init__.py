"""Benchmarks: each row against a named peer, in one run, alternating, as a ratio."""

"""Damaged files for every reader, for as long as one likes: `python -m tests.checks.fuzz --minutes 30`."""

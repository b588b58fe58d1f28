"""Checks of the processes that are forked for the jobs of a run."""

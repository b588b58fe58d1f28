"""Planted mistakes: the answers of the experiment, and the arms that they compare."""

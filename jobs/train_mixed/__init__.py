"""The experiment: the same classifier on real, mixed and synthetic images."""

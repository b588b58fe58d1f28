"""Mistakes in how sources are read."""

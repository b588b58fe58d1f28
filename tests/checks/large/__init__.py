"""Mistakes that only show in large sets."""

"""Mistakes in the check of the verdict."""

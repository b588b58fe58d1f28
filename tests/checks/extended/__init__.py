"""Planted mistakes: work that is extended."""
